import json

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


def test_what_nothing_makes_is_missing():
    found = service({"/things": {"get": {"responses": {"200": MANY}}}})
    assert reasons(found) == {
        "GET /things": "nothing in the interface makes one, so there is nothing to keep"
    }


def test_what_nothing_shows_again_is_missing():
    found = service({"/things": {"post": {"requestBody": BODY, "responses": {"201": ONE}}}})
    assert reasons(found) == {
        "POST /things": "nothing in the interface shows one again, so there is nothing to keep"
    }


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
