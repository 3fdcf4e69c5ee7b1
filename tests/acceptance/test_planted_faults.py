"""Faults planted in what was produced are found, by `verify` and by `apply`, and the operation is named."""

import json
import shutil

import pytest
from support.program import inside
from support.projects import states
from support.sandboxes import needs_isolation

from maestro_dsl.engine.events import AttemptFinished

FAULTS = {
    "missing route": (
        "routes.py",
        '    Route("PATCH", "/tasks/{taskId}", update_task, media_types=("application/json",)),\n',
        "",
        "updateTask",
    ),
    "wrong status": ("routes.py", "Response(201, stored", "Response(200, stored", "createList"),
    "missing field": ("routes.py", '        "created_at": now(),\n', "", "createList"),
    "lost data": (
        "storage.py",
        'self._connection.execute("COMMIT")',
        'self._connection.execute("ROLLBACK")',
        "List",
    ),
    "deletion forgotten": ("storage.py", "DELETE FROM", "SELECT * FROM", "deleteList"),
    "a field is dropped": ("routes.py", 'TASKS_FIELDS = ("title", ', "TASKS_FIELDS = (", "createTask"),
    "input is not checked": ("schemas.py", 'required=("title",)', "required=()", "createTask"),
    "wrong content type": ("transport.py", '"application/json"', '"text/plain"', "listLists"),
}
"""Name → file of the backend, text, its replacement, and what the report must name."""

LOOKS = """\
        answer = call("deleteList", params)
        self.assertEqual(answer.status, 204, answer.content)
        self.assertEqual(call("getList", params).status, 404)
"""
APPLIED = {"wrong status": "createTask", "lost data": "Task"}
"""Name → the operation that the report of the small example must name."""


@pytest.fixture
def verify(finished_todo, tmp_path, capsys):
    """Return a function that runs `maestro verify` on a copy of the produced backend."""
    from maestro_dsl.cli.main import (
        execute,
    )  # the module would hide the function of its name from other tests

    project, _ = finished_todo
    copy = tmp_path / "backend"
    shutil.copytree(project.output / "backend_developer", copy)

    def run(file=None, old="", new=""):
        if file is not None:
            path = copy / file
            assert old in path.read_text()
            path.write_text(path.read_text().replace(old, new, 1))
        contract = project.folder / "contracts/backend_api.contract.yaml"
        code = execute(["verify", str(contract), "--start", "python server.py", "--cwd", str(copy)])
        assert sorted(path.name for path in copy.iterdir()) == before
        return code, capsys.readouterr().out

    before = sorted(path.name for path in copy.iterdir())
    return run


def test_the_produced_service_is_verified(verify):
    code, shown = verify()
    assert code == 0, shown
    assert "fulfilled, score 1.00" in shown


@pytest.mark.parametrize("name", FAULTS)
def test_verify_names_the_operation_of_a_planted_fault(name, verify):
    *edit, operation = FAULTS[name]
    code, shown = verify(*edit)
    assert code == 1
    assert "not fulfilled" in shown
    assert operation in shown


def test_a_service_that_dies_at_its_start_is_not_verified(verify):
    first_line = "from __future__ import annotations\n"
    code, shown = verify("server.py", first_line, f"{first_line}raise SystemExit('the disk is gone')\n")
    assert code == 1
    assert "ended with code 1 at its start; its last lines:\n    the disk is gone" in shown


@needs_isolation
@pytest.mark.parametrize("name", APPLIED)
def test_apply_names_the_operation_of_a_planted_fault(name, small):
    file, old, new, _ = FAULTS[name]
    operation = APPLIED[name]
    edit = {"file": file, "find": old, "replace": new}
    small.script(answers({"match": {"contract": "backend_api"}, "use": "scaffold", "edit": [edit]}))
    done = inside("apply", small.plan_file, "--state-dir", small.state, "--auto-approve")
    assert done.returncode == 1
    assert "build[backend_api]: gave up" in done.stdout
    assert operation in done.stdout
    # Branches that do not need the backend were finished and kept; of the broken one nothing is published.
    assert (small.output / "frontend_developer/client.js").is_file()
    assert not (small.output / "backend_developer").exists()
    report = json.loads((small.output / "contracts/validation_report.json").read_text())
    assert report["contracts"]["backend_api"]["fulfilled"] is False
    assert operation in json.dumps(report["contracts"]["backend_api"]["issues"])


