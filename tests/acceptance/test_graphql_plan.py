"""A plan whose interface is GraphQL: consumers start on its mock, and a real service is verified for real."""

import asyncio
import json
import shutil
from pathlib import Path

from support.projects import states
from support.sandboxes import needs_isolation

from maestro_dsl import app
from maestro_dsl.lang.settings import Overrides

NOTES = Path(__file__).parents[1] / "fixtures" / "graphql" / "notes"
PLAN = """\
apiVersion: maestro/v1
kind: Plan
id: notes
name: Notes
requirement: A list of notes
blueprint: parallel-contract-first
team:
  backend_developer: {use: core/backend_developer}
  frontend_developer: {use: core/frontend_developer}
contracts: [contracts/*.contract.yaml]
provider: PROVIDER
policies: {retry: {max_attempts: 1, delay: 10ms, max_delay: 10ms}, safety: {max_attempts: 1}}
"""
API = """\
apiVersion: maestro/v1
kind: Contract
id: notes_api
version: 1.0.0
name: Notes
description: Notes over GraphQL
type: GRAPHQL
provider_persona_id: backend_developer
consumer_persona_ids: [frontend_developer]
interface_spec: {type: graphql, spec_file: notes.graphql}
start: [python, server.py]
deliverables:
  - name: service
    artifacts: ["*.py"]
    acceptance_criteria: [{check: graphql_conformance}]
"""
WEB = """\
apiVersion: maestro/v1
kind: Contract
id: notes_client
version: 1.0.0
name: Client
description: What asks for the notes
type: INTERFACE
provider_persona_id: frontend_developer
deliverables:
  - name: client
    artifacts: ["*.py"]
    acceptance_criteria: [{check: command, run: [python, -m, unittest, test_client]}]
"""


class Notes:
    """A project in a temporary folder."""

    def __init__(self, folder, provider):
        (folder / "contracts").mkdir(parents=True)
        self.folder = folder
        self.plan = folder / "plan.yaml"
        self.plan.write_text(PLAN.replace("PROVIDER", provider))
        (folder / "contracts" / "api.contract.yaml").write_text(API)
        (folder / "contracts" / "client.contract.yaml").write_text(WEB)
        shutil.copy(NOTES / "notes.graphql", folder / "contracts" / "notes.graphql")

    def script(self, old="", new=""):
        server = (NOTES / "server.py").read_text()
        assert old in server
        backend = {"server.py": server.replace(old, new, 1) if old else server}
        frontend = {
            "client.py": (NOTES / "client.py").read_text(),
            "test_client.py": (NOTES / "client_checks.py").read_text(),
        }
        answers = [
            {"match": {"contract": "notes_api"}, "files": backend},
            {"match": {"contract": "notes_client"}, "files": frontend},
        ]
        (self.folder / "script.yaml").write_text(json.dumps({"answers": answers}))

    def report(self):
        return app.plan_report(
            self.plan, overrides=Overrides(), environ={}, state_dir=self.folder.parent / "state"
        )

    def apply(self):
        return asyncio.run(app.apply(self.report(), options=app.ApplyOptions(), environ={}, sinks=[]))


@needs_isolation
def test_the_consumer_starts_on_the_mock_and_both_are_checked_against_the_real_service(tmp_path):
    project = Notes(tmp_path / "project", "scripted:script.yaml")
    project.script()
    result = project.apply()
    assert (result.status, result.verdict) == ("completed", "verified"), states(result)
    final = states(result)
    assert final["mock[notes_api]"] == "succeeded"
    assert final["build[notes_client]"] == "succeeded_on_mock"
    assert final["recheck[notes_api/build[notes_client]]"] == "succeeded"
    made = {path.name for path in (project.folder / "build" / "contracts").iterdir()}
    assert {"notes_api_spec.graphql", "notes_api_mock_server.js", "notes_api_README.md"} <= made


@needs_isolation
def test_a_service_that_forgets_is_found(tmp_path):
    project = Notes(tmp_path / "project", "scripted:script.yaml")
    project.script('NOTES[note["id"]] = note', "pass")
    result = project.apply()
    assert result.verdict != "verified"
    told = json.dumps([str(event.body) for event in result.events])
    assert "query note does not find the Note" in told


def test_the_offline_provider_says_that_it_cannot_build_a_graphql_service(tmp_path):
    project = Notes(tmp_path / "project", "scaffold")
    result = project.apply()
    assert result.verdict != "verified"
    told = json.dumps([str(event.body) for event in result.events])
    assert "scaffold writes services for OpenAPI interfaces, not for graphql; use a model" in told
    assert states(result)["mock[notes_api]"] == "succeeded"


def test_what_is_wrong_with_a_schema_is_found_by_lint(tmp_path):
    project = Notes(tmp_path / "project", "scaffold")
    schema = project.folder / "contracts" / "notes.graphql"
    schema.write_text(schema.read_text().replace("note(id: ID!): Note", "note(id: ID!): Nothing"))
    found = [item for item in app.lint([project.plan], environ={}).diagnostics if item.code == "CTR001"]
    assert [(item.severity.value, item.span.line, item.message) for item in found] == [
        ("warning", 3, '"Nothing" is defined nowhere; it is taken as a scalar')
    ]
    schema.write_text("type Note { id: ID! }")
    [found] = [item for item in app.lint([project.plan], environ={}).diagnostics if item.code == "CTR001"]
    assert found.severity.value == "error"
    assert "it defines no type Query, Mutation or Subscription" in found.message


def test_comments_and_layout_change_no_answer_and_no_key(tmp_path):
    project = Notes(tmp_path / "project", "scaffold")
    before = project.report().plan.contracts
    schema = project.folder / "contracts" / "notes.graphql"
    schema.write_text("# a comment\n" + schema.read_text().replace("  ", "      "))
    after = project.report().plan.contracts
    digests = [{item.id: item.interface_digest for item in contracts} for contracts in (before, after)]
    assert digests[0] == digests[1]
    assert digests[0]["notes_api"] is not None
