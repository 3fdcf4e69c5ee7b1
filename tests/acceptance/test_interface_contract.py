"""A contract whose interface is code: stubs for the consumer, and the provider's files held against it."""

import asyncio
import json

import pytest
from support.files import write
from support.projects import states

from maestro_dsl import app
from maestro_dsl.cli.main import execute
from maestro_dsl.lang.settings import Overrides

PLAN = """\
apiVersion: maestro/v1
kind: Plan
id: store
requirement: A store and a page that shows it
blueprint: parallel-contract-first
provider: scripted:script.yaml
output: build
team:
  maker: {use: core/backend_developer}
  user: {use: core/frontend_developer}
contracts: ["*.contract.yaml"]
"""
CONTRACT = """\
apiVersion: maestro/v1
kind: Contract
id: {id}
name: {id}
type: INTERFACE
provider_persona_id: {provider}
{more}
deliverables: [{{name: all, artifacts: ["**/*.py"]}}]
"""
STORE = """\
from typing import Protocol

class Store(Protocol):
    def get(self, key: str) -> int: ...
    def put(self, key: str, value: int) -> None: ...
"""
SCRIPT = """\
answers:
  - match: {contract: store}
    files: {store.py: %s}
  - files: {page.py: "print('page')"}
"""
GOOD = (
    "class Kept:\n    def get(self, key):\n        return 1\n\n    def put(self, key, value):\n        pass\n"
)


@pytest.fixture
def project(tmp_path):
    def make(source):
        folder = tmp_path / "project"
        folder.mkdir()
        stated = "consumer_persona_ids: [user]\ninterface_spec: {type: python, spec_file: store_protocol.py}"
        files = {
            "plan.yaml": PLAN,
            "store.contract.yaml": CONTRACT.format(id="store", provider="maker", more=stated),
            "page.contract.yaml": CONTRACT.format(id="page", provider="user", more=""),
            "store_protocol.py": STORE,
            "script.yaml": SCRIPT % json.dumps(source),
        }
        return write(folder, files)

    return make


def applied(folder, state):
    report = app.plan_report(folder / "plan.yaml", overrides=Overrides(), environ={}, state_dir=state)
    return asyncio.run(app.apply(report, options=app.ApplyOptions(), environ={}, sinks=[]))


def test_the_consumer_gets_stubs_and_the_provider_is_held_against_the_protocol(project, tmp_path):
    folder = project(GOOD)
    result = applied(folder, tmp_path / "state")
    assert set(states(result).values()) <= {"succeeded", "succeeded_on_mock"}, states(result)
    assert result.verdict == "verified"
    made = folder / "build" / "contracts"
    names = {path.name for path in made.iterdir()}
    assert {
        "store_spec.py",
        "store_stubs.py",
        "store_stubs.ts",
        "store_stubs.json",
        "store_README.md",
    } <= names
    assert isinstance(json.loads((made / "store_stubs.json").read_text())["Store.get"][0], int)


def test_a_provider_that_lacks_a_method_is_not_fulfilled(project, tmp_path):
    result = applied(project(GOOD.replace("def put", "def push")), tmp_path / "state")
    assert result.verdict != "verified"
    found = [issue.message for event in result.events for issue in getattr(event.body, "issues", ()) or ()]
    assert "Store.put is missing in Kept" in found


def test_stubs_are_emitted_by_hand_and_serving_is_refused(project, tmp_path, capsys):
    folder = project(GOOD)
    assert (
        execute(["mock", "emit", str(folder / "store.contract.yaml"), "--output", str(tmp_path / "out")]) == 0
    )
    assert (tmp_path / "out" / "contracts" / "store_stubs.ts").is_file()
    capsys.readouterr()
    assert execute(["mock", "serve", str(folder / "store_protocol.py")]) == 2
    assert "write its stubs with maestro mock emit" in capsys.readouterr().err
