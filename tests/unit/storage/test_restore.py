from __future__ import annotations

from contextlib import closing

import pytest
from support.plans import run_record

from maestro_dsl.engine.events import AttemptStarted, Event, RunFinished, RunStarted
from maestro_dsl.engine.state import fold
from maestro_dsl.errors import IntegrityError, UsageError
from maestro_dsl.storage.journal import Journal
from maestro_dsl.storage.restore import restore_latest

STARTED = RunStarted(plan_id="p", plan_digest="d", output="/out", tool_version="1")
ATTEMPT = AttemptStarted(node="n", attempt=1, round=1, fence=1, key="k")
ENDED = RunFinished(status="completed", verdict="verified")


@pytest.fixture
def journal(tmp_path):
    with closing(Journal.open(tmp_path)) as journal:
        yield journal


def store(journal, run_id, *bodies, created_at=1.0):
    record = run_record(run_id, at=created_at)
    journal.create_run(record, b"{}")
    events = [Event(run_id=run_id, seq=seq, at=float(seq), body=body) for seq, body in enumerate(bodies, 1)]
    for event in events:
        journal.append([event], 1)
    return events


def test_the_newest_run_that_has_not_ended_is_restored(journal):
    assert restore_latest(journal) is None
    store(journal, "old", STARTED, created_at=1.0)
    wanted = store(journal, "newer", STARTED, ATTEMPT, created_at=2.0)
    store(journal, "ended", STARTED, ENDED, created_at=3.0)
    assert restore_latest(journal) == fold(wanted)


def test_one_run_is_restored_in_whatever_state(journal):
    events = store(journal, "ended", STARTED, ENDED)
    assert restore_latest(journal, "ended") == fold(events)
    with pytest.raises(UsageError, match="there is no run nope"):
        restore_latest(journal, "nope")


def test_a_damaged_history_is_no_empty_one(journal):
    store(journal, "r", STARTED, ATTEMPT)
    with journal.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM events WHERE seq = 1")
    with pytest.raises(IntegrityError, match="is damaged at event 1"):
        restore_latest(journal)
