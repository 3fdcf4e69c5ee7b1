"""What is known not to be there is not asked for, and is asked for again as soon as that might be wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from maestro_dsl.engine.events import AlertRaised, Event, RunStarted
from maestro_dsl.engine.ports.storage import CachedResult, RunRecord
from maestro_dsl.storage.journal import Journal
from maestro_dsl.storage.presence import FRESH_S, Presence

RESULT = CachedResult(
    key="a",
    node="n",
    parts={},
    result_digest="r",
    files=(),
    state="succeeded",
    score=None,
    outputs={},
    tokens=0,
    nano_usd=0,
)


class Asked:
    """Counts the questions that reach the database."""

    def __init__(self, journal, monkeypatch):
        self.count = 0
        ask = journal.database.row

        def counting(query, values):
            self.count += 1
            return ask(query, values)

        monkeypatch.setattr(journal.database, "row", counting)


@pytest.fixture
def now(monkeypatch):
    """Return a clock that a test sets."""
    time = [0.0]
    made = Presence.__init__
    monkeypatch.setattr(Presence, "__init__", lambda self: made(self, lambda: time[0]))
    return time


@pytest.fixture
def journal(tmp_path, now):  # noqa: ARG001 - a journal of that clock
    with_runs = Journal.open(tmp_path)
    for run_id in ("run", "other"):
        with_runs.create_run(
            RunRecord(
                run_id=run_id,
                plan_id="p",
                plan_digest="d",
                output=run_id,
                status="pending",
                verdict="pending",
                created_at=0.0,
                updated_at=0.0,
            ),
            b"{}",
        )
    yield with_runs
    with_runs.close()


def append(journal, seq, *results, run_id="run"):
    first = RunStarted(plan_id="p", plan_digest="d", output="o", tool_version="1")
    body = first if seq == 1 else AlertRaised(kind="k", subject="s", message="m")
    journal.append([Event(run_id=run_id, seq=seq, at=0.0, body=body)], 1, results, "p")


def test_what_is_not_there_is_asked_for_once(journal, monkeypatch):
    asked = Asked(journal, monkeypatch)
    assert journal.result("a") is None
    append(journal, 1)
    for key in ("a", "b", "c"):
        assert (journal.result(key), journal.last_result("p", key)) == (None, None)
    assert asked.count == 1


def test_what_this_process_stores_is_found_at_once(journal, now):
    assert journal.result("a") is None
    append(journal, 1, RESULT)
    assert journal.result("a") == journal.last_result("p", "n") == RESULT
    assert journal.last_result("p", "m") is None
    now[0] += 10
    assert journal.result("a") == RESULT


def test_what_is_known_is_believed_for_a_moment_only(journal, now, tmp_path, monkeypatch):
    assert journal.result("a") is None
    append(journal, 1)
    other = Journal.open(tmp_path)
    append(other, 1, RESULT, run_id="other")
    other.close()
    asked = Asked(journal, monkeypatch)
    now[0] += FRESH_S
    assert journal.result("a") == RESULT
    assert asked.count == 1


def test_once_somebody_else_has_written_the_database_is_asked(journal, tmp_path, monkeypatch):
    assert journal.result("a") is None
    append(journal, 1)
    other = Journal.open(tmp_path)
    append(other, 1, RESULT, run_id="other")
    asked = Asked(journal, monkeypatch)
    append(journal, 2)
    assert journal.result("a") == RESULT
    assert journal.result("b") is None
    append(other, 2, replace(RESULT, key="b", node="m"), run_id="other")
    assert journal.last_result("p", "m").key == "b"
    assert asked.count == 4  # the newest of a node, then its result
    other.close()


def test_an_append_that_fails_leaves_nothing_that_would_be_missed(journal, monkeypatch):
    assert journal.result("a") is None
    append(journal, 1)

    def full(*_):
        raise OSError("full")

    with monkeypatch.context() as patched:
        patched.setattr(journal._outbox, "put_all", full)
        with pytest.raises(OSError, match="full"):
            append(journal, 2, RESULT)
    assert journal.result("a") is None
    append(journal, 2, RESULT)
    assert journal.result("a") == RESULT


def test_without_a_version_nothing_is_believed():
    presence = Presence()
    presence.learn({"results": set()}, None)
    presence.confirm(None)
    assert not presence.is_known
    assert not presence.lacks("results", ("a",))
