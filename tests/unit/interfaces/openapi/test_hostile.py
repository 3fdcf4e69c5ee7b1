"""Descriptions made to break a mock: each is served or refused in one line, and nothing hangs."""

import json

import pytest
from support.openapi import read_api

from maestro_dsl.interfaces.openapi.decide import Interpreter, encoded
from maestro_dsl.interfaces.openapi.effort import NEVER, longest_text
from maestro_dsl.interfaces.openapi.emit import emit, patterns_in
from maestro_dsl.interfaces.openapi.inputs import Request
from maestro_dsl.interfaces.openapi.markup_read import from_xml
from maestro_dsl.interfaces.openapi.parse import parse
from maestro_dsl.interfaces.openapi.table import Table

BLOW_UP = [
    "^(a+)+$",
    "^(a*)*$",
    "^(a|a)*$",
    "^(a|ab)*$",
    "^(a?a?)*$",
    "(x+x+)+y",
    "(.*a){25}$",
    r"^(\w+\s?)*$",
    r"^(a+)+\1$",
    "^(?=(a+)+$)",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    "((((((((((a+)+)+)+)+)+)+)+)+)+",
    "(" * 5000,
]
HARMLESS = [r"^\d+$", "^[A-Z]{2}-\\d{4}$", "^[^@]+@[^@]+\\.[a-z]+$", "^(a|b)*$", r"^([a-z]+\s)*$", "^.{1,9}$"]


def described(schema, path="/things", **more):
    content = {"application/json": {"schema": schema}}
    post = {
        "requestBody": {"required": True, "content": content},
        "responses": {"201": {"description": "made", "content": content}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "x", "version": "1"},
        "paths": {path: {"post": post}},
        **more,
    }


def asked(document, value, path="/things"):
    headers = {"content-type": "application/json"}
    request = Request(method="POST", raw_path=path, headers=headers, body=json.dumps(value).encode())
    answer = Interpreter(Table(read_api(document))).answer(request)
    encoded(answer)
    return answer.status


@pytest.mark.parametrize("pattern", BLOW_UP, ids=range(len(BLOW_UP)))
def test_patterns_that_blow_up_are_not_tried_in_the_emitted_server(pattern):
    assert longest_text(pattern) == NEVER
    assert patterns_in({"properties": {"a": {"pattern": pattern}}}) == {pattern: NEVER}


@pytest.mark.parametrize("pattern", HARMLESS)
def test_harmless_patterns_are_tried_on_long_texts(pattern):
    assert longest_text(pattern) >= 10_000


@pytest.mark.parametrize("pattern", BLOW_UP, ids=range(len(BLOW_UP)))
def test_patterns_that_blow_up_end_in_the_mock(pattern):
    document = described({"type": "string", "pattern": pattern})
    assert asked(document, "a" * 50_000 + "!") in {201, 422, 500}


CYCLES = {
    "itself": {"$ref": "#/components/schemas/A"},
    "through allOf": {"allOf": [{"$ref": "#/components/schemas/A"}]},
    "through anyOf": {"anyOf": [{"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/A"}]},
    "needed": {"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#/components/schemas/A"}}},
    "many": {
        "type": "object",
        "properties": {f"p{number}": {"$ref": "#/components/schemas/A"} for number in range(40)},
    },
    "not": {"not": {"$ref": "#/components/schemas/A"}},
    "items": {"type": "array", "minItems": 3, "items": {"$ref": "#/components/schemas/A"}},
}


@pytest.mark.parametrize("name", CYCLES)
def test_cycles_end(name):
    document = described({"$ref": "#/components/schemas/A"}, components={"schemas": {"A": CYCLES[name]}})
    assert asked(document, {}) in {201, 422, 500}


HUGE = {
    "items": {"type": "array", "items": {"type": "string"}, "minItems": 10**9},
    "length": {"type": "string", "minLength": 10**9},
    "properties": {"type": "object", "minProperties": 10**9},
    "enum": {"enum": [f"value {number}" for number in range(50_000)]},
    "alternatives": {"oneOf": [{"const": number} for number in range(2_000)]},
    "repeats": {"type": "string", "pattern": "^(([a-z]{1000}){1000}){1000}$"},
    "step": {"type": "number", "multipleOf": 1e-300},
    "bounds": {"type": "integer", "minimum": 1e308, "maximum": -1e308},
    "names": {"type": "object", "properties": {f"p{number}": {"type": "integer"} for number in range(5_000)}},
}


@pytest.mark.parametrize("name", HUGE)
def test_huge_wishes_end(name):
    assert asked(described(HUGE[name]), {}) in {201, 422, 500}


def test_deep_schemas_are_served_or_refused():
    schema = {"type": "string"}
    for _ in range(400):
        schema = {"type": "object", "properties": {"a": schema}, "required": ["a"]}
    api, problems = parse(json.dumps(described(schema)).encode(), "x.json")
    assert api is not None or len(list(problems)) == 1
    if api is not None:
        emit(api, "deep", b"", "x.json")


def test_long_chains_of_references_are_served():
    last = {f"A{number}": {"$ref": f"#/components/schemas/A{number + 1}"} for number in range(50)}
    links = {
        f"B{number}": {
            "type": "object",
            "properties": {"next": {"$ref": f"#/components/schemas/B{number + 1}"}},
        }
        for number in range(3_000)
    }
    parts = {**last, **links, "A50": {"type": "string"}, "B3000": {"type": "string"}}
    either = {"anyOf": [{"$ref": "#/components/schemas/A0"}, {"$ref": "#/components/schemas/B0"}]}
    document = described(either, components={"schemas": parts})
    assert asked(document, {"next": {"next": 1}}) == 422
    assert asked(document, "text") == 201


def test_paths_of_many_parameters_end():
    path = "/{a}{b}{c}{d}{e}{f}{g}.x/{h}-{i}-{j}"
    document = described({"type": "object"}, path)
    assert asked(document, {}, "/" + "." * 20_000 + "/" + "-" * 20_000) in {404, 422}
    assert asked(document, {}, "/abcdefgh.x/1-2-3") in {201, 422}


def test_xml_that_expands_or_never_ends_is_refused():
    how = {"kind": "object", "name": None, "attribute": False, "wrapped": False, "properties": {}}
    for text in (
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        "<a>" * 100_000,
        "<a " + "b='c' " * 20_000,
        "<a><!-- ",
        "<" * 50_000,
        "",
    ):
        with pytest.raises(ValueError, match=r"well-formed|deep|element"):
            from_xml(how, text)
    assert from_xml(how, "<a><b>&lt;&#65;</b><__proto__>1</__proto__></a>") == {"b": "<A", "__proto__": "1"}


def test_no_reference_is_followed_out_of_a_document(monkeypatch):
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("the network was asked"))
    for ref in ("http://127.0.0.1:9/a.yaml", "file:///etc/passwd", "../../../etc/passwd", "//x/y"):
        assert asked(described({"$ref": ref}), {}) == 201
