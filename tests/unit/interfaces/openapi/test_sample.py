"""Limits of what is made for schemas that ask for too much."""

import pytest
from support.openapi import read_api

from maestro_dsl.interfaces.openapi import sample as sample_module
from maestro_dsl.interfaces.openapi.meant import meant
from maestro_dsl.interfaces.openapi.sample import sample
from maestro_dsl.interfaces.openapi.validate import is_valid

BARE = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "paths": {"/": {"get": {"responses": {}}}},
}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "minLength": 10**15},
        {"type": "string", "minLength": 10**15, "pattern": "^a+$"},
        {"type": "string", "minLength": float("inf"), "maxLength": float("inf")},
        {"type": "array", "items": {"enum": [1]}, "minItems": 10**15, "uniqueItems": True},
    ],
    ids=["text", "pattern", "endless", "items"],
)
def test_bounds_that_no_value_can_have_end(schema):
    assert len(sample(read_api(BARE), schema)) <= 200_000


def optional(name):
    return {"type": "object", "properties": {name: {"type": "string"}}}


def needing(name):
    return {**optional(name), "required": [name]}


@pytest.mark.parametrize(
    ("schema", "allowed", "refused"),
    [
        ({"type": "string", "enum": [10, 20]}, "10", 10),
        ({"type": "string", "enum": [True, False]}, "true", True),
        ({"type": "integer", "enum": ["1", "2"]}, 2, "2"),
        ({"type": "integer", "enum": ["open", "shut"]}, "open", 1),
        ({"type": "boolean", "enum": ["true", "false"]}, False, "false"),
        ({"type": "boolean", "enum": ["yes", "no"]}, "no", False),
        ({"type": "object", "enum": [1]}, 1, {}),
        ({"type": "array", "items": {"type": "string"}, "enum": ["a", "b"]}, ["a"], ["c"]),
        ({"type": "array", "items": {"type": "string", "enum": ["a"]}, "enum": ["a"]}, ["a"], ["c"]),
        ({"type": "null", "oneOf": [{"type": "string"}, {"type": "number"}]}, None, []),
        ({"type": "string", "pattern": "/^[a-z]{3}$/i"}, "abc", "abcd"),
        ({"type": "string", "format": "date-time", "enum": ["now"]}, "now", "2026-01-01T00:00:00Z"),
        ({"oneOf": [optional("a"), optional("b")]}, {"a": "x"}, {"b": 1, "a": 1}),
        ({"oneOf": [needing("a"), {**optional("b"), "required": ["a"]}]}, {"a": "x"}, {}),
        ({**needing("a"), "required": ["a", "gone"], "additionalProperties": False}, {"a": "x"}, {"gone": 1}),
    ],
)
def test_a_schema_that_allows_nothing_as_it_is_written_means_what_it_must_mean(schema, allowed, refused):
    api = read_api(BARE)
    assert is_valid(api, schema, sample(api, schema))
    assert is_valid(api, schema, allowed)
    assert not is_valid(api, schema, refused)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "enum": ["1", 2]},
        {"type": "string", "enum": [None]},
        {"type": "string", "pattern": "/[a-z]+/"},
    ],
)
def test_only_what_has_one_reading_is_read_otherwise(schema):
    assert meant(schema) == schema


def test_alternatives_that_exclude_each_other_still_do():
    api = read_api(BARE)
    for other in (
        {**optional("b"), "required": ["b"]},
        {"type": "object", "properties": {"a": {"type": "null"}}},
    ):
        assert not is_valid(api, {"oneOf": [optional("a"), other]}, {"b": "x"})
    assert not is_valid(api, {"oneOf": [needing("a"), needing("b")]}, {"a": "x", "b": "x"})


def test_what_is_wrong_inside_an_alternative_is_left_out_there():
    wrong = {"type": "string", "minLength": 3, "maxLength": 2}
    person = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "x": wrong}}
    schema = {
        "type": "object",
        "required": ["owner"],
        "properties": {"owner": {"anyOf": [person, {"type": "integer", "minimum": 5, "maximum": 4}]}},
    }
    value = sample(read_api(BARE), schema)
    assert set(value["owner"]) == {"name"}


def test_the_work_for_one_sample_is_bounded(monkeypatch):
    never = {"type": "string", "minLength": 3, "maxLength": 2}
    part = {
        "type": "object",
        "required": ["a"],
        "properties": {f"p{n}": never for n in range(30)} | {"a": never},
    }
    schema = {"type": "array", "minItems": 20, "items": part}
    tried = []
    real = sample_module.findings
    monkeypatch.setattr(sample_module, "findings", lambda *given: tried.append(1) or real(*given))
    sample(read_api(BARE), schema)
    assert len(tried) < 300
