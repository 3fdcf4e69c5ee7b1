"""Values made for schemas are valid, the same each time, and never an exception."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.openapi import DOCUMENTS, read_api

from maestro_dsl.interfaces.chance import hash32, uuid
from maestro_dsl.interfaces.openapi.sample import sample
from maestro_dsl.interfaces.openapi.validate import errors

BARE = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "paths": {"/": {"get": {"responses": {}}}},
}

scalars = st.one_of(
    st.builds(
        lambda low, more: {"type": "string", "minLength": low, "maxLength": low + more},
        st.integers(0, 40),
        st.integers(0, 40),
    ),
    st.sampled_from(["date-time", "date", "time", "uuid", "email", "uri", "ipv4", "ipv6", "hostname"]).map(
        lambda kind: {"type": "string", "format": kind}
    ),
    st.sampled_from([r"^[A-Z]{2}-\d{4}$", r"^#[0-9a-f]{6}$", "^(a|b)+$", r"^\+?[1-9]\d{1,14}$"]).map(
        lambda pattern: {"type": "string", "pattern": pattern}
    ),
    st.builds(
        lambda low, more: {"type": "integer", "minimum": low, "maximum": low + more},
        st.integers(-1000, 1000),
        st.integers(0, 1000),
    ),
    st.integers(1, 50).map(lambda step: {"type": "integer", "multipleOf": step, "minimum": 1}),
    st.just({"type": "boolean"}),
    st.just({"type": ["number", "null"]}),
    st.lists(st.text(max_size=5), min_size=1, max_size=4, unique=True).map(lambda values: {"enum": values}),
)
names = st.sampled_from(["id", "name", "email", "price", "__proto__", "created_at", "tags", "a b", "count"])


def containers(inner):
    return st.one_of(
        st.builds(
            lambda item, low: {"type": "array", "items": item, "minItems": low}, inner, st.integers(0, 4)
        ),
        st.builds(
            lambda properties, count: {
                "type": "object",
                "properties": properties,
                "required": list(properties)[:count],
                "additionalProperties": False,
            },
            st.dictionaries(names, inner, max_size=4),
            st.integers(0, 4),
        ),
        st.lists(inner, min_size=1, max_size=3).map(lambda options: {"anyOf": options}),
        inner.map(lambda item: {"type": "object", "additionalProperties": item}),
    )


@settings(max_examples=150)
@given(schema=st.recursive(scalars, containers, max_leaves=8), seed=st.integers(0, 1000))
def test_values_are_valid_and_repeatable(schema, seed):
    value = sample(read_api(BARE), schema, seed=seed)
    assert errors(read_api(BARE), schema, value) == []
    assert sample(read_api(BARE), schema, seed=seed) == value


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
WORDS = """type properties required items enum const allOf oneOf anyOf not $ref format pattern minimum maximum
minLength maxItems nullable additionalProperties discriminator example default multipleOf if then"""
keywords = st.sampled_from(WORDS.split())


@settings(max_examples=150)
@given(schema=st.dictionaries(keywords, json_values, max_size=5))
def test_senseless_schemas_are_no_exception(schema):
    errors(read_api(BARE), schema, sample(read_api(BARE), schema))


@given(text=st.text())
def test_hashes_are_32_bits_and_identities_are_uuids(text):
    assert 0 <= hash32(text) < 2**32
    assert errors(read_api(BARE), {"type": "string", "format": "uuid"}, uuid(text)) == []


@pytest.mark.needs_data
@pytest.mark.parametrize("document", DOCUMENTS)
def test_component_schemas_of_real_documents_have_valid_values(shared_data, document):
    api = read_api(shared_data / "openapi" / document)
    wrong = [
        (name, direction)
        for name, schema in api.schemas.items()
        for direction in ("response", "request")
        if errors(api, schema, sample(api, schema, seed=7, direction=direction), direction)
    ]
    assert wrong == []


@pytest.mark.needs_data
def test_same_seed_same_bytes_other_seed_other_values(shared_data):
    def made(seed):
        api = read_api(shared_data / "openapi" / "meilisearch.json")
        return json.dumps({name: sample(api, schema, seed=seed) for name, schema in api.schemas.items()})

    assert made(1) == made(1)
    assert made(1) != made(2)
