"""Projects in temporary folders, and runs of them through the functions that every front end calls."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from pathlib import Path

from maestro_dsl import app
from maestro_dsl.engine.events import NodeFinished
from maestro_dsl.lang.settings import Overrides

EXAMPLES = Path(__file__).parents[2] / "examples"
FIXTURES = Path(__file__).parents[1] / "fixtures"
IMPATIENT = "defaults: {policies: {retry: {max_attempts: 1}, safety: {max_attempts: 1}}}\n"
"""Settings of a project in which nothing is tried twice."""
REPORTS = {"quality_report.json", "contracts/validation_report.json"}


def bare(nodes: str, *, settings: str = "", plan: str = "") -> dict[str, str]:
    """Return the files of a project with one persona and one contract; its blueprint holds `nodes`.

    `settings` are further lines of the project, `plan` of the plan.
    """
    return {
        "maestro.yaml": f"apiVersion: maestro/v1\nkind: Project\nid: bare\nsandbox: none\n{settings}",
        "plan.yaml": f"""\
apiVersion: maestro/v1
kind: Plan
id: bare
requirement: Something small
blueprint: ./b.blueprint.yaml
team: {{dev: {{use: core/backend_developer}}}}
contracts: [c.contract.yaml]
{plan}""",
        "c.contract.yaml": """\
apiVersion: maestro/v1
kind: Contract
id: c
name: C
provider_persona_id: dev
deliverables: [{name: d, artifacts: ["*.md"]}]
""",
        "b.blueprint.yaml": f"""\
apiVersion: maestro/v1
kind: Blueprint
id: b
description: A few nodes
execution_mode: parallel
coordination_mode: handoff
nodes:
{nodes}""",
    }


class Project:
    """A copy of an example with a state directory of its own."""

    def __init__(self, folder: Path, state: Path, example: str) -> None:
        shutil.copytree(EXAMPLES / example, folder, ignore=shutil.ignore_patterns("build", ".maestro"))
        self.folder = folder
        self.state = state
        self.plan_file = folder / "plan.yaml"
        self.output = folder / "build"

    def shrink(self) -> Project:
        """Make it small for where size does not matter: two contracts, three operations."""
        (self.folder / "contracts/acceptance_tests.contract.yaml").unlink()
        self.edit("plan.yaml", "  qa_engineer: {use: core/qa_engineer, token_budget: 50k}\n", "")
        self.edit(
            "contracts/backend_api.contract.yaml", "[frontend_developer, qa_engineer]", "[frontend_developer]"
        )
        shutil.copy(FIXTURES / "openapi/tasks.yaml", self.folder / "contracts/api_spec.yaml")
        return self

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text()
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new, 1))

    def report(self, **overrides):
        return app.plan_report(
            self.plan_file, overrides=Overrides(**overrides), environ={}, state_dir=self.state
        )

    def apply(self, *, sinks=(), options=None, **overrides):
        report = self.report(**overrides)
        return asyncio.run(
            app.apply(report, options=options or app.ApplyOptions(), environ={}, sinks=list(sinks))
        )

    def script(self, answers: str, attempts: int = 1) -> None:
        """Let a script answer, in one round of so many attempts without much waiting."""
        (self.folder / "script.yaml").write_text(answers)
        self.edit("plan.yaml", "provider: scaffold ", "provider: scripted:script.yaml ")
        retry = f"retry: {{max_attempts: {attempts}, delay: 10ms, max_delay: 10ms}}"
        few = f"{retry}\n    safety: {{max_attempts: 1}}"
        self.edit("maestro.yaml", "retry: {max_attempts: 3, delay: 1s, max_delay: 5s}", few)

    def digests(self) -> dict[str, str]:
        """Path → SHA-256 of everything in the output but the reports and the tool's own folder."""
        found = {}
        for path in sorted(self.output.rglob("*")):
            name = path.relative_to(self.output).as_posix()
            if path.is_file() and not name.startswith(".maestro/") and name not in REPORTS:
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found


def states(result) -> dict[str, str]:
    """Address → final state."""
    finished = (event.body for event in result.events if isinstance(event.body, NodeFinished))
    return {body.node: body.state for body in finished}


def ran(result) -> set[str]:
    """Addresses of the nodes that were really worked on."""
    return {event.body.node for event in result.events if type(event.body).__name__ == "AttemptStarted"}


def reasons(result) -> dict[str, str]:
    """Address → why it ran."""
    return {
        event.body.node: event.body.reason
        for event in reversed(result.events)
        if type(event.body).__name__ == "AttemptStarted"
    }
