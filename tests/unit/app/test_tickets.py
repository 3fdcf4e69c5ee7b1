"""Tickets through the program: made and delivered by a run, kept where the place is down, listed, dropped."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from support.files import write
from support.projects import IMPATIENT, bare

from maestro_dsl import app
from maestro_dsl.cli.main import execute
from maestro_dsl.errors import HelpNeeded
from maestro_dsl.interfaces.registry import kind_of
from maestro_dsl.lang.model import ContractType
from maestro_dsl.lang.settings import Overrides
from maestro_dsl.net.server import serve

SHAPE = Path(__file__).parents[2] / "fixtures" / "openapi" / "webhook.yaml"
NODES = '  bad: {action: command, with: {run: [python, -c, "import sys; sys.exit(1)"]}}\n'
TICKETS = 'tickets: {sink: webhook, url: "URL/hooks/maestro", secret_env: HOOK_SECRET}\n'
ENVIRON = {"HOOK_SECRET": "a long shared secret"}
NOBODY = "http://127.0.0.1:9"


async def apply(folder, url, environ=ENVIRON):
    write(folder, bare(NODES, settings=IMPATIENT + TICKETS.replace("URL", url)))
    report = app.plan_report(
        folder / "plan.yaml", overrides=Overrides(), environ=environ, state_dir=folder / "state"
    )
    return await app.apply(report, options=app.ApplyOptions(), environ=environ)


def command(folder, capsys, *arguments):
    code = execute(["tickets", *arguments, "--state-dir", str(folder / "state"), "--format", "json"])
    return code, json.loads(capsys.readouterr().out)


def everything(folder):
    return b"".join(path.read_bytes() for path in (folder / "state").rglob("*") if path.is_file())


def test_a_run_delivers_its_ticket_and_says_so(tmp_path, capsys):
    async def main():
        kind, calls = kind_of(ContractType.REST_API), []
        api, _ = kind.parse(SHAPE.read_bytes(), SHAPE.name)
        server = await serve(kind.serve(api, seed=1, record=calls.append, name="hook"))
        try:
            return await apply(tmp_path, server.url), calls
        finally:
            await server.stop()

    result, calls = asyncio.run(main())
    assert [(call["status"], call["violations"]) for call in calls] == [(202, [])]
    (ticket,) = result.tickets
    assert (ticket.node, ticket.status.value, ticket.tries) == ("bad", "delivered", 1)
    with pytest.raises(HelpNeeded) as caught:
        result.raise_for_failure()
    assert caught.value.ticket == ticket.key
    code = execute(["show", "last", "--state-dir", str(tmp_path / "state")])
    shown = capsys.readouterr().out
    assert (code, f"Tickets\n  bad: {ticket.reference}" in shown) == (0, True)
    assert b"a long shared secret" not in everything(tmp_path)


def test_a_ticket_waits_where_nobody_answers_and_can_be_seen_tried_and_dropped(tmp_path, capsys):
    result = asyncio.run(apply(tmp_path, NOBODY))
    (ticket,) = result.tickets
    assert (ticket.status.value, ticket.error) == ("pending", f"nothing answers at {NOBODY}")

    code, listed = command(tmp_path, capsys, "list", "--pending")
    assert (code, [item["key"] for item in listed["tickets"]]) == (0, [ticket.key])
    code, shown = command(tmp_path, capsys, "show", ticket.key[:6])
    assert (code, shown["ticket"]["node"]) == (0, "bad")
    assert "maestro retry" in shown["ticket"]["text"]

    code, tried = command(tmp_path, capsys, "deliver")
    assert (code, tried["tickets"][0]["tries"]) == (1, 2)
    assert tried["tickets"][0]["error"] == "the environment variable HOOK_SECRET is not set"

    for _ in range(2):  # twice is harmless
        code, dropped = command(tmp_path, capsys, "drop", ticket.key)
        assert (code, dropped["ticket"]["status"]) == (0, "dropped")
    assert command(tmp_path, capsys, "list", "--pending")[1]["tickets"] == []
    code, error = command(tmp_path, capsys, "show", "nothing")
    assert (code, error["error"]["kind"]) == (5, "state")


def test_settings_that_cannot_be_used_stop_the_plan_before_anything_runs(tmp_path):
    from maestro_dsl.errors import UsageError

    with pytest.raises(UsageError, match="would send a secret without encryption"):
        asyncio.run(apply(tmp_path, "http://example.com"))
    assert not (tmp_path / "build").exists()


def test_the_list_reads_well(tmp_path, capsys):
    asyncio.run(apply(tmp_path, NOBODY))
    assert execute(["tickets", "list", "--state-dir", str(tmp_path / "state")]) == 0
    output = capsys.readouterr()
    assert "bad" in output.out
    assert "pending: nothing answers at" in output.out
    assert "next: maestro tickets deliver" in output.err
