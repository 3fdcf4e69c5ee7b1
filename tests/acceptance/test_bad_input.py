"""Bad input through the command line: a finding or one clear line with a way out, and the right exit code."""

import json
import socket

import pytest
from support.program import inside
from support.sandboxes import needs_isolation

CYCLE = """\
apiVersion: maestro/v1
kind: Blueprint
id: cyclic
version: 1.0.0
name: Cyclic
description: Goes round
execution_mode: parallel
coordination_mode: contract
inputs: {}
nodes:
  one: {action: command, with: {run: [python, --version]}, needs: [two]}
  two: {action: command, with: {run: [python, --version]}, needs: [one]}
"""
DOCUMENTS = {
    # name: (file, old, new, code of the finding, its place, words of the message or the help)
    "unknown key": (
        "plan.yaml",
        "blueprint:",
        "bluprint:",
        "SCH001",
        "plan.yaml:10:1",
        'did you mean "blueprint"',
    ),
    "wrong type": ("plan.yaml", "0.80", "high", "SCH003", "plan.yaml:18:20", "must be a number"),
    "unknown persona": (
        "plan.yaml",
        "core/qa_engineer",
        "core/qa_enginer",
        "REF002",
        "plan.yaml:14:22",
        'did you mean "core/qa_engineer"',
    ),
    "unknown blueprint": (
        "plan.yaml",
        "parallel-contract-first",
        "paralel",
        "REF004",
        "plan.yaml:10:12",
        "parallel",
    ),
    "missing file": (
        "contracts/backend_api.contract.yaml",
        "api_spec.yaml",
        "api.yaml",
        "REF008",
        "contracts/backend_api.contract.yaml:11:60",
        "does not exist",
    ),
    "a spec that is no OpenAPI": (
        "contracts/api_spec.yaml",
        "openapi:",
        "swagger_like:",
        "CTR001",
        "contracts/api_spec.yaml:1:1",
        'the key "openapi" with the version is missing',
    ),
    "an artifact outside the output": (
        "contracts/acceptance_tests.contract.yaml",
        "test_*.py",
        '"../x/*.py"',
        "SCH003",
        "contracts/acceptance_tests.contract.yaml:13:17",
        'without ".."',
    ),
    "a cycle": (
        "plan.yaml",
        "parallel-contract-first",
        "cyclic",
        "GRF001",
        "cycle.blueprint.yaml:11:68",
        "dependency cycle",
    ),
}


@pytest.fixture
def apply(small):
    """Return a function that applies the plan; nobody can be asked."""

    def run(*arguments, **env):
        return inside("apply", "plan.yaml", "--state-dir", small.state, *arguments, cwd=small.folder, **env)

    return run


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_mistake_in_a_document_is_shown_where_it_stands(name, todo):
    file, old, new, code, place, words = DOCUMENTS[name]
    (todo.folder / "cycle.blueprint.yaml").write_text(CYCLE)
    path = todo.folder / file
    path.write_text("# a line of comment\n" + path.read_text())
    todo.edit(file, old, new)
    done = inside("apply", "plan.yaml", "--state-dir", todo.state, "--auto-approve", cwd=todo.folder)
    assert done.returncode == 4
    assert f"error[{code}]" in done.stderr
    assert words in done.stderr
    assert (place if name != "a cycle" else "cycle.blueprint.yaml:11:") in done.stderr
    assert "^" in done.stderr
    assert done.stdout == ""
    assert not todo.output.exists()
    linted = inside("lint", "plan.yaml", "--format", "json", cwd=todo.folder)
    assert linted.returncode == 1
    assert code in {item["code"] for item in json.loads(linted.stdout)["diagnostics"]}


def test_four_mistakes_of_one_document_are_reported_at_once(small):
    small.plan_file.write_text(
        "apiVersion: maestro/v1\nkind: Plan\nid: four\nblueprint: parallel-contract-first\n"
        "team:\n  backend_developer: {use: core/backend_developr}\nexecution: {schedule: sometimes}\n"
        "timeuot: 5m\ncontracts: []\nprovider: scaffold\nprovider: scaffold\n"
    )
    done = inside("lint", "plan.yaml", "--format", "json", cwd=small.folder)
    assert done.returncode == 1
    found = {item["code"]: item["range"]["start"]["line"] for item in json.loads(done.stdout)["diagnostics"]}
    assert {"REF002": 6, "SCH004": 7, "SCH001": 8, "SYN002": 11}.items() <= found.items()


