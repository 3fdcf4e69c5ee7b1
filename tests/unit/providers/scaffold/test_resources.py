import json

import pytest

from maestro_dsl.interfaces.openapi.parse import parse
from maestro_dsl.providers.scaffold.resources import find_service
from maestro_dsl.providers.scaffold.service import Verb

THING = {
    "type": "object",
    "required": ["id", "name"],
    "properties": {"id": {"type": "integer", "readOnly": True}, "name": {"type": "string"}},
}
BODY = {"content": {"application/json": {"schema": THING}}}
ONE = {"description": "", "content": {"application/json": {"schema": THING}}}
MANY = {"description": "", "content": {"application/json": {"schema": {"type": "array", "items": THING}}}}


def service(paths):
    for path, item in paths.items():
        names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        item["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "integer"}} for name in names
        ]
    document = {"openapi": "3.0.3", "info": {"title": "T", "version": "1"}, "paths": paths}
    api, _ = parse(json.dumps(document).encode(), "api.json")
    return find_service(api, "backend_api")


def crud(path):
    return {
        path: {"get": {"responses": {"200": MANY}}, "post": {"requestBody": BODY, "responses": {"201": ONE}}},
        f"{path}/{{thingId}}": {
            "get": {"responses": {"200": ONE}},
            "delete": {"responses": {"204": {"description": ""}}},
        },
    }


def reasons(found):
    return {item.operation.id: item.reason for item in found.missing}


def test_collection_and_item_are_a_resource():
    found = service(crud("/things"))
    (resource,) = found.resources
    assert (resource.noun, resource.table, resource.key, resource.new_key) == (
        "thing",
        "things",
        "id",
        "next_number",
    )
    assert list(resource.steps) == [Verb.LIST, Verb.CREATE, Verb.READ, Verb.DELETE]
    assert not found.missing


def test_a_resource_below_another_knows_its_parent():
    things = crud("/things")
    below = {
        path.replace("/things", "/things/{thingId}/parts").replace("parts/{thingId}", "parts/{partId}"): item
        for path, item in crud("/things").items()
    }
    found = service({**things, **below})
    assert [(item.table, item.parent) for item in found.resources] == [("things", None), ("part", "things")]


def test_a_list_that_nothing_fills_is_read_from_a_file():
    (resource,) = service({"/things": {"get": {"responses": {"200": MANY}}}}).resources
    assert (resource.is_made, resource.is_fixed, resource.seeds) == (False, True, {})


def test_examples_are_what_is_there_at_the_start():
    many = {
        **MANY,
        "content": {
            "application/json": {
                **MANY["content"]["application/json"],
                "example": [{"id": 7, "name": "a"}, {"id": "no"}],
            }
        },
    }
    (resource,) = service({"/things": {"get": {"responses": {"200": many}}}}).resources
    assert resource.seeds == {"": ({"id": 7, "name": "a"},)}


def test_one_that_nothing_makes_or_lists_is_missing():
    found = service({"/things/{thingId}": {"get": {"responses": {"200": ONE}}}})
    assert reasons(found) == {
        "GET /things/{thingId}": "nothing in the interface makes one, and it gives no example of one"
    }


def test_what_is_made_and_never_shown_again_is_kept():
    (resource,) = service({"/things": {"post": {"requestBody": BODY, "responses": {"201": ONE}}}}).resources
    assert list(resource.steps) == [Verb.CREATE]


def test_a_deed_that_answers_with_a_known_thing_makes_none():
    paths = crud("/things")
    paths["/things/{thingId}/copy"] = {"post": {"requestBody": BODY, "responses": {"201": ONE}}}
    assert reasons(service(paths)) == {"POST /things/{thingId}/copy": "its path and answer show no resource"}


SETTINGS = {
    "type": "object",
    "required": ["theme", "size"],
    "properties": {
        "theme": {"type": "string", "default": "light"},
        "size": {"type": "integer", "minimum": 3},
    },
}


def settings(method, schema=SETTINGS):
    answer = {"description": "", "content": {"application/json": {"schema": schema}}}
    body = {"content": {"application/json": {"schema": schema}}}
    one = {"get": {"responses": {"200": answer}}}
    return {
        "/settings": {**one, method: {"requestBody": body, "responses": {"200": answer}}} if method else one
    }


