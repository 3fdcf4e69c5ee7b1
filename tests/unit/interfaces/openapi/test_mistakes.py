"""What OpenAPI documents get wrong by their specification, and what looks like it and is right."""

import copy
from pathlib import Path

import pytest
import yaml

from maestro_dsl.app import lint
from maestro_dsl.interfaces.openapi.mistakes import mistakes
from maestro_dsl.interfaces.openapi.parse import parse

ITEM = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
QUERY = {"name": "q", "in": "query", "schema": {}}
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
ANY = {"default": {"description": "whatever it is"}}
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
            ((*GET[:2], "POST"), {"responses": ANY}),
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
            (("components", "parameters", "p"), QUERY | {"in": "qery"}),
            '"qery" is no value of in',
            'did you mean "query"? allowed: query, header, path, cookie',
        ),
        (
            (("components", "parameters", "p"), {"in": "query", "schema": {}}),
            'a parameter needs "name"',
            None,
        ),
        (
            (("components", "parameters", "p"), QUERY | {"name": 5}),
            '"name" must be text, not the number 5',
            'write "5" where text is meant',
        ),
        (((*GET, "parameters"), ["id"]), 'a parameter must be a mapping, not the text "id"', "write"),
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
            (("paths", "/a"), {"get": {"operationId": "getItem", "responses": ANY}}),
            'the operationId "getItem" is used twice; it must be unique in the document',
            None,
        ),
    ],
)
def test_one_mistake_is_told_once(change, message, help_text):
    found = [(item.message, item.help) for item in mistakes(changed(change))]
    assert [text for text, _ in found] == ([] if message is None else [message])
    assert help_text is None or found[0][1].startswith(help_text)


SCHEME = ("components", "securitySchemes", "key")
BODY = (*GET, "requestBody")
LINK = (*GET, "responses", "200", "links", "next")


@pytest.mark.parametrize(
    ("change", "message", "help_text"),
    [
        ((("paths",), None), 'an OpenAPI document needs "paths"', "add paths"),
        ((("info", "title"), None), 'info needs "title"', None),
        ((("info", "license"), {}), 'the license needs "name"', "add name"),
        ((("servers",), [{}]), 'a server needs "url"', None),
        (
            (("servers",), [{"url": "/{a}", "variables": {"a": {}}}]),
            'a server variable needs "default"',
            "add default",
        ),
        ((("tags",), [{"description": "x"}]), 'a tag needs "name"', None),
        ((("externalDocs",), {}), 'externalDocs needs "url"', None),
        ((BODY, {}), 'a request body needs "content"', "add content"),
        (((*GET, "responses"), {}), "responses needs at least one status", "add default"),
        (
            ((*GET, "parameters"), [{"name": "q", "in": "query"}]),
            'a parameter needs "schema" or "content"',
            "add",
        ),
        (
            ((*GET, "parameters"), [QUERY | {"content": {"text/plain": {}}}]),
            'a parameter has "schema" or "content", not both',
            None,
        ),
        (
            ((*GET, "responses", "200", "headers"), {"X-Rate": {}}),
            'a header needs "schema" or "content"',
            "add schema",
        ),
        ((LINK, {}), 'a link needs "operationRef" or "operationId"', None),
        (
            (LINK, {"operationRef": "#/a", "operationId": "a"}),
            'a link has "operationRef" or "operationId", not both',
            None,
        ),
        (
            ((*BODY, "content"), {"text/plain": {"example": 1, "examples": {}}}),
            'a media type has "example" or "examples", not both',
            None,
        ),
        ((SCHEME, {}), 'a security scheme needs "type"', "add type"),
        ((SCHEME, {"type": "apiKey", "in": "header"}), 'a security scheme needs "name"', None),
        ((SCHEME, {"type": "http"}), 'a security scheme needs "scheme"', "add scheme"),
        ((SCHEME, {"type": "oauth2"}), 'a security scheme needs "flows"', None),
        ((SCHEME, {"type": "openIdConnect"}), 'a security scheme needs "openIdConnectUrl"', None),
        (
            (SCHEME, {"type": "oauth2", "flows": {"implicit": {"scopes": {}}}}),
            'an implicit flow needs "authorizationUrl"',
            None,
        ),
        (
            (SCHEME, {"type": "oauth2", "flows": {"password": {"tokenUrl": "/t"}}}),
            'a password flow needs "scopes"',
            None,
        ),
        (
            (SCHEME, {"type": "oauth2", "flows": {"implict": {}}}),
            'unknown key "implict" in flows',
            'did you mean "implicit"? ',
        ),
        (item({"type": "array"}), 'a schema needs "items"', "add items"),
        (item({"discriminator": {}}), 'a discriminator needs "propertyName"', None),
        (item({"discriminator": "kind"}), '"discriminator" must be a mapping, not the text "kind"', None),
        ((("components", "schemas", "A b"), {}), '"A b" is no name of a component', "allowed: letters"),
    ],
)
def test_what_is_missing_or_too_much_is_told_once(change, message, help_text):
    found = [(item.message, item.help) for item in mistakes(changed(change))]
    assert [text for text, _ in found] == [message]
    assert found[0][1] is help_text or found[0][1].startswith(help_text)


