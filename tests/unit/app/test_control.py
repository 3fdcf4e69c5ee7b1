"""Requests about runs: written where nobody is at work, sent and waited for where somebody is."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from support.files import write
from support.projects import bare

from maestro_dsl import app
from maestro_dsl.app.state import holder
from maestro_dsl.app.system import SystemClock
from maestro_dsl.engine.state import fold
from maestro_dsl.errors import StateError, UsageError
from maestro_dsl.lang.settings import Overrides
from maestro_dsl.storage.commands import Commands
from maestro_dsl.storage.journal import Journal
from maestro_dsl.storage.lease import RunLease

NODES = """\
  first: {action: approve}
  second: {action: approve}
  after: {action: render, needs: [first], with: {path: out.txt, text: x}}
"""


@pytest.fixture
def waiting(tmp_path):
    """A run that waits for two answers, and nobody at work on it."""
    write(tmp_path, bare(NODES))
    state_dir = tmp_path / "state"
    report = app.plan_report(tmp_path / "plan.yaml", overrides=Overrides(), environ={}, state_dir=state_dir)
    result = asyncio.run(app.apply(report, options=app.ApplyOptions(), environ={}))
    assert result.status == "paused"
    return SimpleNamespace(
        run_id=result.run_id, where={"environ": {}, "state_dir": state_dir}, path=state_dir
    )


def state_of(run):
    return fold(app.show_run(run.run_id, **run.where).events)


# ---- nobody at work --------------------------------------------------------------------------------------


def test_an_answer_is_stored_and_the_same_one_twice_is_one(waiting):
    first = app.decide("last", "first", "approve", note="seen", **waiting.where)
    assert (first.done, first.live) == (True, False)
    assert first.text == "first: approve is written; nobody is at work on the run"
    again = app.decide("last", "first", "approve", **waiting.where)
    assert again.text == "first was answered already: approve"
    with pytest.raises(StateError, match="first was answered already: approve") as caught:
        app.decide("last", "first", "reject", **waiting.where)
    assert caught.value.exit_code == 5
    decision = state_of(waiting).nodes["first"].decision
    assert (decision.decision, decision.note) == ("approve", "seen")


def test_the_node_may_be_left_out_where_one_waits_only(waiting):
    with pytest.raises(UsageError, match="2 nodes wait for an answer; name one") as caught:
        app.decide("last", None, "approve", **waiting.where)
    assert caught.value.hint == "first, second"
    app.decide("last", "first", "approve", **waiting.where)
    assert "second: skip is written" in app.decide("last", None, "skip", **waiting.where).text
    with pytest.raises(StateError, match="waits for an answer"):
        app.decide("last", None, "approve", **waiting.where)


def test_an_unknown_node_gets_a_guess(waiting):
    with pytest.raises(UsageError, match='has no node "frist" - did you mean "first"'):
        app.decide("last", "frist", "approve", **waiting.where)


def test_a_pause_of_a_run_nobody_works_on_is_written(waiting):
    assert app.pause("last", note="lunch", **waiting.where).text == "paused; nobody was at work on it"
    assert app.pause("last", **waiting.where).text.endswith("is paused already")
    paused = state_of(waiting).paused
    assert (paused.by, paused.reason.endswith(": lunch")) == ("person", True)


def test_a_cancelled_run_is_over_for_all_commands(waiting):
    assert app.cancel("last", **waiting.where).text == "cancelled"
    state = state_of(waiting)
    assert {record.state.value for record in state.nodes.values()} == {"cancelled"}
    assert app.cancel("last", **waiting.where).text.endswith("is cancelled already")
    for call in (
        lambda: app.pause("last", **waiting.where),
        lambda: app.decide("last", "first", "approve", **waiting.where),
        lambda: asyncio.run(app.resume("last", overrides=Overrides(), **waiting.where)),
    ):
        with pytest.raises(StateError) as caught:
            call()
        assert (caught.value.exit_code, "cancelled" in caught.value.message) == (5, True)
    assert app.failed_nodes("last", (), **waiting.where) == ("first", "second", "after")


def test_no_such_run(waiting):
    with pytest.raises(StateError, match='no run "nope"'):
        app.pause("nope", **waiting.where)


# ---- somebody at work ------------------------------------------------------------------------------------


@contextmanager
def at_work(run, react):
    """Hold the run's lease as a process would, and let `react(commands, command)` see each request."""
    journal, end = Journal.open(run.path), threading.Event()
    commands = Commands(journal.database)

    def look():
        while not end.wait(0.01):
            command = commands.next(run.run_id)
            if command is not None and react(commands, command):
                return

    thread = threading.Thread(target=look)
    with RunLease.acquire(run.path, run.run_id, holder(SystemClock()), journal.next_epoch) as lease:
        thread.start()
        try:
            yield lease
        finally:
            end.set()
            thread.join()
            journal.close()


def test_a_request_goes_to_the_process_at_work_and_waits_for_its_answer(waiting):
    seen = []

    def obey(commands, command):
        seen.append((command.kind.value, command.now))
        assert commands.accept(command.number)
        commands.answer(command.number, done=True, text="paused: nothing new starts")
        return True

    with at_work(waiting, obey):
        result = app.pause("last", now=True, **waiting.where)
    assert (result.live, result.done, result.text) == (True, True, "paused: nothing new starts")
    assert seen == [("pause", True)]


def test_a_refusal_of_the_process_is_a_state_error(waiting):
    def refuse(commands, command):
        commands.accept(command.number)
        commands.answer(command.number, done=False, text="first is being answered just now")
        return True

    with at_work(waiting, refuse), pytest.raises(StateError, match="is being answered just now"):
        app.decide("last", "first", "approve", **waiting.where)


def test_a_process_that_does_not_answer_changes_nothing_and_that_is_said(waiting):
    before = state_of(waiting).seq
    with (
        at_work(waiting, lambda *_: True),
        pytest.raises(StateError, match=r"did not answer within 0\.2 s; nothing was changed") as caught,
    ):
        app.cancel("last", wait_s=0.2, **waiting.where)
    assert caught.value.exit_code == 5
    assert state_of(waiting).seq == before
    assert app.pause("last", **waiting.where).live is False  # and the request is not left behind


def test_a_cancel_that_takes_long_is_said_to_be_under_way(waiting):
    with at_work(waiting, lambda commands, command: commands.accept(command.number)):
        result = app.cancel("last", wait_s=0.2, **waiting.where)
    assert (result.done, result.text) == (False, "cancel is under way; what runs has not ended yet")


def test_where_the_process_dies_over_a_request_it_is_done_here(waiting):
    held = {}

    def die(commands, command):
        commands.accept(command.number)
        held["lease"].release()
        return True

    with at_work(waiting, die) as lease:
        held["lease"] = lease
        result = app.cancel("last", **waiting.where)
    assert (result.live, result.text, state_of(waiting).status.value) == (False, "cancelled", "cancelled")


def test_a_retry_of_a_run_at_work_is_refused(waiting):
    with at_work(waiting, lambda *_: True), pytest.raises(StateError, match="a process is at work on run"):
        app.failed_nodes("last", ("first",), **waiting.where)
