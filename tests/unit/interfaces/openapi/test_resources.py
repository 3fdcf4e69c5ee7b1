import pytest
from support.openapi import TODO, read_api

from maestro_dsl.interfaces.openapi.resources import find_resources
from maestro_dsl.interfaces.openapi.shapes import ref_name


def shown(api):
    return {
        item.item_path: (item.id_property, item.list_key, ref_name(item.schema), list(item.operations))
        for item in find_resources(api)
    }


def test_resources_of_the_example():
    assert shown(read_api(TODO)) == {
        "/lists/{listId}": ("id", None, "TaskList", ["list", "create", "read", "replace", "delete"]),
        "/tasks/{taskId}": ("id", None, "Task", ["list", "create", "read", "replace", "patch", "delete"]),
    }


@pytest.mark.needs_data
def test_items_in_an_envelope_and_nested_collections(shared_data):
    found = shown(read_api(shared_data / "openapi" / "box.json"))
    assert found["/users/{user_id}"] == (
        "id",
        "entries",
        "User--Full",
        ["list", "create", "read", "replace", "delete"],
    )
    assert found["/users/{user_id}/email_aliases/{email_alias_id}"][0] == "id"
    assert len(found) > 40


def test_an_envelope_named_like_the_parameter_holds_no_identity():
    address = {"type": "object", "properties": {"ip": {"type": "string"}}}
    schema = {"type": "object", "properties": {"address": address, "id": {"type": "string"}}}
    one = {"200": {"description": "one", "content": {"application/json": {"schema": schema}}}}
    named = {"name": "address", "in": "path", "required": True, "schema": {"type": "string"}}
    paths = {"/addresses/{address}": {"parameters": [named], "get": {"responses": one}}}
    (found,) = find_resources(read_api({"openapi": "3.0.3", "info": {}, "paths": paths}))
    assert found.id_property == "id"
