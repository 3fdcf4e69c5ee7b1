from __future__ import annotations

import pytest
from support.plans import run_record

from maestro_dsl.engine.events import Event, RunStarted
from maestro_dsl.engine.ports.storage import CachedResult
from maestro_dsl.errors import IntegrityError
from maestro_dsl.storage.journal import Journal


def result(key):
    return CachedResult(
        key=key,
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


@pytest.fixture
def journal(tmp_path):
    journal = Journal.open(tmp_path)
    run = run_record("run")
    journal.create_run(run, b"{}")
    start = RunStarted(plan_id="p", plan_digest="d", output="/out", tool_version="1")
    journal.append([Event(run_id="run", seq=1, at=0.0, body=start)], 1, [result("a"), result("b")], "p")
    yield journal
    journal.close()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("DELETE FROM results WHERE key = 'a'", '"results" of the journal has 1 rows instead of 2'),
        ("DELETE FROM results", '"results" of the journal has 0 rows instead of 2'),
        ("UPDATE results SET key = 'c' WHERE key = 'a'", 'a row of "results" is damaged'),
        ("UPDATE counters SET rows = 1", 'the counter of "results" is damaged'),
        ("DELETE FROM counters WHERE name = 'results'", '"results" of the journal has 2 rows instead of 0'),
    ],
)
def test_a_lost_result_is_not_a_miss(journal, damage, message):
    with journal._database.writing() as connection:
        connection.exec_driver_sql(damage)
    with pytest.raises(IntegrityError, match=message):
        journal.result("never stored")
    assert message in " ".join(journal.verify())


def test_a_changed_result_is_not_returned(journal):
    with journal._database.writing() as connection:
        connection.exec_driver_sql("UPDATE results SET body = replace(body, 'succeeded', 'failed')")
    with pytest.raises(IntegrityError, match="record of result a is damaged"):
        journal.result("a")


def test_the_newest_result_may_not_vanish(journal):
    with journal._database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM results WHERE key = 'b'")
    with pytest.raises(IntegrityError, match="has 1 rows instead of 2"):
        journal.last_result("p", "n")
