"""How patience with providers, answers and tickets read: in lines, in the live view, in the summary."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from maestro_dsl.engine.events import (
    Event,
    LimitRaised,
    NodeDecided,
    NodeWaiting,
    ProviderHeld,
    RunPaused,
    RunResumed,
    RunStarted,
    TicketOpened,
)
from maestro_dsl.engine.state import fold
from maestro_dsl.engine.tickets import Ticket, TicketStatus
from maestro_dsl.reporters import run as reporter
from maestro_dsl.reporters.lines import JsonLines, Quiet, describe
from maestro_dsl.reporters.live import LiveView
from maestro_dsl.reporters.run_json import json_document

STARTED = RunStarted(plan_id="p", plan_digest="d", output="o", tool_version="1")
HELD = ProviderHeld(provider="acme", until=130.0, reason="throttle, spends no attempt")
OPENED = TicketOpened(node="build[api]", key="3f9a01", title="t", text="x")


def event(body, seq=2, at=100.0):
    return Event(run_id="r", seq=seq, at=at, body=body)


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (HELD, "acme: nobody calls it for 30 s: throttle, spends no attempt"),
        (OPENED, "build[api]: ticket 3f9a01 asks for help"),
        (NodeDecided(node="a", decision="approve", by="ann"), "a: approve by ann"),
        (LimitRaised(max_cost_nano_usd=2 * 10**9, max_tokens=5_000), "limits are now 2.00 USD, 5,000 tokens"),
        (LimitRaised(max_duration_s=7_200), "limits are now 2h of work"),
    ],
)
def test_lines(body, line):
    assert describe(event(body)) == line


def test_the_live_view_counts_the_seconds_of_patience_down(sample_plan, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    stream = io.StringIO()
    view = LiveView(sample_plan, stream, colour=False)
    for body in (STARTED, HELD, OPENED):
        view.on_event(event(body, seq=[STARTED, HELD, OPENED].index(body) + 1))
    view.tick(110.0)
    assert "acme asks for patience: 20 s" in stream.getvalue()
    assert "1 ticket" in stream.getvalue()
    stream.truncate(0)
    view.tick(140.0)
    view.close()
    assert "asks for patience" not in stream.getvalue()


def test_the_summary_says_where_each_ticket_is(sample_plan):
    waiting = Ticket(key="k", run_id="r", node="a", title="t", text="x", error="nothing answers at https://x")
    sent = replace(
        waiting,
        node="b",
        status=TicketStatus.DELIVERED,
        reference="OPS-7",
        url="https://x/browse/OPS-7",
        error="",
    )
    view = reporter.RunView(
        plan=sample_plan,
        state=fold([event(STARTED, 1)]),
        output="o",
        status="failed",
        verdict="not_fulfilled",
        tickets=(waiting, sent),
    )
    lines = "Tickets\n  a: pending: nothing answers at https://x\n  b: OPS-7 https://x/browse/OPS-7\n"
    assert lines in reporter.text(view)
    assert [item["reference"] for item in json_document(view)["tickets"]] == ["", "OPS-7"]


def test_the_summary_names_the_open_questions_and_why_it_waits(sample_plan):
    address = sample_plan.nodes[0].address
    asked = [
        event(STARTED, 1),
        event(NodeWaiting(node=address, question="Ship it?"), 2),
        event(RunPaused(reason="waiting for an answer", by="approval"), 3),
    ]
    view = reporter.RunView(
        plan=sample_plan, state=fold(asked), output="o", status="paused", verdict="", live=False
    )
    assert f"Waits for an answer\n  {address}: Ship it?\n" in reporter.text(view)
    assert "\n  waiting for an answer\n" in reporter.text(view)
    answered = [*asked, event(NodeDecided(node=address, decision="approve", by="ann"), 4)]
    shown = reporter.text(replace(view, state=fold(answered)))
    assert "Ship it?" not in shown
    assert "waiting for an answer" not in shown
    assert "\n  every question has its answer: maestro resume goes on\n" in shown


def test_the_live_view_keeps_a_note_and_counts_the_time_at_work(sample_plan, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    stream = io.StringIO()
    view = LiveView(sample_plan, stream, colour=False)
    night = [
        event(STARTED, 1, at=100.0),
        event(RunPaused(reason="for the night", by="person"), 2, at=105.0),
        event(RunResumed(epoch=2), 3, at=40_000.0),
    ]
    view.seed(night[:2])
    view.on_event(night[2])
    view.tick(40_002.0)
    assert view.note("stopping")
    view.close()
    assert " · 7 s · " in stream.getvalue()
    assert "stopping\n" in stream.getvalue()


@pytest.mark.parametrize("sink", [JsonLines(io.StringIO()), Quiet()])
def test_other_progress_leaves_a_note_to_the_command(sink):
    assert not sink.note("stopping")
