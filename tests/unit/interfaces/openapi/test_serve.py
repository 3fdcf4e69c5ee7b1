import json

import pytest
from support.asgi import Client
from support.openapi import DOCUMENTS, TODO, good_request, read_api

from maestro_dsl.interfaces.openapi.decide import Interpreter
from maestro_dsl.interfaces.openapi.inputs import Request
from maestro_dsl.interfaces.openapi.serve import mock_app
from maestro_dsl.interfaces.openapi.table import Table
from maestro_dsl.interfaces.openapi.validate import errors


@pytest.fixture
def calls():
    return []


@pytest.fixture
def client(calls):
    return Client(mock_app(read_api(TODO), record=calls.append))


def test_an_item_is_created_read_changed_deleted_and_then_gone(client):
    status, headers, made = client("POST", "/lists", {"name": "Garden"})
    assert (status, headers["location"], made["name"]) == (201, f"/lists/{made['id']}", "Garden")
    assert isinstance(made["id"], int)
    assert client("GET", headers["location"])[2] == made
    assert made in client("GET", "/lists")[2]
    replaced = client("PUT", headers["location"], {"name": "House"})[2]
    assert (replaced["id"], replaced["name"], replaced["created_at"]) == (
        made["id"],
        "House",
        made["created_at"],
    )
    assert client("DELETE", headers["location"])[0] == 204
    assert client("GET", headers["location"])[0] == 404
    assert client("DELETE", headers["location"])[0] == 404
    assert made["id"] not in [item["id"] for item in client("GET", "/lists")[2]]


def test_a_patch_changes_what_it_names(client):
    made = client("POST", "/tasks", {"title": "Sow", "notes": "early"})[2]
    assert made["done"] is False
    changed = client("PATCH", f"/tasks/{made['id']}", {"done": True})[2]
    assert changed == {**made, "done": True}


def test_lists_are_cut_and_filtered_by_the_names_of_parameters(client):
    for number in range(5):
        client("POST", "/tasks", {"title": f"Task {number}", "done": number % 2 == 0})
    done = client("GET", "/tasks?done=true")[2]
    assert {item["done"] for item in done} == {True}
    everything = client("GET", "/tasks")[2]
    assert client("GET", "/tasks?limit=2&offset=1")[2] == everything[1:3]


def test_memory_is_forgotten_on_request_and_each_mock_has_its_own(client):
    before = client("GET", "/lists")[2]
    client("POST", "/lists", {"name": "Garden"})
    assert Client(mock_app(read_api(TODO)))("GET", "/lists")[2] == before
    assert client("POST", "/__admin/reset")[0] == 204
    assert client("GET", "/lists")[2] == before


def test_bad_requests_get_the_declared_error_and_the_reason(client):
    status, headers, body = client("POST", "/lists", {"color": "red"})
    assert status == 422
    assert '"name" is a required property' in body["message"]
    assert headers["x-maestro-violations"] in body["message"].replace("…", "?")
    assert client("POST", "/lists", body=b'{"name":', content_type="application/json")[0] == 422
    assert client("POST", "/lists")[0] == 422
    assert client("GET", "/lists?limit=many")[0] == 422
    assert client("GET", "/lists/abc")[0] == 422
    assert client("POST", "/lists", body=b"x", content_type="text/plain")[0] == 415


def test_reasons_come_in_the_form_that_clients_of_prism_read(client):
    headers = client("POST", "/lists", {"color": "red"})[1]
    assert json.loads(headers["sl-violations"])[0]["location"] == ["request", "body"]
    headers = client("GET", "/lists?limit=m%7Fn%C3%A4")[1]
    assert headers["sl-violations"].isascii()
    assert headers["sl-violations"].isprintable()
    assert json.loads(headers["sl-violations"])[0]["location"] == ["request", "query", "limit"]


def test_what_the_contract_does_not_have(client):
    assert client("GET", "/nothing")[1]["content-type"] == "application/problem+json"
    status, headers, body = client("DELETE", "/lists")
    assert (status, headers["allow"], body["title"]) == (
        405,
        "GET, HEAD, OPTIONS, POST",
        "Method Not Allowed",
    )
    assert client("GET", "/lists", accept="text/csv")[0] == 406


def test_both_paths_head_options_and_cors(client):
    assert client("GET", "/api/v1/lists")[2] == client("GET", "/lists")[2]
    status, headers, body = client("HEAD", "/lists")
    assert (status, body, int(headers["content-length"]) > 2) == (200, None, True)
    assert client("OPTIONS", "/lists")[1]["allow"] == "GET, HEAD, OPTIONS, POST"
    status, headers, _ = client(
        "OPTIONS", "/lists", origin="http://web", access_control_request_method="POST"
    )
    assert (status, headers["access-control-allow-origin"]) == (204, "http://web")


def test_another_declared_answer_is_sent_on_request(client):
    assert client("GET", "/lists/1", prefer="code=404")[0] == 404
    assert client("GET", "/lists/1", prefer="code=abc")[0] == 400
    assert client("GET", "/lists/1", prefer="example=none")[0] == 404


def test_calls_are_recorded(client, calls):
    client("POST", "/lists?x=1", {"name": "Garden"}, accept="application/json", cookie="secret=1")
    client("GET", "/wrong")
    client("POST", "/__admin/reset")
    first, second = calls
    assert first["seq"] == 1
    assert (first["method"], first["path"], first["query"]) == ("POST", "/lists", "x=1")
    assert first["headers"] == {"content-type": "application/json", "accept": "application/json"}
    assert (first["body"], first["status"], first["operation"]) == ('{"name": "Garden"}', 201, "createList")
    assert json.loads(first["response_body"])["name"] == "Garden"
    assert (second["status"], second["operation"], second["violations"]) == (404, None, [])


