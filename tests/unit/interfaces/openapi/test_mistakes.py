"""What OpenAPI documents get wrong by their specification, and what looks like it and is right."""

import copy
from pathlib import Path

import pytest
import yaml

from maestro_dsl.app import lint
from maestro_dsl.interfaces.openapi.mistakes import mistakes

ITEM = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
CORRECT = {
    "openapi": "3.0.3",
    "info": {"title": "Shop", "version": "1"},
    "paths": {
        "/items/{id}": {
            "parameters": [ITEM],
            "get": {"operationId": "getItem", "responses": {"200": {"description": "ok"}}},
        }
    },
    "components": {"schemas": {"Item": {"type": "object"}}},
}
GET = ("paths", "/items/{id}", "get")
CONTRACT = """apiVersion: maestro/v1
kind: Contract
id: api
name: API
type: REST_API
interface_spec: {type: openapi, spec_file: api.yaml}
provider_persona_id: maker
deliverables: [{name: service, artifacts: ["*.py"]}]
"""


def changed(*changes, version="3.0.3"):
    """Return the correct document with values set at pointers; None takes the key away."""
    document = copy.deepcopy(CORRECT) | {"openapi": version}
    for pointer, value in changes:
        *way, last = pointer
        node = document
        for step in way:
            node = node[step] if isinstance(step, int) else node.setdefault(step, {})
        if value is None:
            del node[last]
        else:
            node[last] = value
    return document


def told(document):
    return [item.message for item in mistakes(document)]


def item(schema):
    return (("components", "schemas", "Item"), schema)


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0", "3.2.0"])
def test_a_correct_document_has_none(version):
    assert told(changed(version=version)) == []


@pytest.mark.parametrize(
    ("change", "message", "help_text"),
    [
        (((*GET[:2], "gett"), {}), 'unknown key "gett" in a path item', "allowed: summary, "),
        (((*GET[:2], "tags"), []), 'unknown key "tags" in a path item', "allowed: summary, "),
        (
            ((*GET[:2], "POST"), {"responses": {}}),
            'unknown key "POST" in a path item',
            'did you mean "post"? ',
        ),
        (((*GET, "sumary"), "x"), 'unknown key "sumary" in an operation', 'did you mean "summary"? '),
        (((*GET, "responses"), None), 'an operation needs "responses"', "say what"),
        (((*GET, "responses", "200"), {}), 'a response needs "description"', "add"),
        ((("components", "schema"), {}), None, None),  # `schemas` is there: nobody meant it
        ((("info",), None), 'an OpenAPI document needs "info"', "add info"),
        ((("info", "version"), None), 'info needs "version"', None),
        (
            (("info",), {"titel": "a", "version": "1"}),
            'unknown key "titel" in info',
            'did you mean "title"? ',
        ),
        (
            item({"type": "objekt"}),
            '"objekt" is no type of a schema',
            'did you mean "object"? types: string, ',
        ),
        (item({"type": "file"}), '"file" is no type of a schema', "types: string, "),
        (item({"type": "null"}), 'the type "null" is for OpenAPI 3.1 and later', "nullable: true"),
        (item({"type": ["string"]}), "a list of types is for OpenAPI 3.1 and later", "write one type"),
        (item({"requird": ["a"]}), 'unknown key "requird" in a schema', 'did you mean "required"?'),
        (item({"ref": "#/components/x"}), 'unknown key "ref" in a schema', 'did you mean "$ref"?'),
        (item({"readonly": True}), 'unknown key "readonly" in a schema', 'did you mean "readOnly"?'),
        (
            item({"allOf": [{"items": {"tpye": "string"}}]}),
            'unknown key "tpye" in a schema',
            'did you mean "type"?',
        ),
        (
            (("components", "securitySchemes", "key"), {"type": "apikey", "name": "k", "in": "header"}),
            '"apikey" is no value of type',
            'did you mean "apiKey"? ',
        ),
        (
            (("components", "parameters", "p"), {"name": "p", "in": "qery"}),
            '"qery" is no value of in',
            'did you mean "query"? allowed: query, header, path, cookie',
        ),
        ((("components", "parameters", "p"), {"in": "query"}), 'a parameter needs "name"', None),
        (
            (("components", "parameters", "p"), {"name": 5, "in": "query"}),
            "the name of a parameter must be text",
            None,
        ),
        (((*GET, "parameters"), ["id"]), "a parameter must be a mapping", "write"),
        (((*GET, "parameters"), [{"$ref": "#/info"}]), '"#/info" leads to no parameter', None),
        (((*GET[:2], "parameters", 0, "required"), None), "a path parameter needs required: true", None),
        (((*GET[:2], "parameters"), []), 'the path parameter "id" is not declared', "declare it"),
        (
            ((*GET[:2], "parameters", 0, "in"), "query"),
            'the path parameter "id" is not declared',
            "it is declared in query; write in: path",
        ),
        (
            ((*GET[:2], "parameters", 0, "name"), "idd"),
            'the path "/items/{id}" has no parameter "idd"',
            'did you mean "id"? in the path: {id}',
        ),
        (
            (("paths", "/items/{name}"), {}),
            'this is the path "/items/{id}" but for the names in it; nobody can tell them apart',
            None,
        ),
        (
            (("paths", "/a"), {"get": {"operationId": "getItem", "responses": {}}}),
            'the operationId "getItem" is used twice; it must be unique in the document',
            None,
        ),
    ],
)
def test_one_mistake_is_told_once(change, message, help_text):
    found = [(item.message, item.help) for item in mistakes(changed(change))]
    assert [text for text, _ in found] == ([] if message is None else [message])
    assert help_text is None or found[0][1].startswith(help_text)


