"""Request bodies as bytes: what the verifier sends is what the mock reads."""

import pytest
from support.openapi import read_api

from maestro_dsl.interfaces.openapi.inputs import Request, read
from maestro_dsl.interfaces.openapi.written import writable, written

BODY = {"title": "Plan", "file": "content", "labels": ["a", "b"], "size": 3}
SCHEMA = {
    "type": "object",
    "required": ["title", "file"],
    "properties": {
        "title": {"type": "string"},
        "file": {"type": "string", "format": "binary"},
        "labels": {"type": "array", "items": {"type": "string"}},
        "size": {"type": "integer"},
    },
}


def operation_of(content):
    paths = {
        "/u": {"post": {"requestBody": {"content": content}, "responses": {"200": {"description": "x"}}}}
    }
    api = read_api({"openapi": "3.0.3", "paths": paths})
    return api, api.operations[0]


@pytest.mark.parametrize(
    ("kind", "schema", "body"),
    [
        ("application/json", SCHEMA, BODY),
        ("application/x-www-form-urlencoded", SCHEMA, {"title": "a b&c", "file": "é", "size": 3}),
        ("multipart/form-data", SCHEMA, BODY),
        ("application/xml", {**SCHEMA, "xml": {"name": "thing"}}, BODY),
        ("text/plain", {"type": "string"}, "a note"),
    ],
)
def test_a_written_body_is_read_as_it_was(kind, schema, body):
    api, operation = operation_of({kind: {"schema": schema}})
    media = writable(operation)
    stated, content = written(api, media, body)
    headers = {"content-type": stated}
    request = Request(method="POST", raw_path="/u", query_string="", headers=headers, body=content)
    found = read(api, operation, request, {})
    assert (found.violations, found.unsupported, found.body) == ([], False, body)


def test_a_file_has_a_name_and_the_first_type_that_is_allowed():
    encoding = {"file": {"contentType": "application/pdf, image/png"}}
    api, operation = operation_of({"multipart/form-data": {"schema": SCHEMA, "encoding": encoding}})
    _, content = written(api, writable(operation), {"file": "x"})
    assert b'name="file"; filename="maestro.bin"\r\nContent-Type: application/pdf\r\n\r\nx\r\n' in content


def test_json_goes_first_and_what_cannot_be_written_is_left():
    kinds = {"image/png": {}, "text/csv": {}, "multipart/form-data": {}, "application/json": {}}
    assert writable(operation_of(kinds)[1]).media_type == "application/json"
    assert writable(operation_of({"image/png": {}, "text/csv": {}})[1]).media_type == "text/csv"
    assert writable(operation_of({"image/png": {}})[1]) is None
