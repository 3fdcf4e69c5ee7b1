"""What a difference in a schema means where the consumer sends it, and where the provider does."""

import copy
from datetime import date

import pytest

from maestro_dsl.interfaces.openapi.diff.compare import compare
from maestro_dsl.interfaces.openapi.diff.rules import RULES
from maestro_dsl.lang.source import load

EMPTY = load("{}", "x.yaml").map
LETTERS = {"breaking": "B", "dangerous": "D", "safe": "S"}


def document(schema, *, version="3.1.0", components=None, media="application/json"):
    content = {media: {"schema": schema}}
    operation = {
        "requestBody": {"content": content},
        "responses": {"200": {"description": "ok", "content": content}},
    }
    return {
        "openapi": version,
        "paths": {"/x": {"post": operation}},
        "components": {"schemas": components or {}},
    }


def found(old, new):
    return compare(old, new, (EMPTY, EMPTY), today=date(2026, 1, 1)).changes


def said(old, new, **more):
    """ "rule request-letter response-letter" for every difference, e.g. "type-changed BB"."""
    letters = {}
    for item in found(document(old, **more), document(new, **more)):
        flow, _, rule = item.id.partition("-")
        letters.setdefault((rule, item.path), {})[flow] = LETTERS[item.level.value]
    return {
        f"{rule} {each.get('request', '-')}{each.get('response', '-')}" + (f" {path}" if path else "")
        for (rule, path), each in letters.items()
    }