@pytest.mark.parametrize(
    "changes",
    [
        [
            item(
                {
                    "properties": {
                        "requird": {},
                        "tpye": {"type": "string"},
                        "x-a": {},
                        "$ref": {"type": "string"},
                    }
                }
            )
        ],
        [item({"example": {"tpye": "objekt"}, "default": {"tpye": 1}, "enum": [{"tpye": 1}]})],
        [item({"x-tpye": "a", "discriminator": {"propertyName": "a", "mapping": {"propertyNam": "b"}}})],
        [item({"optional": True, "kind": "a", "note": "b", "id": "c", "label": "d", "value": 1})],
        [item({"$ref": "#/components/schemas/Other", "descripton": "beside a reference"})],
        [item({"type": "object", "required": ["nobody"]})],
        [((*GET, "produces"), ["a"]), ((*GET, "x-respones"), 1)],
        [((*GET, "responses", "200", "headers", "tpye"), {"schema": {"type": "string"}})],
        [((*GET, "responses", "x-note"), {"a": 1}), (("paths", "x-note"), {"gett": {}})],
        [((*GET, "responses", "200"), {"$ref": "#/nowhere"})],
        [((*GET[:2], "parameters", 0), {"$ref": "#/nowhere"})],
        [((*GET[:2], "parameters", 0), {"$ref": "other.yaml#/a"})],
        [(("paths", "/a"), {}), (("paths", "/a/"), {}), (("paths", "/acl/{id}"), {"summary": "hidden"})],
        [(("paths", "/a/{x*}"), {"get": {"parameters": [ITEM | {"name": "x"}], "responses": {}}})],
    ],
)
def test_what_is_right_or_nobodys_business_is_silent(changes):
    assert told(changed(*changes)) == []


def test_a_misspelt_key_is_not_missing_too():
    document = changed((("info",), None), (("inof",), {"title": 1}))
    assert told(document) == ['unknown key "inof" in an OpenAPI document']


