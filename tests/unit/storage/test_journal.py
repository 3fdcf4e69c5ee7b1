from __future__ import annotations

import pytest
from support.plans import run_record

from maestro_dsl.engine.events import AttemptStarted, Event, RunFinished, RunPaused, RunResumed, RunStarted
from maestro_dsl.engine.state import fold
from maestro_dsl.errors import IntegrityError, StateError, UsageError
from maestro_dsl.storage.journal import Journal
from maestro_dsl.storage.watermarks import mark_name


def record(run_id="r", *, plan_digest="d" * 64, output="/out", created_at=1.0):
    return run_record(run_id, at=created_at, plan_digest=plan_digest, output=output)


def event(seq, run_id="r", body=None):
    start = AttemptStarted(node="n", attempt=1, round=1, fence=1, key="k")
    return Event(run_id=run_id, seq=seq, at=float(seq), body=body or start)


STARTED = RunStarted(plan_id="p", plan_digest="d" * 64, output="/out", tool_version="1")


@pytest.fixture
def journal(tmp_path):
    journal = Journal.open(tmp_path)
    yield journal
    journal.close()


def sql(journal, statement):
    with journal._database.writing() as connection:
        connection.exec_driver_sql(statement)


def test_a_gap_in_the_sequence_is_refused(journal):
    journal.create_run(record(), b"{}")
    journal.append([event(1)], 1)
    with pytest.raises(StateError, match="has 1 events, so event 3 does not follow"):
        journal.append([event(3)], 1)
    with pytest.raises(StateError, match="has 2 events, so event 4 does not follow"):
        journal.append([event(2), event(4)], 1)
    assert [item.seq for item in journal.events("r")] == [1]
    journal.append([event(2)], 1)


def test_events_of_two_runs_are_not_one_append(journal):
    with pytest.raises(ValueError, match="one append holds the events of one run"):
        journal.append([event(1), event(1, "other")], 1)


def test_an_append_of_nothing_does_nothing(journal):
    journal.append([], 1)


def test_an_existing_run_is_not_created_again(journal):
    journal.create_run(record(), b"{}")
    with pytest.raises(StateError, match="run r exists already"):
        journal.create_run(record(), b"{}")


@pytest.mark.parametrize("ask", [Journal.run, Journal.plan, Journal.events, Journal.next_epoch])
def test_an_unknown_run_is_a_mistake_of_the_user(journal, ask):
    with pytest.raises(UsageError, match="there is no run nope"):
        ask(journal, "nope")


def test_taking_a_run_over_fences_its_former_holder_at_once(tmp_path):
    first, second = Journal.open(tmp_path), Journal.open(tmp_path)
    first.create_run(record(), b"{}")
    epoch = first.next_epoch("r")
    first.append([event(1)], epoch)
    newer = second.next_epoch("r")
    with pytest.raises(StateError, match="another process took run r over"):
        first.append([event(2)], epoch)
    second.append([event(2)], newer)
    assert [item.seq for item in first.events("r")] == [1, 2]
    first.close()
    second.close()


def test_two_writers_of_one_epoch_cannot_write_the_same_place(tmp_path):
    first, second = Journal.open(tmp_path), Journal.open(tmp_path)
    first.create_run(record(), b"{}")
    first.append([event(1)], 1)
    second.append([event(2)], 1)
    with pytest.raises(StateError, match="does not follow"):
        first.append([event(2)], 1)
    first.append([event(3)], 1)
    assert [item.seq for item in second.events("r")] == [1, 2, 3]
    first.close()
    second.close()


def test_a_refused_append_leaves_the_journal_usable(journal):
    journal.create_run(record(), b"{}")
    bad = AttemptStarted(node="n", attempt=1, round=1, fence=1, key="k", temperature=float("nan"))
    with pytest.raises(ValueError, match="JSON"):
        journal.append([event(1, body=bad)], 1)
    journal.append([event(1)], 1)
    assert len(list(journal.events("r"))) == 1


def test_long_histories_are_read_in_pages(journal):
    journal.create_run(record(), b"{}")
    journal.append([event(seq) for seq in range(1, 2502)], 1)
    assert [item.seq for item in journal.events("r")] == list(range(1, 2502))
    assert [item.seq for item in journal.events("r", after=2500)] == [2501]