@pytest.mark.parametrize(
    ("method", "verb"), [("put", Verb.REPLACE), ("patch", Verb.PATCH), ("post", Verb.PATCH)]
)
def test_a_single_document_starts_with_its_defaults(method, verb):
    (resource,) = service(settings(method)).resources
    assert (resource.is_single, resource.first) == (True, {"theme": "light", "size": 3})
    assert list(resource.steps) == [Verb.READ, verb]


def test_a_single_document_that_nothing_writes_needs_an_example():
    assert reasons(service(settings(None))) == {
        "GET /settings": "nothing in the interface writes it, and the interface gives no example of it"
    }
    (resource,) = service(settings(None, {**SETTINGS, "example": {"theme": "dark", "size": 4}})).resources
    assert resource.first == {"theme": "dark", "size": 4}


@pytest.mark.parametrize(("answers", "is_made"), [({"200": ONE}, False), ({"200": ONE, "201": ONE}, True)])
def test_a_put_makes_one_only_where_it_says_201(answers, is_made):
    read = {"responses": {"200": ONE}}
    many = {"get": {"responses": {"200": MANY}}}
    paths = {
        "/things": many,
        "/things/{thingId}": {"get": read, "put": {"requestBody": BODY, "responses": answers}},
    }
    (resource,) = service(paths).resources
    assert resource.is_made is is_made


def test_searches_bulk_creates_and_deletes_of_all():
    paths = crud("/things")
    many = {"content": {"application/json": {"schema": {"type": "array", "items": THING}}}}
    asked = {"name": "name", "in": "query", "required": True, "schema": {"type": "string"}}
    paths["/things/findByName"] = {"get": {"responses": {"200": MANY}}}
    paths["/things/findByName"]["get"]["parameters"] = [asked]
    paths["/things/batch"] = {"post": {"requestBody": many, "responses": {"201": MANY}}}
    paths["/things"]["delete"] = {"responses": {"204": {"description": ""}}}
    found = service(paths)
    assert [step.verb for step in found.resources[0].all_steps] == [
        Verb.LIST, Verb.FIND, Verb.CREATE, Verb.READ, Verb.BULK, Verb.DELETE, Verb.CLEAR,
    ]  # fmt: skip
    assert not found.missing


def test_a_search_that_asks_for_something_unknown_is_missing():
    paths = crud("/things")
    unknown = {"name": "mood", "in": "query", "required": True, "schema": {"type": "string"}}
    known = {"name": "name", "in": "query", "schema": {"type": "string"}}
    paths["/things/search"] = {"get": {"responses": {"200": MANY}, "parameters": [unknown, known]}}
    assert reasons(service(paths)) == {
        "GET /things/search": "it must be asked with mood, and what that means cannot be told"
    }


def test_a_post_on_one_changes_the_fields_that_it_names():
    paths = crud("/things")
    named = {"name": "name", "in": "query", "schema": {"type": "string"}}
    paths["/things/{thingId}"]["post"] = {"parameters": [named], "responses": {"200": ONE}}
    found = service(paths)
    assert Verb.AMEND in found.resources[0].steps


def test_other_bodies_and_answers_are_missing():
    paths = crud("/things")
    upload = {"content": {"multipart/form-data": {"schema": {"type": "object"}}}}
    paths["/things/{thingId}/photo"] = {
        "put": {"requestBody": upload, "responses": {"204": {"description": ""}}},
        "get": {"responses": {"200": {"description": "", "content": {"image/png": {}}}}},
    }
    assert reasons(service(paths)) == {
        "PUT /things/{thingId}/photo": "its body is multipart/form-data, not JSON",
        "GET /things/{thingId}/photo": "it answers image/png, not JSON",
    }


def test_an_answer_with_a_field_that_nothing_explains_is_missing():
    paths = crud("/things")
    receipt = {
        **THING,
        "required": ["id", "name", "receipt"],
        "properties": {**THING["properties"], "receipt": {"type": "string", "pattern": "^R-[0-9]+$"}},
    }
    paths["/things/{thingId}"]["get"]["responses"]["200"] = {
        "description": "", "content": {"application/json": {"schema": receipt}},
    }  # fmt: skip
    assert (
        reasons(service(paths))["GET /things/{thingId}"]
        == 'nothing says what "receipt" of its answer should be'
    )