S, N = {"type": "string"}, {"type": "integer"}
CASES = [
    ("types that differ", S, N, {"type-changed BB"}),
    ("a wider type", N, {"type": "number"}, {"type-widened SB"}),
    ("a narrower type", {"type": ["string", "integer"]}, S, {"type-narrowed BS"}),
    ("null comes", S, {"type": ["string", "null"]}, {"became-nullable SB"}),
    ("null goes", {"type": ["string", "null"]}, S, {"became-not-nullable BS"}),
    ("anything to something", {}, S, {"type-narrowed BS"}),
    ("nothing at all", S, False, {"type-narrowed BS"}),
    ("a format comes", S, S | {"format": "uuid"}, {"format-narrowed BS"}),
    ("a format goes", S | {"format": "uuid"}, S, {"format-widened SB"}),
    ("another format", S | {"format": "date"}, S | {"format": "date-time"}, {"format-changed BB"}),
    ("a larger integer", N | {"format": "int32"}, N | {"format": "int64"}, {"format-widened SB"}),
    ("a smaller integer", N | {"format": "int64"}, N | {"format": "int32"}, {"format-narrowed BS"}),
    ("values are listed", S, S | {"enum": ["a"]}, {"became-enum BS"}),
    ("values are no longer listed", S | {"enum": ["a"]}, S, {"enum-lifted SB"}),
    ("a value goes", S | {"enum": ["a", "b"]}, S | {"enum": ["a"]}, {"enum-value-removed BS"}),
    ("a value comes", S | {"enum": ["a"]}, S | {"enum": ["a", "b"]}, {"enum-value-added SD"}),
    ("other values", S | {"enum": ["a"]}, S | {"enum": ["b"]}, {"enum-replaced BB"}),
    ("a constant comes", S, S | {"const": "a"}, {"const-added BS"}),
    ("a constant goes", S | {"const": "a"}, S, {"const-removed SB"}),
    ("another constant", {"const": "a"}, {"const": "b"}, {"const-changed BB"}),
    (
        "an open list shrinks and grows",
        S | {"x-extensible-enum": ["a"]},
        S | {"x-extensible-enum": ["b"]},
        {"open-enum-value-removed BS", "open-enum-value-added SS"},
    ),
    ("a maximum is stated", N, N | {"maximum": 9}, {"limit-set DS"}),
    ("a maximum goes", N | {"maximum": 9}, N, {"limit-lifted SB"}),
    ("a lower maximum", N | {"maximum": 9}, N | {"maximum": 8}, {"limit-tightened BS"}),
    ("a higher maximum", N | {"maximum": 8}, N | {"maximum": 9}, {"limit-loosened SB"}),
    ("a higher minimum", N | {"minimum": 1}, N | {"minimum": 2}, {"limit-tightened BS"}),
    ("a maximum is out", N | {"maximum": 9}, N | {"exclusiveMaximum": 9}, {"limit-tightened BS"}),
    ("longer texts", S | {"maxLength": 8}, S | {"maxLength": 9}, {"limit-loosened SB"}),
    ("longer least texts", S | {"minLength": 1}, S | {"minLength": 2}, {"limit-tightened BS"}),
    ("coarser steps", N | {"multipleOf": 2}, N | {"multipleOf": 4}, {"limit-tightened BS"}),
    ("finer steps", N | {"multipleOf": 4}, N | {"multipleOf": 2}, {"limit-loosened SB"}),
    ("a pattern comes", S, S | {"pattern": "^a"}, {"pattern-added BS"}),
    ("a pattern goes", S | {"pattern": "^a"}, S, {"pattern-removed SS"}),
    ("another pattern", S | {"pattern": "^a"}, S | {"pattern": "^b"}, {"pattern-changed DD"}),
    ("a default comes", S, S | {"default": "a"}, {"default-added SS"}),
    ("a default goes", S | {"default": "a"}, S, {"default-removed DS"}),
    ("another default", S | {"default": "a"}, S | {"default": "b"}, {"default-changed DS"}),
    ("deprecated", S, S | {"deprecated": True}, {"became-deprecated SS"}),
    ("current again", S | {"deprecated": True}, S, {"became-current SS"}),
    ("read-only", S, S | {"readOnly": True}, {"became-read-only DS"}),
    ("writable", S | {"readOnly": True}, S, {"became-writable SS"}),
    ("write-only", S, S | {"writeOnly": True}, {"became-write-only SD"}),
    ("readable", S | {"writeOnly": True}, S, {"became-readable SS"}),
    (
        "items of another type",
        {"type": "array", "items": S},
        {"type": "array", "items": N},
        {"type-changed BB []"},
    ),
    (
        "unique items",
        {"type": "array"},
        {"type": "array", "uniqueItems": True},
        {"items-must-differ BS"},
    ),
    (
        "items may repeat",
        {"type": "array", "uniqueItems": True},
        {"type": "array"},
        {"items-may-repeat SB"},
    ),
    (
        "no items any more",
        {"type": "array", "items": S},
        {"type": "array", "items": False},
        {"type-narrowed BS []"},
    ),
    (
        "the first item is another",
        {"type": "array", "prefixItems": [S, N]},
        {"type": "array", "prefixItems": [N, N]},
        {"type-changed BB [0]"},
    ),
    (
        "a map of other values",
        {"type": "object", "additionalProperties": S},
        {"type": "object", "additionalProperties": N},
        {"type-changed BB *"},
    ),
    (
        "closed",
        {"type": "object"},
        {"type": "object", "additionalProperties": False},
        {"object-closed BS"},
    ),
    (
        "opened",
        {"type": "object", "additionalProperties": False},
        {"type": "object"},
        {"object-opened SD"},
    ),
    ("a constraint comes", S, S | {"not": {"const": "a"}}, {"constraint-added BS"}),
    ("a constraint goes", S | {"not": {"const": "a"}}, S, {"constraint-removed SB"}),
    (
        "a constraint changes",
        S | {"not": {"const": "a"}},
        S | {"not": {"const": "b"}},
        {"constraint-changed BB"},
    ),
    (
        "names that go together",
        {"type": "object", "dependentRequired": {"a": ["b", "c"]}},
        {"type": "object", "dependentRequired": {"a": ["b", "d"]}},
        {"constraint-changed BB"},
    ),
    (
        "names by pattern",
        {"type": "object", "patternProperties": {"^a": S, "^b": S}},
        {"type": "object", "patternProperties": {"^a": N, "^c": S}},
        {"type-changed BB /^a/", "constraint-removed SB", "constraint-added BS"},
    ),
    (
        "an alternative comes",
        {"oneOf": [S, {"type": "object"}]},
        {"oneOf": [S, {"type": "object"}, {"type": "array", "items": S}]},
        {"alternative-added SB"},
    ),
    (
        "an alternative goes",
        {"anyOf": [{"type": "object", "required": ["a"]}, {"type": "array", "items": S}, S]},
        {"anyOf": [{"type": "object", "required": ["a"]}, S]},
        {"alternative-removed BS"},
    ),
    (
        "one becomes several",
        {"type": "object", "required": ["a"]},
        {"oneOf": [{"type": "array", "items": S}, {"type": "object", "required": ["a"]}]},
        {"alternative-added SB"},
    ),
    (
        "one becomes several that overlap",
        {"type": "object", "required": ["a"]},
        {"oneOf": [{"type": "object", "required": ["a"]}, {"type": "object", "required": ["b"]}]},
        {"wrapped-in-one-of BB", "alternative-added SB"},
    ),
    (
        "one alternative gets another",
        {"oneOf": [{"type": "object", "required": ["a"]}]},
        {"oneOf": [{"type": "object", "required": ["a"]}, {"type": "object", "required": ["b"]}]},
        {"alternative-added SB"},
    ),
    (
        "null beside values",
        S | {"enum": ["a"]},
        {"oneOf": [{"type": "null"}, S | {"enum": ["a"]}]},
        {"became-nullable SB"},
    ),
    (
        "null is no alternative any more",
        {"anyOf": [{"type": "null"}, {"type": "object", "required": ["a"]}]},
        {"type": "object", "required": ["a"]},
        {"became-not-nullable BS"},
    ),
    (
        "one becomes several of which any may hold",
        {"type": "object", "required": ["a"]},
        {"anyOf": [{"type": "object", "required": ["a"]}, {"type": "object", "required": ["b"]}]},
        {"alternative-added SB"},
    ),
    (
        "several become one",
        {"oneOf": [{"type": "array", "items": S}, {"type": "object", "required": ["a"]}]},
        {"type": "object", "required": ["a"]},
        {"alternative-removed BS"},
    ),
    (
        "several become something else",
        {"oneOf": [{"type": "array", "items": S}, {"type": "object", "required": ["a"]}]},
        {"type": "object", "required": ["b"]},
        {"type-changed BB"},
    ),
    (
        "alternatives beside properties",
        {"type": "object"},
        {"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
        {"alternatives-stated BS"},
    ),
    (
        "no alternatives beside properties",
        {"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
        {"type": "object"},
        {"alternatives-lifted SB"},
    ),
    (
        "several may hold",
        {"oneOf": [{"type": "object"}, {"type": "array", "items": S}]},
        {"anyOf": [{"type": "object"}, {"type": "array", "items": S}]},
        {"alternatives-joined DD"},
    ),
    ("a reference into nowhere", {"$ref": "#/nowhere"}, S, {"reference-changed BB", "type-narrowed BS"}),
]


@pytest.mark.parametrize(
    ("old", "new", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_what_a_difference_means(old, new, expected):
    assert said(old, new) == expected


def obj(properties=None, required=(), **more):
    return {"type": "object", "properties": properties or {}, "required": list(required), **more}


PROPERTIES = [
    ("required comes", obj(), obj({"a": S}, ["a"]), {"required-property-added BS"}),
    ("optional comes", obj(), obj({"a": S}), {"optional-property-added SS"}),
    ("required goes", obj({"a": S}, ["a"]), obj(), {"required-property-removed DB"}),
    ("optional goes", obj({"a": S}), obj(), {"optional-property-removed DD"}),
    (
        "goes where nothing else may be",
        obj({"a": S}, additionalProperties=False),
        obj(additionalProperties=False),
        {"property-refused B-", "optional-property-removed -D"},
    ),
    ("is required now", obj({"a": S}), obj({"a": S}, ["a"]), {"property-became-required BS"}),
    ("is optional now", obj({"a": S}, ["a"]), obj({"a": S}), {"property-became-optional SB"}),
    ("required by name alone", obj(), obj(required=["a"]), {"property-became-required BS"}),
    ("of another type", obj({"a": S}), obj({"a": N}), {"type-changed BB a"}),
    (
        "read-only ones do not travel in requests",
        obj(),
        obj({"a": S | {"readOnly": True}}, ["a"]),
        {"required-property-added -S"},
    ),
    (
        "write-only ones do not travel in answers",
        obj({"a": S | {"writeOnly": True}}, ["a"]),
        obj(),
        {"required-property-removed D-"},
    ),
    (
        "read-only and of another type",
        obj({"a": S | {"readOnly": True}}),
        obj({"a": N | {"readOnly": True}}),
        {"type-changed -B a"},
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "expected"), [case[1:] for case in PROPERTIES], ids=[case[0] for case in PROPERTIES]
)
def test_properties(old, new, expected):
    assert said(old, new) == expected


A = obj({"a": S}, ["a"])
SAME = [
    ("3.0 and 3.1 nullable", {"type": "string", "nullable": True}, {"type": ["string", "null"]}),
    ("null as an alternative", {"type": ["string", "null"]}, {"anyOf": [S, {"type": "null"}]}),
    ("a constant and one value", {"const": "a"}, {"enum": ["a"]}),
    ("values say their type", {"enum": ["a", "b"]}, S | {"enum": ["b", "a"]}),
    ("excluded limits", N | {"minimum": 0, "exclusiveMinimum": True}, N | {"exclusiveMinimum": 0}),
    ("excluded limits of whole numbers", N | {"exclusiveMinimum": 0}, N | {"minimum": 1}),
    ("limits that limit nothing", S, S | {"minLength": 0, "pattern": ".*"}),
    ("one part of allOf", A, {"allOf": [A]}),
    ("properties in parts", obj({"a": S, "b": N}, ["a"]), {"allOf": [obj({"b": N}), A]}),
    ("limits in parts", S | {"maxLength": 3}, {"allOf": [S | {"maxLength": 9}, S | {"maxLength": 3}]}),
    (
        "first items that are like all",
        {"type": "array", "items": S},
        {"type": "array", "prefixItems": [S], "items": S},
    ),
    ("one alternative", A, {"oneOf": [A]}),
    ("alternatives in another order", {"oneOf": [A, S]}, {"oneOf": [S, A]}),
    ("a list of types", {"type": ["string", "integer"]}, {"anyOf": [N, S]}),
    ("titled constants", S | {"enum": ["a", "b"]}, {"oneOf": [{"const": "a", "title": "A"}, {"const": "b"}]}),
    ("words about it", S, S | {"description": "x", "title": "y", "example": "z", "externalDocs": {}}),
    ("true and empty", {"type": "object"}, {"type": "object", "additionalProperties": True}),
    ("an object says so or not", {"properties": {"a": S}}, obj({"a": S})),
    ("numbers that are equal", {"enum": [1]}, {"enum": [1.0]}),
    ("negations in another order", {"not": {"enum": ["a", "b"]}}, {"not": {"enum": ["b", "a"]}}),
    ("a part without meaning", A, {"allOf": [A, {"description": "words"}]}),
    ("keywords of the wrong type", S, S | {"required": True, "maxLength": "9", "enum": None}),
]


@pytest.mark.parametrize(("one", "other"), [case[1:] for case in SAME], ids=[case[0] for case in SAME])
def test_the_same_in_other_words(one, other):
    assert said(one, other) == set()
    assert said(other, one) == set()


def test_names_of_components_mean_nothing():
    old, new = {"Pet": A}, {"Animal": A}
    one, other = ({"$ref": f"#/components/schemas/{name}"} for name in ("Pet", "Animal"))
    assert found(document(one, components=old), document(other, components=new)) == ()
    choice = [{"oneOf": [each, {"type": "array", "items": each}]} for each in (one, other)]
    assert found(document(choice[0], components=old), document(choice[1], components=new)) == ()


def test_a_cycle_is_walked_once():
    node = obj({"name": S, "next": {"$ref": "#/components/schemas/Node"}})
    ref = {"$ref": "#/components/schemas/Node"}
    changed = copy.deepcopy(node)
    changed["properties"]["name"] = N
    assert found(document(ref, components={"Node": node}), document(ref, components={"Node": node})) == ()
    listed = found(document(ref, components={"Node": node}), document(ref, components={"Node": changed}))
    assert [(item.id, item.path) for item in listed] == [
        ("request-type-changed", "name"),
        ("response-type-changed", "name"),
    ]


def test_both_operations_on_a_cycle_tell_of_it():
    components = {
        "A": obj({"b": {"$ref": "#/components/schemas/B"}, "x": S}),
        "B": obj({"a": {"$ref": "#/components/schemas/A"}}),
    }
    old = document({"$ref": "#/components/schemas/A"}, components=components)
    old["paths"]["/y"] = document({"$ref": "#/components/schemas/B"})["paths"]["/x"]
    new = copy.deepcopy(old)
    new["components"]["schemas"]["A"]["properties"]["x"] = N
    assert {(item.operation, item.path) for item in found(old, new)} == {("POST /x", "x"), ("POST /y", "a.x")}


def test_the_discriminator_is_compared():
    def cats(**mapping):
        return {
            "oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
            "discriminator": {"propertyName": "kind", "mapping": mapping},
        }

    components = {"Cat": obj({"kind": S, "purrs": S}), "Dog": obj({"kind": S})}
    both = {"cat": "#/components/schemas/Cat", "dog": "Dog"}
    assert said(cats(**both), cats(**both), components=components) == set()
    plain = {"oneOf": cats()["oneOf"]}
    assert said(plain, cats(**both), components=components) == {"discriminator-added SS"}
    assert said(cats(**both), plain, components=components) == {"discriminator-removed SS"}
    assert said(cats(**both), cats(cat="Dog", bird="Dog"), components=components) == {
        "mapping-changed DD",
        "mapping-removed DD",
        "mapping-added SS",
    }
    other = cats(**both)
    other["discriminator"]["propertyName"] = "type"
    assert said(cats(**both), other, components=components) == {"discriminator-changed DD"}


def test_text_holds_numbers_outside_of_json():
    assert said(N, S, media="application/xml") == {"type-widened SB"}
    assert said(S, N, media="application/x-www-form-urlencoded") == {"type-narrowed BS"}


def test_every_rule_has_levels_of_one_or_three_letters_and_a_way_out_where_it_breaks():
    for name, (letters, hint) in RULES.items():
        assert len(letters) in {1, 3}, name
        assert set(letters) <= set("BDS"), name
        assert hint or set(letters) == {"S"}, name