@pytest.mark.parametrize(
    ("status", "guess"),
    [
        ("20O", 'did you mean "200"? '),
        ("2xx", 'did you mean "2XX"? '),
        ("Default", 'did you mean "default"? '),
        ("20X", ""),
        ("600", ""),
        ("099", ""),
        ("2000", ""),
        ("ok", ""),
        ("204 ", 'did you mean "204"? '),
    ],
)
def test_a_key_of_responses_that_is_no_status(status, guess):
    [found] = mistakes(changed(((*GET, "responses", status), {"description": "x"})))
    assert (found.pointer, found.is_key) == ((*GET, "responses", status), True)
    assert found.message == f'"{status}" is no status of an answer'
    assert found.help == f"{guess}allowed: 100 to 599, 1XX to 5XX, default"


@pytest.mark.parametrize("status", ["100", "2XX", "599", "default", "x-200"])
def test_what_is_a_status(status):
    assert told(changed(((*GET, "responses", status), {"description": "x"}))) == []


@pytest.mark.parametrize(
    ("change", "message", "help_text"),
    [
        (((*GET, "tags"), "a"), '"tags" must be a list, not the text "a"', "write [a]"),
        (((*GET, "tags"), ["a", 1]), 'what "tags" holds must be text, not the number 1', None),
        (
            ((*GET, "deprecated"), "true"),
            '"deprecated" must be true or false, not the text "true"',
            "write true",
        ),
        (((*GET, "responses"), []), '"responses" must be a mapping, not a list', None),
        (((*GET, "responses", "200"), "ok"), 'a response must be a mapping, not the text "ok"', "write"),
        (((*GET, "parameters"), {"id": 1}), '"parameters" must be a list, not a mapping', "begin each"),
        ((("info", "version"), 1.0), '"version" must be text, not the number 1.0', "write it in quotes"),
        ((("info", "contact"), "me"), '"contact" must be a mapping, not the text "me"', None),
        ((("servers",), {"url": "/"}), '"servers" must be a list, not a mapping', "begin each"),
        (item("string"), 'a schema must be a mapping, not the text "string"', "write {type: string}"),
        (
            item({"properties": {"a": "int"}}),
            'a schema must be a mapping, not the text "int"',
            "write {type: …}",
        ),
        (item({"properties": {"a": True}}), "a schema must be a mapping, not true", "true and false are"),
        (item({"items": ["a"]}), '"items" must be a schema, not a list', "write {type"),
        (item({"required": True}), '"required" must be a list, not true', "list the names"),
        (item({"maxLength": "5"}), '"maxLength" must be a number, not the text "5"', "write 5 without"),
        (item({"enum": "a"}), '"enum" must be a list, not the text "a"', "write [a]"),
        (
            item({"exclusiveMinimum": 5}),
            '"exclusiveMinimum" must be true or false in OpenAPI 3.0, not the number 5',
            "write minimum: 5 and exclusiveMinimum: true",
        ),
        (
            (("security",), ["key"]),
            'a security requirement must be a mapping, not the text "key"',
            "write {key: []}",
        ),
        (
            ((*GET, "security"), [{"key": []}]),
            'the security scheme "key" is not declared and is left out',
            "declare it in components.securitySchemes",
        ),
    ],
)
def test_a_value_of_a_wrong_type_is_told_with_what_to_write(change, message, help_text):
    found = [(item.message, item.help) for item in mistakes(changed(change))]
    assert [text for text, _ in found] == [message]
    assert found[0][1] is help_text or found[0][1].startswith(help_text)


def test_a_required_scheme_is_compared_with_the_declared_ones():
    schemes = (("components", "securitySchemes"), {"api_key": {"type": "http", "scheme": "basic"}})
    assert told(changed(schemes, (("security",), [{}, {"api_key": []}]))) == []
    [found] = mistakes(changed(schemes, (("security",), [{"api_kye": []}])))
    assert found.pointer == ("security", 0, "api_kye")
    assert found.help == 'did you mean "api_key"? declared: api_key'
    message = 'what "api_key" requires must be a list of scopes, not true'
    assert told(changed(schemes, (("security",), [{"api_key": True}]))) == [message]


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
        [(("info", "contact"), {"name": None}), ((*GET, "externalDocs"), {"url": "a", "description": None})],
        [item({"additionalProperties": False}), ((*GET, "security"), [])],
        [item({"exclusiveMinimum": True, "minimum": 1.5, "required": ["a"], "enum": [None, 1]})],
        [(("info", "x-a"), [1]), (("components", "x-b"), "c"), (("x-c",), 1)],
        [((*GET, "responses", "200", "headers", "tpye"), {"schema": {"type": "string"}})],
        [((*GET, "responses", "x-note"), {"a": 1}), (("paths", "x-note"), {"gett": {}})],
        [((*GET, "responses", "200"), {"$ref": "#/nowhere"})],
        [((*GET[:2], "parameters", 0), {"$ref": "#/nowhere"})],
        [((*GET[:2], "parameters", 0), {"$ref": "other.yaml#/a"})],
        [(("paths", "/a"), {}), (("paths", "/a/"), {}), (("paths", "/acl/{id}"), {"summary": "hidden"})],
        [(("paths", "/a/{x*}"), {"get": {"parameters": [ITEM | {"name": "x"}], "responses": ANY}})],
    ],
)
def test_what_is_right_or_nobodys_business_is_silent(changes):
    assert told(changed(*changes)) == []