def test_alternatives_of_credentials_are_told_apart():
    ok = {"200": {"description": "ok"}}
    api = read_api(
        {
            "openapi": "3.0.0",
            "paths": {
                "/key": {"get": {"security": [{"key": []}], "responses": ok}},
                "/both": {"get": {"security": [{"key": [], "basic": []}], "responses": ok}},
                "/open": {"get": {"security": [{"key": []}, {}], "responses": ok}},
            },
            "components": {
                "securitySchemes": {
                    "key": {"type": "apiKey", "in": "query", "name": "k"},
                    "basic": {"type": "http", "scheme": "basic"},
                }
            },
        }
    )
    client = Client(mock_app(api))
    assert [client("GET", path)[0] for path in ("/key", "/key?k=abc", "/both?k=abc", "/open")] == [
        401,
        200,
        401,
        200,
    ]
    assert client("GET", "/both?k=abc", authorization="Basic dXNlcjphYmM=")[0] == 200
    assert client("GET", "/both")[1]["www-authenticate"] == 'Basic realm="*"'
    assert client("GET", "/key")[1]["www-authenticate"] == 'ApiKey realm="*"'
    assert client("GET", "/key?k=")[0] == 401
    assert client("GET", "/both?k=abc", authorization="Basic Og==")[0] == 401


def test_bearer_with_nothing_after_it_is_no_credential():
    api = read_api(
        {
            "openapi": "3.0.0",
            "paths": {"/me": {"get": {"security": [{"t": []}], "responses": {"200": {"description": "ok"}}}}},
            "components": {"securitySchemes": {"t": {"type": "http", "scheme": "bearer"}}},
        }
    )
    client = Client(mock_app(api))
    sent = ("Bearer", "Bearer ", "Bearer undefined", "Bearer {token}", "bearer test", "test")
    assert [client("GET", "/me", authorization=text)[0] for text in sent] == [401, 401, 401, 200, 200, 401]


def test_the_same_request_gets_the_same_answer_and_the_path_is_repeated():
    schema = {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "string"}, "name": {"type": "string"}},
    }
    content = {"application/json": {"schema": schema}}
    api = read_api(
        {
            "openapi": "3.0.0",
            "paths": {"/users/{id}": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "get": {"responses": {"200": {"description": "ok", "content": content}}},
            }},
        }
    )  # fmt: skip
    answers = [Client(mock_app(api, seed=seed))("GET", "/users/a%2Fb")[2] for seed in (1, 1)]
    assert answers[0] == answers[1]
    assert answers[0]["id"] == "a/b"


NOT_THERE = {"box.json": 4, "readme-discriminators.json": 1}
"""Items of collections that are empty at the start; two alternatives that nothing tells apart."""


@pytest.mark.needs_data
@pytest.mark.parametrize("document", DOCUMENTS)
def test_success_answers_of_real_documents_are_valid(shared_data, document):
    api = read_api(shared_data / "openapi" / document)
    interpreter = Interpreter(Table(api))
    others = []
    for operation in api.operations:
        interpreter.memory.reset()
        answer = interpreter.answer(good_request(interpreter.table, operation))
        if answer.status != operation.success_status:
            others.append((operation.id, answer.status, answer.violations))
            continue
        media = operation.success.content.get(answer.media_type) if operation.success else None
        if media is not None and media.is_json and media.schema is not None:
            assert errors(api, media.schema, answer.body) == [], operation.id
    assert len(others) <= NOT_THERE.get(document, 0), others


def test_strange_requests_have_an_answer():
    interpreter = Interpreter(Table(read_api(TODO)))
    for path in ("", "/", "//", "/%", "/lists/%zz", "/lists/%2F", "/lists/\x00", "/api/v1", "/" + "a" * 9000):
        answer = interpreter.answer(Request(method="GET", raw_path=path, query_string="&&==%&limit"))
        assert 400 <= answer.status < 500


def named(name, place, **more):
    return {"name": name, "in": place, "required": True, "schema": {"type": "string", **more}}


def test_parameters_side_by_side_are_told_apart_by_their_listed_values():
    listed = [named("page", "path"), named("ending", "path", enum=[".json", ".(x)"])]
    fine = {"200": {"description": "fine"}}
    paths = {"/pages/{page}{ending}": {"get": {"parameters": listed, "responses": fine}}}
    interpreter = Interpreter(Table(read_api({"openapi": "3.0.3", "info": {}, "paths": paths})))
    for path, status in (("a.b.json", 200), ("a.(x)", 200), ("a.xx", 404), (".json", 404)):
        assert interpreter.answer(Request(method="GET", raw_path=f"/pages/{path}")).status == status


def test_what_every_client_says_unasked_is_not_judged():
    headers = [named("User-Agent", "header"), named("Accept-Encoding", "header", enum=["base64"])]
    fine = {"200": {"description": "fine"}}
    paths = {"/secret": {"get": {"parameters": headers, "responses": fine}}}
    interpreter = Interpreter(Table(read_api({"openapi": "3.0.3", "info": {}, "paths": paths})))
    sent = {"user-agent": "page/1", "accept-encoding": "gzip, deflate"}
    assert interpreter.answer(Request(method="GET", raw_path="/secret", headers=sent)).status == 200
    assert interpreter.answer(Request(method="GET", raw_path="/secret")).status == 422
