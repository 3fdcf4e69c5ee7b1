"""Pages of a list: what the parameters want, and how a list says whether there is more."""

import pytest
from support.asgi import Client
from support.openapi import read_api

from maestro_dsl.interfaces.openapi.paging import cut, ended, told
from maestro_dsl.interfaces.openapi.serve import mock_app

ITEMS = {name: {"id": name} for name in "abcde"}


@pytest.mark.parametrize(
    ("query", "names", "last"),
    [
        ({}, "abcde", None),
        ({"limit": 2}, "ab", "b"),
        ({"limit": 2, "page": 3}, "e", None),
        ({"limit": 2, "offset": 2}, "cd", "d"),
        ({"limit": 2, "starting_after": "b"}, "cd", "d"),
        ({"limit": 3, "cursor": "b"}, "cde", None),
        ({"limit": 2, "cursor": "unknown"}, "ab", "b"),
        ({"limit": 0}, "", None),
        ({"offset": 9}, "", None),
    ],
)
def test_a_query_chooses_a_page(query, names, last):
    page = cut(ITEMS, query)
    assert ("".join(item["id"] for item in page.items), page.last, page.total) == (names, last, 5)


def test_a_list_says_whether_there_is_more():
    base = {"has_more": True, "next_cursor": "x", "next": "https://example.com", "total": 1, "count": "many"}
    first, final = cut(ITEMS, {"limit": 2}), cut(ITEMS, {})
    assert told(base, "data", first) == {"total": 5, "has_more": True, "next_cursor": "b"}
    assert told(base, "data", final) == {"total": 5, "has_more": False}
    assert ended(base, first, lambda _: True) == base
    assert ended(base, final, lambda _: True) == {**base, "next_cursor": None, "next": None}
    strict = ended(base, final, lambda value: None not in value.values() and "next" in value)
    assert strict == {name: value for name, value in {**base, "next": ""}.items() if name != "next_cursor"}


def test_a_caller_who_follows_the_cursor_sees_everything_once():
    item = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
    properties = {
        "data": {"type": "array", "items": item},
        "has_more": {"type": "boolean"},
        "next_cursor": {"type": ["string", "null"]},
    }
    listed = {"type": "object", "required": list(properties), "properties": properties}
    parameters = [
        {"name": "limit", "in": "query", "schema": {"type": "integer", "default": 2}},
        {"name": "cursor", "in": "query", "schema": {"type": "string"}},
    ]

    def answer(status, schema):
        return {status: {"description": "x", "content": {"application/json": {"schema": schema}}}}

    one = {"parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]}
    api = read_api(
        {
            "openapi": "3.1.0",
            "paths": {
                "/things": {
                    "get": {"parameters": parameters, "responses": answer("200", listed)},
                    "post": {
                        "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
                        "responses": answer("201", item),
                    },
                },
                "/things/{id}": {**one, "get": {"responses": answer("200", item)}},
            },
        }
    )
    client = Client(mock_app(api))
    for _ in range(4):
        client("POST", "/things", {})
    seen, target = [], "/things"
    while target is not None:
        body = client("GET", target)[2]
        seen += [entry["id"] for entry in body["data"]]
        assert body["has_more"] == (body["next_cursor"] is not None)
        target = f"/things?cursor={body['next_cursor']}" if body["has_more"] else None
    assert len(seen) == len(set(seen)) == 7