def test_a_misspelt_key_is_not_missing_too():
    document = changed((("info",), None), (("inof",), {"title": 1}))
    assert told(document) == ['unknown key "inof" in an OpenAPI document']
    assert told(changed(item({"type": "array", "itmes": {}}))) == ['unknown key "itmes" in a schema']
    body = (BODY, {"contents": {}})
    assert told(changed(body)) == ['unknown key "contents" in a request body']


def test_newer_versions_may_more():
    lists = [item({"type": ["string", "null"], "examples": [1]}), ((*GET, "responses"), None)]
    assert told(changed(*lists, version="3.1.0")) == []
    more = [((*GET[:2], "query"), {}), ((*GET, "responses", "200"), {})]
    assert told(changed(*more, version="3.2.0")) == []
    assert told(changed(more[0], version="3.1.0")) == ['unknown key "query" in a path item']
    assert told(changed(item({"type": ["strng"]}), version="3.1.0")) == ['"strng" is no type of a schema']


def test_what_is_needed_depends_on_the_version():
    loose = [item({"type": "array", "not": True, "exclusiveMinimum": 1})]
    assert told(changed(*loose, version="3.1.0")) == []
    hooks = changed((("paths",), None), (("webhooks",), {}), version="3.1.0")
    assert told(hooks) == []
    assert told(hooks | {"openapi": "3.0.3"}) == ['an OpenAPI document needs "paths"']
    none = changed((("paths",), None), (("components",), None), version="3.1.0")
    assert told(none) == ['an OpenAPI document needs "paths" or "components" or "webhooks"']
    [found] = mistakes(changed(item({"exclusiveMinimum": True, "minimum": 3}), version="3.1.0"))
    assert found.message == '"exclusiveMinimum" must be a number from OpenAPI 3.1 on, not true'
    assert found.help == "write exclusiveMinimum: 3 alone, without minimum"
    no_words = changed(((*GET, "responses", "200"), {}), version="3.1.0")
    assert told(no_words) == ['a response needs "description"']
    assert told(no_words | {"openapi": "3.2.0"}) == []


WRONG = """an operation needs "responses"
a response needs "description"
the path "/api/v1.0/groups" has no parameter "groupId"
the path parameter "bookId" is not declared
the path parameter "id" is not declared
the operationId "getTest" is used twice; it must be unique in the document
a parameter needs "schema" or "content"
"responses" must be a mapping, not empty
"content" must be a mapping, not empty
the security scheme "DigestAuth" is not declared and is left out"""
"""What real documents get wrong; the schemas of the OpenAPI Initiative, or its text, refuse the same."""


def test_real_documents_hear_nothing_that_is_not_so(shared_data):
    files = [
        file for file in sorted(shared_data.rglob("*")) if file.suffix in {".json", ".yaml", ".yml", ".txt"}
    ]
    apis = [parse(content, file.name)[0] for file in files if b"openapi" in (content := file.read_bytes())]
    documents = [api.document for api in apis if api is not None]
    assert len(documents) > 100
    assert {text for document in documents for text in told(document)} == set(WRONG.splitlines())


def test_only_some_operations_lack_a_parameter():
    path = {
        "get": {"parameters": [ITEM], "responses": ANY},
        "put": {"responses": ANY},
        "post": {"responses": ANY},
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
    operation = (
        "    get: {parameters: [{name: q, in: qery, schema: {}}], responses: {default: {description: any}}}\n"
    )
    assert places(f"{head}  '/a/{{id}}':\n{operation}") == [(4, 7, 11, "warning"), (5, 38, 42, "warning")]
    assert places(f"{head}  /a/{{id}}:\n{operation}") == [(4, 6, 10, "warning"), (5, 38, 42, "warning")]
    assert places(
        f"{head}  /a:\n    gett: {{}}\n    put: {{responses: {{default: {{description: any}}}}}}\n"
    ) == [(5, 5, 9, "warning")]


@pytest.mark.usefixtures("folder")
def test_an_operation_id_that_is_used_twice_is_one_finding_with_the_first_place():
    document = changed((("paths", "/b"), {"get": {"operationId": "getItem", "responses": ANY}}))
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
    answers = "responses: {default: {description: any}}"
    operation = f"{{get: {{operationId: x, parameters: [{{name: q, in: qery, schema: {{}}}}], {answers}}}}}\n"
    Path("other.yaml").write_text(f"a: {operation}")
    Path("api.yaml").write_text(f"{head}  /b: {operation}")
    found = [(item.span.line, item.message) for item in lint([], environ={}).diagnostics]
    assert found == [
        (1, 'paths//a/get/parameters/0/in: "qery" is no value of in'),
        (5, 'the operationId "x" is used twice; it must be unique in the document'),
        (5, '"qery" is no value of in'),
    ]
