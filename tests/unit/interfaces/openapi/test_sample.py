"""Limits of what is made for schemas that ask for too much."""

import pytest
from support.openapi import read_api

from maestro_dsl.interfaces.openapi.sample import sample

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
