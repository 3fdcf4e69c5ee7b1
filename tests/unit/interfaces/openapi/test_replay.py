"""Recorded calls against the real provider: ids are mapped, both sides judged, wrong calls located."""

import asyncio
import importlib.util
import json
from pathlib import Path

import pytest

from maestro_dsl.interfaces.openapi.parse import parse
from maestro_dsl.interfaces.openapi.replay import replay_calls
from maestro_dsl.interfaces.verification import Outcome


def _load(name: str):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reference = _load("reference")

CLIENT = """\
// Client of the task service.
const call = (path, options) => fetch(base + path, options);

export const listTasks = (limit) => call(`/tasks?limit=${limit}`);
export const createTask = (task) =>
  call("/tasks", { method: "POST", body: JSON.stringify(task) });
export const getTask = (id) => call(`/tasks/${id}`);
export const replaceTask = (id, task) =>
  call(`/tasks/${id}`, { method: "PUT", body: JSON.stringify(task) });
export const finish = (id) => call(`/tasks/${id}/finish`, { method: "POST" });
"""
FILES = {"web/client.js": CLIENT, "web/tests/client.test.js": 'await call("/tasks/1/finish");\n'}
TASK = {"id": "mock-11111111", "title": "a", "projectId": 901, "status": "open"}
PROJECT = {"id": 901, "name": "p"}


@pytest.fixture(scope="module")
def api():
    return parse(reference.SPEC.encode(), "tasks.yaml")[0]


def record(method: str, path: str, status: int, operation: str | None, **more) -> dict:
    body, answer = more.pop("body", None), more.pop("answer", None)
    return {
        "seq": 1,
        "method": method,
        "path": path,
        "query": more.pop("query", ""),
        "headers": {"content-type": "application/json", "accept": "application/json"},
        "body": None if body is None else json.dumps(body),
        "status": status,
        "response_body": None if answer is None else json.dumps(answer),
        "operation": operation,
        "violations": more.pop("violations", []),
    }


def life() -> list[dict]:
    new = {"title": "a", "projectId": 901}
    changed = {"title": "b", "projectId": 901}
    return [
        record("POST", "/projects", 201, "createProject", body={"name": "p"}, answer=PROJECT),
        record("POST", "/tasks", 201, "createTask", body=new, answer=TASK),
        record("GET", "/tasks", 200, "listTasks", query="limit=5", answer={"items": [TASK], "total": 1}),
        record("GET", "/tasks/mock-11111111", 200, "getTask", answer=TASK),
        record("PUT", "/api/tasks/mock-11111111", 200, "replaceTask", body=changed, answer=TASK),
        record("GET", "/tasks/no-such-task", 404, "getTask", answer={"message": "none"}),
        record("DELETE", "/tasks/mock-11111111", 204, "deleteTask"),
        record("GET", "/tasks/mock-11111111", 404, "getTask", answer={"message": "none"}),
    ]


def replayed(api, calls, fault: str = "", files=None):
    with reference.running(fault) as url:
        return asyncio.run(
            replay_calls(
                api, url, calls, contract_id="backend_api", consumer_files=FILES if files is None else files
            )
        )


def test_a_life_recorded_at_the_mock_fits_the_real_provider(api) -> None:
    result = replayed(api, life())
    assert (result.verdict, result.score, result.issues) == (Outcome.FULFILLED, 1.0, ())


def test_an_item_that_only_the_mock_had_is_made_first(api) -> None:
    calls = [
        record("GET", "/tasks/seeded-1", 200, "getTask", answer={**TASK, "id": "seeded-1"}),
        record("DELETE", "/tasks/seeded-1", 204, "deleteTask"),
        record("GET", "/tasks/seeded-1", 404, "getTask"),
    ]
    assert replayed(api, calls).issues == ()


@pytest.mark.parametrize(
    ("fault", "operation"),
    [
        ("missing_replace", "replaceTask"),
        ("status_create", "createTask"),
        ("state_lost", "getTask"),
        ("delete_keeps", "getTask"),
        ("type_list", "listTasks"),
        ("error_unknown_read", "getTask"),
    ],
)
def test_a_provider_that_answers_otherwise_than_the_mock_is_found(api, fault, operation) -> None:
    result = replayed(api, life(), fault)
    assert result.verdict is Outcome.NOT_FULFILLED
    assert operation in {item.operation for item in result.issues if item.severity == "error"}


def test_a_call_outside_the_contract_is_named_with_the_line_that_makes_it(api) -> None:
    result = replayed(api, [*life(), record("POST", "/tasks/mock-11111111/finish", 404, None)])
    assert result.verdict is Outcome.NOT_FULFILLED
    found = [(item.message, item.file, item.line) for item in result.issues]
    text = "the consumer calls POST /tasks/mock-11111111/finish, which the contract does not have"
    assert found == [(text, "web/client.js", 10)]


def test_a_call_against_the_contract_is_named_with_the_line_that_makes_it(api) -> None:
    bad = record(
        "POST", "/tasks", 422, "createTask", body={"titel": "a"}, violations=['body: "title" is missing']
    )
    result = replayed(api, [bad])
    found = [(item.message, item.file, item.line) for item in result.issues]
    text = 'the consumer calls POST /tasks (createTask) against the contract: body: "title" is missing'
    assert found == [(text, "web/client.js", 6)]


def test_a_provider_that_accepts_what_the_mock_refused_is_found(api) -> None:
    bad = record("POST", "/tasks", 422, "createTask", body={"titel": "a"}, violations=["title"])
    files = {"tests/test_api.py": "client.post('/tasks')\n"}
    assert replayed(api, [*life(), bad], files=files).issues == ()
    result = replayed(api, [*life(), bad], "no_validation_create", files=files)
    assert [item.message for item in result.issues] == [
        "POST /tasks (createTask) answers 201 where the mock answered 422"
    ]


def test_a_suite_of_tests_may_send_bad_requests_only(api) -> None:
    bad = record("POST", "/tasks", 422, "createTask", body={"titel": "a"}, violations=["title"])
    files = {"tests/test_api.py": "client.post('/tasks')\n", "tests/README.md": "how to run"}
    assert replayed(api, [bad], files=files).issues == ()


def test_a_suite_of_tests_may_ask_for_what_is_not_there(api) -> None:
    call = record("PUT", "/tasks", 405, None)
    files = {"tests/test_api.py": "client.put('/tasks')\n"}
    assert replayed(api, [call], files=files).issues == ()
    assert replayed(api, [call]).verdict is Outcome.NOT_FULFILLED


def test_no_calls_could_not_be_verified(api) -> None:
    result = replayed(api, [])
    assert (result.verdict, result.fulfilled, result.score) == (Outcome.COULD_NOT_VERIFY, False, 0.0)
    assert [item.message for item in result.issues] == [
        "the consumer's tests made no call to the mock, so nothing was replayed"
    ]
