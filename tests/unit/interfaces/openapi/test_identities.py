"""Items have identities that can be asked for, and those that the document shows exist."""

import pytest
from support.openapi import read_api

from maestro_dsl.interfaces.openapi.decide import Interpreter
from maestro_dsl.interfaces.openapi.inputs import Request
from maestro_dsl.interfaces.openapi.table import Table


def shelf(shown, asked, **parameter):
    schema = {"type": "object", "required": ["id"], "properties": {"id": shown, "note": {"type": "string"}}}
    content = {"application/json": {"schema": schema}}
    listed = {"application/json": {"schema": {"type": "array", "items": schema}}}
    missing = {"description": "no"}
    named = {"name": "who", "in": "path", "required": True, "schema": asked, **parameter}
    paths = {
        "/staff": {
            "get": {"responses": {"200": {"description": "all", "content": listed}}},
            "post": {
                "requestBody": {"content": content},
                "responses": {"201": {"description": "made", "content": content}},
            },
        },
        "/staff/{who}": {
            "parameters": [named],
            "get": {"responses": {"200": {"description": "one", "content": content}, "404": missing}},
        },
    }
    return Interpreter(Table(read_api({"openapi": "3.1.0", "info": {}, "paths": paths})))


def get(interpreter, path):
    return interpreter.answer(Request(method="GET", raw_path=path))


@pytest.mark.parametrize(
    ("shown", "asked"),
    [
        ({"type": "string"}, {"type": "string", "format": "email"}),
        ({"type": "string"}, {"type": "string", "format": "uuid"}),
        ({"type": "string"}, {"type": "string", "pattern": "^[A-Z]{4}$"}),
        ({"type": "integer"}, {"type": "integer"}),
        ({"type": "string", "pattern": "^s-[0-9]{3}$"}, {"type": "string"}),
    ],
    ids=["email", "uuid", "pattern", "number", "property"],
)
def test_every_item_can_be_asked_for(shown, asked):
    interpreter = shelf(shown, asked)
    items = get(interpreter, "/staff").body
    assert len(items) == 3
    for item in items:
        answer = get(interpreter, f"/staff/{item['id']}")
        assert (answer.status, answer.body) == (200, item)


@pytest.mark.parametrize(
    "shown",
    [
        {"example": 4711},
        {"schema": {"type": "integer", "example": 4711}},
        {"schema": {"type": "integer", "examples": ["?", 4711]}},
        {"examples": {"odd": {"value": "x"}, "usual": {"value": 4711}}},
    ],
)
def test_the_item_that_the_document_asks_for_exists(shown):
    interpreter = shelf({"type": "integer"}, {"type": "integer"}, **shown)
    assert get(interpreter, "/staff/4711").body["id"] == 4711
    assert get(interpreter, "/staff/4712").status == 404
    assert [item["id"] for item in get(interpreter, "/staff").body] == [4711, 1, 2]


def test_a_star_alone_is_any_media_type():
    response = {"200": {"description": "x", "content": {"*": {"schema": {"type": "string"}}}}}
    api = read_api({"openapi": "3.0.0", "info": {}, "paths": {"/file": {"get": {"responses": response}}}})
    assert get(Interpreter(Table(api)), "/file").status == 200
