"""A journal that ends before what was acknowledged is refused; what is left of it can be looked at."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

import pytest
from support.states import Place

from maestro_dsl.app.system import SystemRand
from maestro_dsl.engine.commands import Command, CommandKind
from maestro_dsl.engine.events import Event, RunResumed, TicketOpened
from maestro_dsl.engine.policy.breaker import Breaker
from maestro_dsl.errors import IntegrityError
from maestro_dsl.storage.breakers import Breakers
from maestro_dsl.storage.commands import WAITING, Commands
from maestro_dsl.storage.journal import Journal
from maestro_dsl.storage.removal import remove_run
from maestro_dsl.storage.verify import verify_state


@pytest.fixture
def place(tmp_path):
    """A state directory with a run in the database and one in the write-ahead log alone."""
    place = Place(tmp_path / "state")
    place.run("old")
    place.journal.close()
    place = Place(tmp_path / "state")
    place.run("new", ends=None)
    return place


def copied(place, tmp_path, *, with_log=True):
    """Return a copy of the state as it is on the disk now, without its write-ahead log if so wished."""
    copy = tmp_path / "copy"
    shutil.copytree(place.folder, copy)
    if not with_log:
        (copy / "journal.db-wal").write_bytes(b"")
    return copy


def test_a_run_that_is_gone_is_no_run_that_never_was(place, tmp_path):
    copy = copied(place, tmp_path, with_log=False)
    with pytest.raises(IntegrityError, match="that had been written") as caught:
        Journal.open(copy)
    assert "watermarks" in str(caught.value.hint)
    with closing(Journal.open(copy, complete=False)) as journal:
        assert [record.run_id for record in journal.runs()] == ["old"]
        assert len(journal.verify()) == 1
    shutil.rmtree(copy / "watermarks")
    with closing(Journal.open(copy)) as journal:
        assert [record.run_id for record in journal.runs()] == ["old"]


@pytest.mark.parametrize("change", ["epoch", "removal", "events"])
def test_the_last_change_is_missed_whatever_it_was(place, tmp_path, change):
    before = (place.folder / "journal.db-wal").stat().st_size
    if change == "epoch":
        place.journal.next_epoch("new")
    elif change == "removal":
        assert remove_run(place.journal.database, "old")
    else:
        seq = len(list(place.journal.events("new")))
        place.journal.append([Event(run_id="new", seq=seq + 1, at=1.0, body=RunResumed(epoch=2))], 1)
    copy = copied(place, tmp_path)
    with closing(Journal.open(copy)):
        pass
    shutil.rmtree(copy)
    copy = copied(place, tmp_path)
    log = copy / "journal.db-wal"
    log.write_bytes(log.read_bytes()[:before])
    with pytest.raises(IntegrityError, match="that had been written"):
        Journal.open(copy)


def test_while_the_log_stands_the_marks_stand_and_the_next_who_closes_removes_them(place, tmp_path):
    other = Journal.open(place.folder)
    place.run("third")
    place.journal.close()
    marks = tmp_path / "state" / "watermarks"
    assert len(list(marks.iterdir())) == 3
    other.close()
    assert len(list(marks.iterdir())) == 3  # it did not know that the run had ended
    Journal.open(place.folder).close()
    assert len(list(marks.iterdir())) == 2
    with closing(Journal.open(place.folder)) as journal:
        assert len(journal.runs()) == 3


def test_a_removed_run_leaves_no_mark(place):
    place.run("third")
    assert remove_run(place.journal.database, "third")
    place.journal.close()
    Journal.open(place.folder).close()


@pytest.mark.parametrize("table", ["tickets", "commands", "breakers"])
def test_a_row_that_vanished_is_missed(place, table):
    database = place.journal.database
    opened = TicketOpened(node="n", key="k", title="t", text="x", target={})
    seq = len(list(place.journal.events("new")))
    place.journal.append([Event(run_id="new", seq=seq + 1, at=1.0, body=opened)], 1)
    Commands(database).send(Command(kind=CommandKind.PAUSE, run_id="new"))
    Breakers(database).change(("p", "m"), lambda _: Breaker(failures=1))

    def damages():
        found = verify_state(place.journal, place.artifacts, read_share=0.0, rand=SystemRand())
        return [item.what for item in found.damages if item.kind == "journal"]

    assert damages() == []
    with database.writing() as connection:
        connection.exec_driver_sql(f"DELETE FROM {table}")
    assert damages() == [f'the table "{table}" of the journal has 0 rows instead of 1']
    with database.writing() as connection:  # as an older version left it: nobody counted
        connection.exec_driver_sql("DELETE FROM counters WHERE name IN (?, ?)", (table, WAITING))
    assert damages() == []


def without_cells(database, name):
    """Empty the root page of a table or an index, as a flipped byte in its header may."""
    with closing(sqlite3.connect(database)) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    content = bytearray(database.read_bytes())
    content[(root - 1) * size + 3 : (root - 1) * size + 5] = b"\0\0"
    database.write_bytes(content)


def test_an_index_that_misses_a_row_is_found(place):
    database = place.journal.database
    Commands(database).send(Command(kind=CommandKind.PAUSE, run_id="new"))
    place.journal.close()
    without_cells(place.folder / "journal.db", "commands_by_run")
    with closing(Journal.open(place.folder)) as journal:
        assert any("commands_by_run" in text for text in journal.database.faults())


def test_a_row_that_its_index_still_has_is_missed(place):
    """Rows are counted in their table: SQLite counts by the smallest index, which may be whole."""
    database = place.journal.database
    Commands(database).send(Command(kind=CommandKind.PAUSE, run_id="new"))
    place.journal.close()
    without_cells(place.folder / "journal.db", "commands")
    with closing(Journal.open(place.folder)) as journal:
        for read in (Commands(journal.database).verify, lambda: Commands(journal.database).receipt(1)):
            with pytest.raises(IntegrityError, match='"commands" of the journal has 0 rows instead of 1'):
                read()


def test_a_result_that_the_index_misses_is_no_result_that_never_was(place):
    (stored,) = [item for item in place.journal.results() if item.node == "n"][:1]
    place.journal.close()
    without_cells(place.folder / "journal.db", "sqlite_autoindex_results_1")
    with closing(Journal.open(place.folder)) as journal:
        assert stored in journal.results()
        for key in (stored.key, "never stored"):
            with pytest.raises(IntegrityError, match='index of the table "results" is damaged'):
                journal.result(key)
        assert any("results" in text for text in journal.verify())


def test_an_index_that_leads_to_another_result_is_noticed(place):
    place.journal.close()
    path = place.folder / "journal.db"
    with closing(sqlite3.connect(path)) as connection:
        keys = [row[0].encode() for row in connection.execute("SELECT key FROM results")]
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_autoindex_results_1'"
        start = (connection.execute(query).fetchone()[0] - 1) * 4096
    content = path.read_bytes()
    page = content[start : start + 4096]
    one, two = (page.index(key) for key in keys)  # the number of the row stands behind each key
    changed = bytearray(page)
    changed[one : one + 64], changed[two : two + 64] = page[two : two + 64], page[one : one + 64]
    path.write_bytes(content[:start] + bytes(changed) + content[start + 4096 :])
    with closing(Journal.open(place.folder)) as journal:
        noticed = 0
        for key in keys:
            try:
                found = journal.result(key.decode())
            except IntegrityError:
                noticed += 1
            else:
                assert found is not None
                assert found.key == key.decode()
        assert noticed