@pytest.mark.parametrize("output", ["plan.yaml/below", "/proc/maestro"])
def test_an_output_that_cannot_be_written(output, apply):
    done = apply("--auto-approve", "--output", output)
    assert done.returncode == 8
    assert done.stderr.startswith("error: ")
    assert output.removesuffix("/below") in done.stderr
    assert "--output" in done.stderr


def test_a_state_directory_that_cannot_be_written(small):
    done = inside("apply", "plan.yaml", "--state-dir", "plan.yaml/state", cwd=small.folder)
    assert done.returncode == 8
    assert "--state-dir" in done.stderr
    assert not small.output.exists()


def test_a_plan_that_is_not_there(small):
    done = inside("apply", "plans.yaml", cwd=small.folder)
    assert done.returncode == 2
    assert "no plan at plans.yaml" in done.stderr
    assert "maestro init" in done.stderr


def test_a_port_in_use_fails_those_who_need_it_alone(small, apply):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        contract = small.folder / "contracts/backend_api.contract.yaml"
        contract.write_text(contract.read_text() + f"mock_endpoint: http://127.0.0.1:{port}\n")
        done = apply("--auto-approve")
    assert done.returncode == 1
    assert f"port {port}" in done.stdout
    assert "change mock_endpoint" in done.stdout
    assert (small.output / "backend_developer/server.py").is_file()
    assert apply("--auto-approve").returncode == 0  # the port is free again


def test_emitting_mocks_of_nothing(small):
    done = inside("mock", "emit", "contracts/web_app.contract.yaml", "--output", "mocks", cwd=small.folder)
    assert done.returncode == 2
    assert "web_app: it has no interface" in done.stderr
    assert not (small.folder / "mocks").exists()


def test_serving_on_a_port_in_use(small):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = inside("mock", "serve", "contracts/api_spec.yaml", "--port", port, cwd=small.folder)
    assert done.returncode == 8
    assert f"port {port} on 127.0.0.1 is already in use" in done.stderr


@needs_isolation
def test_a_provider_that_dies_at_its_start(small, apply):
    first_line = "from __future__ import annotations\n"
    last_words = f"{first_line}raise SystemExit('the disk is gone')\n"
    dying = {"file": "server.py", "find": first_line, "replace": last_words}
    first = {"match": {"contract": "backend_api"}, "use": "scaffold", "edit": [dying]}
    small.script(json.dumps({"answers": [first, {"use": "scaffold"}]}))
    done = apply("--auto-approve")
    assert done.returncode == 1
    assert "build[backend_api]: gave up" in done.stdout
    assert "the disk is gone" in done.stdout
    assert (small.output / "frontend_developer/index.html").is_file()


def test_a_script_that_cannot_be_read(small, apply):
    small.edit("plan.yaml", "provider: scaffold ", "provider: scripted:nowhere.yaml ")
    done = apply("--auto-approve")
    assert done.returncode == 2
    assert "nowhere.yaml cannot be read" in done.stderr


def test_an_unknown_provider_names_those_there_are(small, apply):
    small.edit("plan.yaml", "provider: scaffold ", "provider: scafold ")
    done = apply("--auto-approve")
    assert done.returncode == 4
    assert 'did you mean "scaffold"?' in done.stderr


def test_init_refuses_a_folder_that_is_not_empty(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    refused = inside("init", tmp_path)
    assert refused.returncode == 2
    assert "is not empty" in refused.stderr
    assert "--force" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    assert inside("init", tmp_path, "--force").returncode == 0
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_what_was_made_before_is_kept(experienced_small, apply):
    project = experienced_small
    assert apply("--auto-approve").returncode == 0
    before = project.digests()
    edited = project.output / "backend_developer/server.py"
    edited.write_text(edited.read_text() + "# mine\n")
    conflict = apply("--auto-approve")
    assert conflict.returncode == 1
    assert "--accept backend_developer/server.py keeps it" in conflict.stderr
    assert edited.read_text().endswith("# mine\n")
    assert apply("--auto-approve", "--replace", "backend_developer/server.py").returncode == 0
    assert project.digests() == before
    project.edit("contracts/api_spec.yaml", "openapi:", "swagger_like:")
    assert apply("--auto-approve").returncode == 4
    assert project.digests() == before
