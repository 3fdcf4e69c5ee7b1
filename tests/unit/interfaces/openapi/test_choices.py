"""Single choices of the mock that Prism makes too, one request each."""

import pytest
import yaml
from support.openapi import read_api

from maestro_dsl.interfaces.openapi.decide import Interpreter, encoded
from maestro_dsl.interfaces.openapi.inputs import Request
from maestro_dsl.interfaces.openapi.table import Table

HEAD = "openapi: 3.0.2\ninfo: {title: x, version: '1'}\n"
OK = "responses: {200: {description: ok}}"
KEY = "components: {securitySchemes: {k: {type: apiKey, in: header, name: k}}}\nsecurity: [{k: []}]\n"


def ask(document, method="GET", path="/u", *, body=b"", query="", **headers):
    sent = {"accept": "*/*", **{name.replace("_", "-"): text for name, text in headers.items()}}
    request = Request(method=method, raw_path=path, query_string=query, headers=sent, body=body)
    return Interpreter(Table(read_api(HEAD + document))).answer(request)


def error_with(name, value):
    return f"{name}: {{description: e, content: {{application/json: {{example: {value}}}}}}}"


def test_missing_credentials_get_the_declared_default():
    listed = f"200: {{description: ok}}, {error_with('default', 'no')}"
    answer = ask(f"{KEY}paths: {{/u: {{get: {{responses: {{{listed}}}}}}}}}")
    assert (answer.status, answer.body) == (401, "no")


@pytest.mark.parametrize(
    ("declared", "query", "body", "status"),
    [
        ("405: {description: Invalid input}", "", b"{}", 405),
        ("405: {description: Not now}", "", b"{}", 422),
        ("405: {description: Invalid input}, default: {description: no}", "", b"{}", 405),
        ("404: {description: Not here}", "n=x", b'{"a":1}', 404),
        ("404: {description: Not here}", "n=x", b"{}", 422),
        ("404: {description: Not here}", "", b"{", 400),
        ("404: {description: Not here}, 4XX: {description: no}", "n=x", b'{"a":1}', 422),
    ],
)
def test_a_bad_request_gets_an_answer_that_is_declared_for_it(declared, query, body, status):
    document = f"""
paths:
  /u:
    post:
      parameters: [{{name: n, in: query, schema: {{type: integer}}}}]
      requestBody: {{content: {{application/json: {{schema: {{type: object, required: [a]}}}}}}}}
      responses: {{200: {{description: ok}}, {declared}}}
"""
    assert ask(document, "POST", body=body, query=query, content_type="application/json").status == status


EXAMPLES = """
paths:
  /u:
    post:
      requestBody: {content: {application/json: {schema: {type: object, required: [a]}}}}
      responses:
        200: {description: ok, content: {application/json: {examples: {good: {value: 1}}}}}
        422: {description: no, content: {application/json: {examples: {one: {value: 2}, two: {value: 3}}}}}
"""


@pytest.mark.parametrize(
    ("prefer", "expected"),
    [
        ("code=422, example=two", (422, 3)),
        ("code=422, example=none", (422, 2)),
        ("code=200, example=good", (422, 2)),
        ("", (422, 2)),
    ],
)
def test_an_example_of_the_refusal_may_be_asked_for(prefer, expected):
    answer = ask(EXAMPLES, "POST", body=b"{}", content_type="application/json", prefer=prefer)
    assert (answer.status, answer.body) == expected


@pytest.mark.parametrize(("body", "status"), [(b"ab", 422), (b"abcde", 200), (b"", 422)])
def test_plain_text_is_held_against_its_schema(body, status):
    schema = "{text/plain: {schema: {type: string, minLength: 5}}}"
    document = f"paths: {{/u: {{post: {{requestBody: {{required: true, content: {schema}}}, {OK}}}}}}}"
    assert ask(document, "POST", body=body, content_type="text/plain").status == status


def test_things_written_as_text_are_not_read():
    schema = "{text/csv: {schema: {type: array, items: {type: object}}}}"
    document = f"paths: {{/u: {{post: {{requestBody: {{content: {schema}}}, {OK}}}}}}}"
    assert ask(document, "POST", body=b"a,b\n1,2", content_type="text/csv").status == 200


@pytest.mark.parametrize(("query", "status"), [("R=1&G=2", 200), ("R=x&G=2", 422), ("B=1", 422), ("", 422)])
def test_an_object_may_be_spread_over_the_query(query, status):
    schema = "{type: object, required: [R], properties: {R: {type: integer}, G: {type: integer}}}"
    parameter = f"{{name: c, in: query, required: true, schema: {schema}}}"
    document = f"paths: {{/u: {{get: {{parameters: [{parameter}], {OK}}}}}}}"
    assert ask(document, query=query).status == status


@pytest.mark.parametrize("path", ["/u", "/v1/u", "/v2/u", "/only/u"])
def test_every_way_to_write_the_address_of_a_server_leads_to_the_path(path):
    variables = "{v: {default: v1, enum: [v1, v2]}}"
    servers = f"servers: [{{url: 'https://x.example/{{v}}', variables: {variables}}}]\n"
    document = f"{servers}paths: {{/u: {{servers: [{{url: /only}}], get: {{{OK}}}}}}}"
    assert ask(document, path=path).status == 200
    assert ask(document, path="/v3/u").status == 404


@pytest.mark.parametrize("body", [b"NaN", b'{"a": Infinity}', b"[1e999]", b"{'a': 1}", b"{,}"])
def test_what_is_no_json_is_malformed(body):
    content = "{application/json: {schema: {}}}"
    document = f"paths: {{/u: {{post: {{requestBody: {{content: {content}}}, {OK}}}}}}}"
    answer = ask(document, "POST", body=body, content_type="application/json")
    assert (answer.status, answer.violations) == (400, ("the request body is not valid JSON",))


def test_big_integers_come_back_exactly():
    number = 2**63 - 1
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    content = {"application/json": {"schema": schema}}
    operation = {
        "requestBody": {"content": content},
        "responses": {"200": {"description": "x", "content": content}},
    }
    document = yaml.safe_dump({"paths": {"/u": {"post": operation}}})
    answer = ask(document, "POST", body=f'{{"n": {number}}}'.encode(), content_type="application/json")
    assert encoded(answer) == f'{{"n":{number}}}'.encode()
