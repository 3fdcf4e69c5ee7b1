from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from maestro_dsl.engine.commands import Command, CommandKind
from maestro_dsl.errors import IntegrityError
from maestro_dsl.storage.commands import Commands, Receipt
from maestro_dsl.storage.database import open_database

PAUSE = Command(run_id="run-1", kind=CommandKind.PAUSE, by="änn", now=True)
CANCEL = Command(run_id="run-1", kind=CommandKind.CANCEL)
OTHER = Command(run_id="run-2", kind=CommandKind.DECIDE, node="a", decision="approve", note="ok")


@pytest.fixture
def commands(tmp_path):
    database = open_database(tmp_path)
    yield Commands(database)
    database.close()


def test_requests_come_in_order_each_to_its_run(commands):
    first, second, other = commands.send(PAUSE), commands.send(CANCEL), commands.send(OTHER)
    assert first < second < other
    found = commands.next("run-1")
    assert (found.number, found.kind, found.by, found.now) == (first, CommandKind.PAUSE, "änn", True)
    assert commands.next("run-2").note == "ok"
    assert commands.accept(first)
    assert commands.next("run-1").number == second
    assert commands.next("run-3") is None


def test_a_request_is_accepted_then_answered(commands):
    number = commands.send(PAUSE)
    assert commands.receipt(number) == Receipt(status="pending")
    assert commands.accept(number)
    assert commands.receipt(number) == Receipt(status="accepted")
    commands.answer(number, done=True, text="paused")
    assert commands.receipt(number) == Receipt(status="done", answer="paused")
    assert not commands.withdraw(number)


def test_a_refusal_is_an_answer_too(commands):
    number = commands.send(PAUSE)
    commands.accept(number)
    commands.answer(number, done=False, text="it has ended")
    assert commands.receipt(number) == Receipt(status="refused", answer="it has ended")


def test_what_was_withdrawn_is_never_done(commands):
    number = commands.send(PAUSE)
    assert commands.withdraw(number)
    assert not commands.accept(number)
    assert commands.next("run-1") is None
    commands.answer(number, done=True, text="x")
    assert commands.receipt(number).status == "withdrawn"


def test_accepting_and_withdrawing_at_once_has_one_winner(tmp_path):
    databases = [open_database(tmp_path) for _ in range(2)]
    mine, theirs = (Commands(database) for database in databases)
    with ThreadPoolExecutor(2) as pool:
        for _ in range(10):
            number = mine.send(PAUSE)
            both = pool.submit(mine.withdraw, number), pool.submit(theirs.accept, number)
            assert sorted(item.result() for item in both) == [False, True]
    for database in databases:
        database.close()


def test_what_was_asked_of_a_dead_process_is_withdrawn(commands):
    numbers = [commands.send(PAUSE), commands.send(CANCEL)]
    kept = commands.send(OTHER)
    assert commands.expire("run-1") == 2
    assert [commands.receipt(number).status for number in (*numbers, kept)] == [
        "withdrawn",
        "withdrawn",
        "pending",
    ]


def test_a_damaged_request_is_noticed(commands):
    number = commands.send(CANCEL)
    with commands._database.writing() as connection:
        connection.exec_driver_sql("UPDATE commands SET body = replace(body, 'cancel', 'pause')")
    with pytest.raises(IntegrityError, match=f"the stored record of request {number} is damaged"):
        commands.next("run-1")


def test_a_request_that_the_index_hides_is_found(commands):
    number = commands.send(PAUSE)
    commands._oldest = commands._oldest.replace("WHERE", "WHERE 0 AND")
    assert commands.next("run-1").number == number
    assert commands.next("run-2") is None, "those of other runs are no reason to doubt"
    assert commands.accept(number)
    assert commands.next("run-1") is None


@pytest.mark.parametrize("damage", ["DELETE FROM commands", "UPDATE commands SET status = 'pendinh'"])
def test_a_request_that_is_gone_is_noticed_by_those_who_listen(commands, damage):
    commands.send(PAUSE)
    with commands._database.writing() as connection:
        connection.exec_driver_sql(damage)
    for run in ("run-1", "run-2"):
        with pytest.raises(IntegrityError, match="1 requests from other terminals wait, and 0 are there"):
            commands.next(run)
    with pytest.raises(IntegrityError):
        commands.verify()


def test_a_request_that_is_offered_although_it_is_done_is_noticed(commands):
    number = commands.send(PAUSE)
    other = commands.send(OTHER)
    commands.accept(number)
    commands._oldest = commands._oldest.replace("= ?", "IS NOT ?")  # as an index that was not changed
    with pytest.raises(IntegrityError, match=f"request {number} does not wait any more"):
        commands.next("run-2")
    assert commands.receipt(other).status == "pending"


def test_requests_of_a_journal_that_did_not_count_them_are_found(commands):
    number = commands.send(PAUSE)
    with commands._database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM counters WHERE name LIKE 'commands%'")
    assert commands.next("run-1").number == number
    second = commands.send(CANCEL)
    assert commands.withdraw(number)
    assert commands.next("run-1").number == second
    commands.verify()
    assert commands.accept(second)
    assert commands.next("run-1") is None


def test_a_request_whose_run_was_removed_is_as_good_as_withdrawn(commands):
    assert commands.receipt(99) == Receipt(status="withdrawn")
    assert not commands.accept(99)
    assert not commands.withdraw(99)