def test_newer_versions_may_more():
    lists = [item({"type": ["string", "null"], "examples": [1]}), ((*GET, "responses"), None)]
    assert told(changed(*lists, version="3.1.0")) == []
    more = [((*GET[:2], "query"), {}), ((*GET, "responses", "200"), {})]
    assert told(changed(*more, version="3.2.0")) == []
    assert told(changed(more[0], version="3.1.0")) == ['unknown key "query" in a path item']
    assert told(changed(item({"type": ["strng"]}), version="3.1.0")) == ['"strng" is no type of a schema']


def test_only_some_operations_lack_a_parameter():
    path = {
        "get": {"parameters": [ITEM], "responses": {}},
        "put": {"responses": {}},
        "post": {"responses": {}},
    }
    assert told(changed((("paths", "/a/{id}"), path))) == [
        'the path parameter "id" is not declared by PUT and POST'
    ]


def test_shared_and_endless_parts_are_looked_at_once():
    shared = {"type": "objekt"}
    shared["properties"] = {"again": shared}
    document = changed(item({"properties": {"a": shared, "b": shared}}))
    assert told(document).count('"objekt" is no type of a schema') == 1


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("api.contract.yaml").write_text(CONTRACT)
    return tmp_path


def places(text):
    Path("api.yaml").write_text(text)
    return [
        (item.span.line, item.span.column, item.span.end_column, item.severity.value)
        for item in lint([], environ={}).diagnostics
    ]


@pytest.mark.usefixtures("folder")
def test_lint_points_at_the_token_itself():
    head = "openapi: 3.0.3\ninfo: {title: a, version: b}\npaths:\n"
    operation = "    get: {parameters: [{name: q, in: qery}], responses: {}}\n"
    assert places(f"{head}  '/a/{{id}}':\n{operation}") == [(4, 7, 11, "warning"), (5, 38, 42, "warning")]
    assert places(f"{head}  /a/{{id}}:\n{operation}") == [(4, 6, 10, "warning"), (5, 38, 42, "warning")]
    assert places(f"{head}  /a:\n    gett: {{}}\n    put: {{responses: {{}}}}\n") == [(5, 5, 9, "warning")]


@pytest.mark.usefixtures("folder")
def test_an_operation_id_that_is_used_twice_is_one_finding_with_the_first_place():
    document = changed((("paths", "/b"), {"get": {"operationId": "getItem", "responses": {}}}))
    Path("api.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    found = list(lint([], environ={}).diagnostics)
    assert len(found) == 1
    assert found[0].related[0].message == "first used here"
    assert found[0].related[0].span < found[0].span


@pytest.mark.usefixtures("folder")
def test_a_document_that_nothing_is_served_of_tells_why():
    document = changed(((*GET[:2], "get"), None), ((*GET[:2], "gett"), {}))
    Path("api.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    assert [item.severity.value for item in lint([], environ={}).diagnostics] == ["error", "warning"]


@pytest.mark.usefixtures("folder")
def test_of_very_many_mistakes_the_first_are_told():
    schemas = {f"S{number}": {"type": "strng"} for number in range(1000)}
    document = changed((("components", "schemas"), schemas))
    Path("api.yaml").write_text(yaml.safe_dump(document))
    found = list(lint([], environ={}).diagnostics)
    assert len(found) == 201
    assert found[-1].is_more


@pytest.mark.usefixtures("folder")
def test_what_stands_in_another_file_is_told_with_the_way_to_it():
    head = 'openapi: 3.0.3\ninfo: {title: a, version: b}\npaths:\n  /a: {$ref: "other.yaml#/a"}\n'
    operation = "{get: {operationId: x, parameters: [{name: q, in: qery}], responses: {}}}\n"
    Path("other.yaml").write_text(f"a: {operation}")
    Path("api.yaml").write_text(f"{head}  /b: {operation}")
    found = [(item.span.line, item.message) for item in lint([], environ={}).diagnostics]
    assert found == [
        (1, 'paths//a/get/parameters/0/in: "qery" is no value of in'),
        (5, 'the operationId "x" is used twice; it must be unique in the document'),
        (5, '"qery" is no value of in'),
    ]
