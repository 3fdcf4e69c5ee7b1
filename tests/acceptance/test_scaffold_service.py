"""The produced service as a person uses it: started by its command, killed, restarted, broken on purpose."""

import signal

import pytest
from support.program import PATIENCE
from support.scaffold import (
    TODO_SPEC,
    ask,
    page_files,
    put,
    running,
    service_files,
    suite_files,
    unittest_in,
)


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    return put(service_files(TODO_SPEC.read_bytes()), tmp_path_factory.mktemp("service"))


@pytest.fixture(scope="module")
def address(service, tmp_path_factory):
    with running(service, tmp_path_factory.mktemp("data")) as (url, _):
        yield url


def test_data_outlives_kill_9(service, tmp_path):
    with running(service, tmp_path) as (url, process):
        status, made, headers = ask(f"{url}/tasks", "POST", {"title": "Buy milk"})
        assert (status, headers["Location"]) == (201, f"/tasks/{made['id']}")
        process.send_signal(signal.SIGKILL)
        process.wait()
    with running(service, tmp_path) as (url, _):
        assert ask(f"{url}/tasks/{made['id']}")[:2] == (200, made)


def test_sigterm_ends_it_with_exit_code_0(service, tmp_path):
    with running(service, tmp_path) as (_, process):
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE) == 0


def test_a_port_in_use_is_one_line(service, tmp_path):
    import subprocess
    import sys

    with running(service, tmp_path / "a") as (url, _):
        second = subprocess.run(
            [sys.executable, "server.py", "--port", url.rpartition(":")[2]],
            cwd=service,
            env={"DATA_DIR": str(tmp_path / "b")},
            capture_output=True,
            text=True,
            check=False,
        )
    assert second.returncode == 1
    assert second.stderr.startswith("cannot listen on 127.0.0.1:")
    assert len(second.stderr.splitlines()) == 1


def test_errors_have_the_shape_of_the_contract(address):
    status, body, _ = ask(f"{address}/tasks", "POST", {"done": "yes", "priority": "urgent"})
    assert status == 422
    assert body["code"] == "unprocessable_entity"
    assert {item["field"]: item["message"] for item in body["fields"]} == {
        "title": "is required",
        "done": "must be true or false",
        "priority": "must be one of low, normal, high",
    }


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("GET", "/tasks/987654", None, {}, 404),
        ("GET", "/tasks/abc", None, {}, 400),
        ("GET", "/tasks?limit=0", None, {}, 400),
        ("GET", "/tasks?done=maybe", None, {}, 400),
        ("POST", "/tasks", b"{", {}, 422),
        ("POST", "/tasks", b'{"title": NaN}', {}, 422),
        ("POST", "/tasks", b"[" * 100_000, {}, 422),
        ("POST", "/tasks", b"title=x", {"content_type": "text/plain"}, 415),
        ("POST", "/tasks/1", {"title": "x"}, {}, 405),
        ("GET", "/nothing", None, {}, 404),
        ("HEAD", "/tasks", None, {}, 200),
        ("OPTIONS", "/tasks", None, {}, 204),
    ],
)
def test_edges(address, method, path, body, headers, status):
    answer = ask(address + path, method, body, **headers)
    assert answer[0] == status
    assert answer[2]["Access-Control-Allow-Origin"] == "*"
    if status == 405:
        assert answer[2]["Allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"


def test_paths_answer_at_the_root_and_under_the_base_path(address):
    status, made, headers = ask(f"{address}/api/v1/lists", "POST", {"name": "Home"})
    assert (status, headers["Location"]) == (201, f"/api/v1/lists/{made['id']}")
    assert ask(f"{address}/lists/{made['id']}")[1] == made


def test_filters_and_pages(address):
    ids = [
        ask(f"{address}/tasks", "POST", {"title": "t", "done": done, "list_id": 77})[1]["id"]
        for done in (True, False, True)
    ]
    assert [item["id"] for item in ask(f"{address}/tasks?list_id=77&done=true")[1]] == [ids[0], ids[2]]
    assert [item["id"] for item in ask(f"{address}/tasks?list_id=77&limit=1&offset=1")[1]] == [ids[1]]


def test_clients_cannot_write_what_the_service_fills(address):
    made = ask(f"{address}/tasks", "POST", {"title": "t", "id": 5, "created_at": "2001-01-01T00:00:00Z"})[1]
    assert made["created_at"] > "2026"
    changed = ask(f"{address}/tasks/{made['id']}", "PATCH", {"title": "u", "id": made["id"] + 900})[1]
    assert changed == {**made, "title": "u"}


def test_it_shares_no_code_with_us_and_reads_no_interface_at_run_time(service):
    source = "\n".join(path.read_text() for path in service.glob("*.py"))
    assert "maestro_dsl" not in source
    assert "openapi" not in source.lower()
    assert "yaml" not in source


def test_its_own_tests_pass(service):
    result = unittest_in(service)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (
            "routes.py",
            '    Route("PATCH", "/tasks/{taskId}", update_task, media_types=("application/json",)),\n',
            "",
        ),
        ("routes.py", "Response(201, stored", "Response(200, stored"),
        ("routes.py", '        "created_at": now(),\n', ""),
        ("routes.py", 'TASKS_FIELDS = ("title", ', "TASKS_FIELDS = ("),
        ("schemas.py", 'required=("title",)', "required=()"),
        ("storage.py", 'self._connection.execute("COMMIT")', 'self._connection.execute("ROLLBACK")'),
        ("storage.py", "DELETE FROM", "SELECT * FROM"),
        ("transport.py", "HttpError(405", "HttpError(404"),
    ],
)
def test_its_own_tests_see_planted_faults(service, tmp_path, file, old, new):
    files = {path.name: path.read_text() for path in service.glob("*.py")}
    assert old in files[file]
    put({**files, file: files[file].replace(old, new)}, tmp_path)
    assert unittest_in(tmp_path).returncode == 1


def test_client_and_suite_pass_against_it(address, tmp_path):
    spec = TODO_SPEC.read_bytes()
    for name, files in (("page", page_files(spec)), ("suite", suite_files(spec))):
        result = unittest_in(put(files, tmp_path / name), MAESTRO_URL_BACKEND_API=address)
        assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("old", "new"), [('"/tasks/{taskId}"', '"/task/{taskId}"'), ('"method": "PATCH"', '"method": "POST"')]
)
def test_a_wrong_call_in_the_client_fails_its_tests(address, tmp_path, old, new):
    files = page_files(TODO_SPEC.read_bytes())
    assert old in files["client.js"]
    put({**files, "client.js": files["client.js"].replace(old, new, 1)}, tmp_path)
    assert unittest_in(tmp_path, MAESTRO_URL_BACKEND_API=address).returncode == 1


def test_without_a_service_the_tests_say_so(tmp_path):
    put(suite_files(TODO_SPEC.read_bytes()), tmp_path)
    result = unittest_in(tmp_path, MAESTRO_URL_BACKEND_API="http://127.0.0.1:1")
    assert result.returncode == 1
    assert "the service at http://127.0.0.1:1 does not answer" in result.stderr