@needs_isolation
def test_a_second_attempt_mends_what_the_first_was_told(small, finished_small):
    file, old, new, _ = FAULTS["wrong status"]
    first = {
        "match": {"contract": "backend_api", "attempt": 1},
        "use": "scaffold",
        "edit": [{"file": file, "find": old, "replace": new}],
    }
    small.script(answers(first), attempts=2)
    result = small.apply()
    assert (result.verdict, result.exit_code) == ("verified", 0)
    tries = [event.body for event in result.events if isinstance(event.body, AttemptFinished)]
    failures = [(body.attempt, body.failure) for body in tries if body.node == "build[backend_api]"]
    assert failures == [(1, "invalid"), (2, None)]
    told = next(body for body in tries if body.failure).issues
    assert APPLIED["wrong status"] in {issue.operation for issue in told}
    assert small.digests() == finished_small[0].digests()


@needs_isolation
def test_the_recheck_finds_a_wrong_call_with_file_and_line(todo):
    # Its own test does not look at the answer, so only the comparison with the contract can see it.
    wrong = {
        "file": "client.js",
        "find": '"DELETE", "path": "/lists/{listId}"',
        "replace": '"DELETE", "path": "/list/{listId}"',
    }
    blind = {"file": "test_client.py", "find": LOOKS, "replace": '        call("deleteList", params)\n'}
    todo.script(answers({"match": {"contract": "web_app"}, "use": "scaffold", "edit": [wrong, blind]}))
    result = todo.apply()
    final = states(result)
    assert (result.exit_code, result.verdict) == (1, "not_fulfilled")
    assert final["build[web_app]"] == "succeeded_on_mock"
    assert final["recheck[backend_api/build[web_app]]"] == "failed"
    assert final["recheck[backend_api/build[acceptance_tests]]"] == "succeeded"
    issue = wrong_call(todo)
    assert issue["file"] == "client.js"
    source = (todo.output / "frontend_developer/client.js").read_text().splitlines()
    assert "/list/{listId}" in source[issue["line"] - 1]


@needs_isolation
def test_a_wrong_call_that_the_tests_see_is_found_on_the_mock_with_file_and_line(small, finished_small):
    edit = {"file": "client.js", "find": "/tasks/{taskId}", "replace": "/task/{taskId}"}
    small.script(answers({"match": {"contract": "web_app"}, "use": "scaffold", "edit": [edit]}))
    result = small.apply()
    assert (result.exit_code, states(result)["build[web_app]"]) == (1, "gave_up")
    report = json.loads((small.output / "contracts/validation_report.json").read_text())
    issues = report["contracts"]["web_app"]["issues"]
    failed = next(item for item in issues if item["check"] == "acceptance_criteria_met")
    assert (failed["file"], failed["severity"]) == ("test_client.py", "error")
    outside = next(item for item in issues if item["check"] == "integration_points_compatible")
    assert outside["file"] == "client.js"
    source = (finished_small[0].output / "frontend_developer/client.js").read_text().splitlines()
    assert "/tasks/{taskId}" in source[outside["line"] - 1]
    assert "/task/" in outside["message"]


def test_a_program_that_fails_is_not_asked_again(small):
    small.edit("contracts/web_app.contract.yaml", "discover]", "no_such_module]")
    result = small.apply()
    node = "build[web_app]"
    assert states(result)[node] == "gave_up"
    bodies = [event.body for event in result.events if getattr(event.body, "node", "") == node]
    assert [type(body).__name__ for body in bodies].count("AttemptStarted") == 1
    assert "The provider scaffold is a program and would answer the same again." in bodies[-1].reason
    assert states(result)["build[backend_api]"] == "succeeded"


def answers(first):
    """A script in which everything but one answer is the offline provider's."""
    return json.dumps({"answers": [first, {"use": "scaffold"}]})


def wrong_call(project):
    """The first finding of a recheck in the report."""
    report = json.loads((project.output / "contracts/validation_report.json").read_text())
    issues = report["contracts"]["web_app"]["issues"]
    return next(item for item in issues if "/list/" in item["message"] and item["severity"] != "info")
