import json

import pytest
from support.openapi import DOCUMENTS, TODO, read_api

from maestro_dsl.diagnostics import Severity
from maestro_dsl.interfaces.openapi.parse import parse

COUNTS = (296, 4, 113, 4, 3, 3, 10, 25, 15, 8, 97, 19)


def refusal(content):
    api, diagnostics = parse(content, "api.yaml")
    assert api is None
    (finding,) = diagnostics
    assert (finding.code, finding.severity) == ("CTR001", Severity.ERROR)
    return finding.message.removeprefix("api.yaml is no OpenAPI document that can be served: ")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"[]", "it holds a list, not a mapping"),
        (b"hello", "it holds a single value, not a mapping"),
        (b"a: 1", 'the key "openapi" with the version is missing; found "a"'),
        (b'swagger: "2.0"', "it is Swagger 2.0; OpenAPI 3.0 or 3.1 is needed"),
        (b'openapi: "4.0"', 'its version is "4.0"; OpenAPI 3.0 or 3.1 is needed'),
        (b"openapi: 3.0.0\npaths: []\n", "it describes no operation that can be served"),
        (b"openapi: 3.1.0\nwebhooks: {}\npaths: null\n", "it describes no operation that can be served"),
    ],
)
def test_what_is_no_openapi_is_refused_in_one_sentence(content, reason):
    assert refusal(content) == reason


def test_parameters_of_the_path_are_merged_and_references_followed():
    api = read_api(TODO)
    operation = api.operation("getList")
    assert [(item.name, item.location, item.required) for item in operation.parameters] == [
        ("listId", "path", True)
    ]
    assert list(operation.responses) == ["200", "404", "default"]
    assert operation.responses["404"].json.schema == {"$ref": "#/components/schemas/Error"}
    assert api.base_paths == ("/api/v1",)


def test_numbers_as_status_keys_are_read_as_text():
    api = read_api(
        "openapi: 3.0.0\npaths:\n  /a:\n    get:\n      responses:\n        200: {description: ok}\n"
    )
    assert api.operations[0].success.status == "200"
    assert api.operations[0].id == "GET /a"


def test_dirty_input_warns_and_is_served():
    document = {
        "openapi": "3.1.0",
        "info": None,
        "servers": [{"url": None}, "x"],
        "paths": {
            "/a": {"get": {"operationId": "same", "parameters": [{"in": "query"}, {"$ref": "#/none"}]}},
            "/b": {"get": {"operationId": "same", "responses": {"wrong": {}, "200": None}}, "post": 5},
            "/c": None,
            "x-internal": {"a": 1},
        },
        "components": None,
    }
    api, diagnostics = parse(json.dumps(document).encode(), "api.json")
    assert [operation.id for operation in api.operations] == ["same", "GET /b"]
    assert api.base_paths == ("",)
    assert {item.severity for item in diagnostics} == {Severity.WARNING}
    assert len(diagnostics) == 7


def test_endless_and_dangling_references_are_none():
    document = {"openapi": "3.0.0", "paths": {"/a": {"get": {}}}, "x": {"$ref": "#/x"}}
    api = read_api(document)
    assert api.deref({"$ref": "#/x"}) is None
    assert api.deref({"$ref": "https://example.com/x.yaml"}) is None


def test_references_that_lead_away_or_nowhere_are_named():
    text = "openapi: 3.0.0\npaths: {/a: {get: {}}}\nx: [{$ref: 'other.yaml#/A'}, {$ref: '#/gone'}]\n"
    _, diagnostics = parse(text.encode(), "api.yaml")
    anything = "what it stands for may be anything"
    assert [(item.span.line, item.span.column, item.message) for item in diagnostics] == [
        (3, 12, f'the reference "other.yaml#/A" leads out of this file and is not followed; {anything}'),
        (3, 37, f'the reference "#/gone" leads nowhere; {anything}'),
    ]


def test_findings_stand_on_what_is_wrong_in_yaml_and_in_json():
    def places(text):
        return [(item.span.line, item.span.column) for item in parse(text.encode(), "api")[1]]

    assert places('swagger: "2.0"\n') == [(1, 10)]
    twice = "{get: {operationId: a, responses: {'200': {description: ok}}}}"
    assert places(f"openapi: 3.0.0\npaths:\n  /a: {twice}\n  /b: {twice}\n") == [(4, 27)]
    assert places('{"openapi": "3.0.0",\n "paths": {"/a": {"get": {"parameters": [{}]}}}}') == [(2, 27)]


@pytest.mark.needs_data
@pytest.mark.parametrize(("document", "count"), list(zip(DOCUMENTS, COUNTS, strict=True)))
def test_real_documents_are_read_whole(shared_data, document, count):
    assert len(read_api(shared_data / "openapi" / document).operations) == count


def test_a_reference_that_leads_nowhere_names_the_part_that_is_near():
    text = (
        b"openapi: 3.0.3\npaths:\n  /a:\n    get:\n      responses:\n        '200':\n"
        b"          content: {application/json: {schema: {$ref: '#/components/schemas/Itme'}}}\n"
        b"components: {schemas: {Item: {type: object}}}\n"
    )
    _, (found,) = parse(text, "api.yaml")
    assert found.help == 'did you mean "#/components/schemas/Item"?'
