"""Documents made to hurt: cycles, chains, and alternatives in alternatives end, and equal ones are equal."""

import copy
from datetime import date

import pytest
from support.api_changes import renamed

from maestro_dsl.interfaces.openapi.diff.compare import compare
from maestro_dsl.lang.source import load

EMPTY = load("{}", "x.yaml").map
LONG = 150


def ref(number):
    return {"$ref": f"#/components/schemas/S{number}"}


def chain(link):
    schemas = {f"S{number}": link(number) for number in range(LONG)}
    return schemas | {f"S{LONG}": {"type": "object", "required": ["z"]}}


SCHEMAS = {
    "allOf": chain(lambda n: {"allOf": [ref(n + 1)], "properties": {f"p{n}": {"type": "string"}}}),
    "oneOf": chain(lambda n: {"oneOf": [ref(n + 1), {"type": "object", "required": [f"a{n}"]}]}),
    "references": chain(lambda n: ref(n + 1)),
    "properties": chain(lambda n: {"properties": {"next": ref(n + 1)}}),
    "itself": {"S0": {"$ref": "#/components/schemas/S0"}},
    "parts of itself": {
        "S0": {"allOf": [ref(0), ref(1)]},
        "S1": {"allOf": [ref(0)], "oneOf": [ref(0), ref(1), {"type": "string"}]},
    },
    "many": {
        "S0": {"oneOf": [ref(number + 1) for number in range(60)]},
        **{f"S{n + 1}": {"type": "object", "properties": {"b": {"enum": [str(n)]}}} for n in range(60)},
    },
    "doubling": {
        **{f"S{n}": {"allOf": [ref(n + 1), ref(n + 1)]} for n in range(60)},
        "S60": {"type": "object"},
    },
    "all to all": {
        f"S{n}": {"type": "object", "properties": {f"p{m}": ref(m) for m in range(30)}} for n in range(30)
    },
}


def document(schemas):
    content = {"application/json": {"schema": ref(0)}}
    operation = {"requestBody": {"content": content}, "responses": {"200": {"content": content}}}
    return {"openapi": "3.1.0", "paths": {"/x": {"post": operation}}, "components": {"schemas": schemas}}


def changes(old, new):
    return compare(old, new, (EMPTY, EMPTY), today=date(2026, 1, 1)).changes


@pytest.mark.parametrize("name", SCHEMAS)
def test_equal_ones_are_equal(name):
    one = document(SCHEMAS[name])
    assert changes(one, copy.deepcopy(one)) == ()
    if name != "oneOf":  # so deep that alternatives are only told apart by their text
        assert changes(one, renamed(one)) == ()


@pytest.mark.parametrize("name", [name for name in SCHEMAS if "itself" not in name])
def test_a_change_at_the_far_end_is_found(name):
    one = document(SCHEMAS[name])
    other = copy.deepcopy(one)
    schemas = other["components"]["schemas"]
    schemas[list(schemas)[-1]] = {"type": "integer"}
    found = changes(one, other)
    assert {item.level.value for item in found} >= {"breaking"}
    assert all(len(item.path) < 1000 for item in found)