def test_reading_behind_the_end_means_that_something_is_lost(journal):
    journal.create_run(record(), b"{}")
    with pytest.raises(IntegrityError, match="ends at event 0, before event 7"):
        journal.events("r", after=7)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("DELETE FROM events WHERE seq = 3", "ends at event 2 instead of 3"),
        ("DELETE FROM events WHERE seq = 2", "is damaged at event 2"),
        ("UPDATE events SET body = replace(body, '\"n\"', '\"m\"') WHERE seq = 2", "is damaged at event 2"),
        ("UPDATE heads SET seq = 2", "record of run r is damaged"),
        ("UPDATE heads SET epoch = 0", "record of run r is damaged"),
        ("UPDATE plans SET content = x'00'", "stored plan of run r is damaged"),
        ("DELETE FROM plans", "stored plan of run r is damaged"),
        ("DELETE FROM heads", "the record of run r is not complete any more"),
        ("DELETE FROM runs", 'table "runs" of the journal has 0 rows instead of 1'),
        ("UPDATE runs SET output = '/other'", "record of run r is damaged"),
    ],
)
def test_damage_is_noticed_and_named(journal, damage, message):
    journal.create_run(record(), b"{}")
    for seq in (1, 2, 3):
        journal.append([event(seq)], 1)
    assert journal.verify() == ()
    sql(journal, damage)
    assert message in " / ".join(journal.verify())


def test_a_vanished_run_is_not_an_unknown_run(journal):
    journal.create_run(record(), b"{}")
    sql(journal, "DELETE FROM runs")
    sql(journal, "DELETE FROM heads")
    with pytest.raises(IntegrityError, match="has 0 rows instead of 1"):
        journal.run("r")


def test_unfinished_runs_of_an_output(journal):
    journal.create_run(record("done"), b"{}")
    journal.create_run(record("live", created_at=2.0), b"{}")
    journal.create_run(record("older plan", plan_digest="e" * 64, created_at=3.0), b"{}")
    journal.create_run(record("elsewhere", output="/other"), b"{}")
    journal.append([event(1, "live", STARTED)], 1)
    journal.append([event(1, "done", RunFinished(status="failed", verdict="not_fulfilled"))], 1)
    assert [run.run_id for run in journal.unfinished("d" * 64, "/out")] == ["live"]
    assert [run.run_id for run in journal.unfinished(None, "/out")] == ["older plan", "live"]


def test_a_superseded_run_is_cancelled_by_an_event_and_fenced(journal):
    journal.create_run(record(), b"{}")
    journal.append([event(1, body=STARTED)], 1)
    journal.supersede("r", by="newer", at=9.0)
    assert journal.run("r").status == "cancelled"
    *_, last = journal.events("r")
    assert last.body == RunFinished(status="cancelled", verdict="pending", reason="superseded by run newer")
    assert last.at == 9.0
    assert journal.unfinished(None, "/out") == ()
    with pytest.raises(StateError, match="took run r over"):
        journal.append([event(3)], 1)
    with pytest.raises(StateError, match="has ended already: cancelled"):
        journal.supersede("r", by="newer", at=9.0)


def test_a_superseded_run_that_never_began_has_a_history_that_can_be_read(journal):
    journal.create_run(record(), b"{}")
    journal.supersede("r", by="newer", at=9.0)
    state = fold(journal.events("r"))
    assert (state.status, state.reason) == ("cancelled", "superseded by run newer")


def test_plans_are_stored_once(journal):
    journal.create_run(record("a"), b'{"same":1}')
    journal.create_run(record("b"), b'{"same":1}')
    with journal._database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM plans").scalar() == 1


def test_marks_are_removed_when_the_run_has_ended(tmp_path):
    journal = Journal.open(tmp_path)
    journal.create_run(record("ended"), b"{}")
    journal.create_run(record("live"), b"{}")
    journal.append([event(1, "ended", RunFinished(status="failed", verdict="not_fulfilled"))], 1)
    journal.append([event(1, "live", STARTED)], 1)
    journal.close()
    assert {path.name for path in (tmp_path / "watermarks").iterdir()} == {mark_name("live"), "changes"}


def test_runs_are_listed_by_the_time_of_their_creation(journal):
    for name, at in (("a", 100.0), ("c", 300.0), ("b", 200.0)):
        journal.create_run(record(name, created_at=at), b"{}")
    assert [run.run_id for run in journal.runs()] == ["c", "b", "a"]


def test_the_listing_follows_the_events(journal):
    journal.create_run(record(), b"{}")
    assert journal.run("r").status == "pending"
    steps = [
        (STARTED, "running", "pending"),
        (RunPaused(reason="budget"), "paused", "pending"),
        (RunResumed(epoch=1), "running", "pending"),
        (RunFinished(status="completed", verdict="verified"), "completed", "verified"),
    ]
    for seq, (body, status, verdict) in enumerate(steps, 1):
        journal.append([event(seq, body=body)], 1)
        run = journal.run("r")
        assert (run.status, run.verdict, run.updated_at) == (status, verdict, float(seq))
        assert journal.runs() == (run,)
