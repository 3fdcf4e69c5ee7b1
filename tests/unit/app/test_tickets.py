"""Tickets through the program: made and delivered by a run, kept where the place is down, listed, dropped."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from maestro_dsl import app
from maestro_dsl.cli.main import execute
from maestro_dsl.errors import HelpNeeded
from maestro_dsl.interfaces.registry import kind_of
from maestro_dsl.lang.model import ContractType
from maestro_dsl.lang.settings import Overrides
from maestro_dsl.net.server import serve

SHAPE = Path(__file__).parents[2] / "fixtures" / "openapi" / "webhook.yaml"
FILES = {
    "plan.yaml": """\
apiVersion: maestro/v1
kind: Plan
id: failing
requirement: Nothing works
blueprint: ./b.blueprint.yaml
team: {dev: {use: core/backend_developer}}
contracts: [c.contract.yaml]
""",
    "c.contract.yaml": """\
apiVersion: maestro/v1
kind: Contract
id: c
name: C
provider_persona_id: dev
deliverables: [{name: d, artifacts: ["*.md"]}]
""",
    "b.blueprint.yaml": """\
apiVersion: maestro/v1
kind: Blueprint
id: b
description: A program that fails
execution_mode: parallel
coordination_mode: handoff
nodes:
  bad: {action: command, with: {run: [python, -c, "import sys; sys.exit(1)"]}}
""",
}
PROJECT = """\
apiVersion: maestro/v1
kind: Project
id: failing
sandbox: none
defaults: {policies: {retry: {max_attempts: 1}, safety: {max_attempts: 1}}}
tickets: {sink: webhook, url: "URL/hooks/maestro", secret_env: HOOK_SECRET}
"""
ENVIRON = {"HOOK_SECRET": "a long shared secret"}
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def folder(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


async def apply(folder, url, environ=ENVIRON):
    (folder / "maestro.yaml").write_text(PROJECT.replace("URL", url))
    report = app.plan_report(
        folder / "plan.yaml", overrides=Overrides(), environ=environ, state_dir=folder / "state"
    )
    return await app.apply(report, options=app.ApplyOptions(), environ=environ)


def command(folder, capsys, *arguments):
    code = execute(["tickets", *arguments, "--state-dir", str(folder / "state"), "--format", "json"])
    return code, json.loads(capsys.readouterr().out)


def everything(folder):
    return b"".join(path.read_bytes() for path in (folder / "state").rglob("*") if path.is_file())


def test_a_run_delivers_its_ticket_and_says_so(folder, capsys):
    async def main():
        kind, calls = kind_of(ContractType.REST_API), []
        api, _ = kind.parse(SHAPE.read_bytes(), SHAPE.name)
        server = await serve(kind.serve(api, seed=1, record=calls.append, name="hook"))
        try:
            return await apply(folder, server.url), calls
        finally:
            await server.stop()

    result, calls = asyncio.run(main())
    assert [(call["status"], call["violations"]) for call in calls] == [(202, [])]
    (ticket,) = result.tickets
    assert (ticket.node, ticket.status.value, ticket.tries) == ("bad", "delivered", 1)
    with pytest.raises(HelpNeeded) as caught:
        result.raise_for_failure()
    assert caught.value.ticket == ticket.key
    code = execute(["show", "last", "--state-dir", str(folder / "state")])
    shown = capsys.readouterr().out
    assert (code, f"Tickets\n  bad: {ticket.reference}" in shown) == (0, True)
    assert b"a long shared secret" not in everything(folder)


def test_a_ticket_waits_where_nobody_answers_and_can_be_seen_tried_and_dropped(folder, capsys):
    result = asyncio.run(apply(folder, NOBODY))
    (ticket,) = result.tickets
    assert (ticket.status.value, ticket.error) == ("pending", f"nothing answers at {NOBODY}")

    code, listed = command(folder, capsys, "list", "--pending")
    assert (code, [item["key"] for item in listed["tickets"]]) == (0, [ticket.key])
    code, shown = command(folder, capsys, "show", ticket.key[:6])
    assert (code, shown["ticket"]["node"]) == (0, "bad")
    assert "maestro retry" in shown["ticket"]["text"]

    code, tried = command(folder, capsys, "deliver")
    assert (code, tried["tickets"][0]["tries"]) == (1, 2)
    assert tried["tickets"][0]["error"] == "the environment variable HOOK_SECRET is not set"

    for _ in range(2):  # twice is harmless
        code, dropped = command(folder, capsys, "drop", ticket.key)
        assert (code, dropped["ticket"]["status"]) == (0, "dropped")
    assert command(folder, capsys, "list", "--pending")[1]["tickets"] == []
    code, error = command(folder, capsys, "show", "nothing")
    assert (code, error["error"]["kind"]) == (5, "state")


def test_settings_that_cannot_be_used_stop_the_plan_before_anything_runs(folder):
    from maestro_dsl.errors import UsageError

    with pytest.raises(UsageError, match="would send a secret without encryption"):
        asyncio.run(apply(folder, "http://example.com"))
    assert not (folder / "build").exists()


def test_the_list_reads_well(folder, capsys):
    asyncio.run(apply(folder, NOBODY))
    assert execute(["tickets", "list", "--state-dir", str(folder / "state")]) == 0
    output = capsys.readouterr()
    assert "bad" in output.out
    assert "pending: nothing answers at" in output.out
    assert "next: maestro tickets deliver" in output.err
