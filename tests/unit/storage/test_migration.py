"""A journal of each older version reads after its migration as it did before, whole or damaged."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest
from support.states import Place
from support.upkeep import archive, older

from maestro_dsl.codec import digest_bytes
from maestro_dsl.engine.commands import Command, CommandKind
from maestro_dsl.engine.events import AttemptStarted, Event, RunResumed, TicketOpened
from maestro_dsl.engine.policy.breaker import Breaker
from maestro_dsl.engine.state import fold
from maestro_dsl.errors import IntegrityError, StateError
from maestro_dsl.storage.artifacts import Artifacts
from maestro_dsl.storage.breakers import Breakers
from maestro_dsl.storage.commands import Commands
from maestro_dsl.storage.database import REVISIONS
from maestro_dsl.storage.heads import Head
from maestro_dsl.storage.history import link
from maestro_dsl.storage.journal import Journal
from maestro_dsl.storage.outbox import TicketBox
from maestro_dsl.storage.seals import seal

CONTROL, SMALL = ("commands", "breakers", "tickets"), ("contents",)
SINCE = dict.fromkeys(CONTROL, "0002") | dict.fromkeys(SMALL, "0003")
"""Which version brought a table, where it was not the first."""
CONTENT = b"a small content"


@pytest.fixture
def place(tmp_path):
    """Runs that ended, paused and go on, results, a ticket, requests, a breaker, a small content."""
    place = Place(tmp_path / "now")
    place.run("ended", 1.0)
    place.run("paused", 2.0, ends="paused", node="m", unique=b"2")
    place.run("live", 3.0, ends=None, node="k", unique=b"3")
    opened = TicketOpened(node="k", key="t" * 64, title="help", text="two\nlines: \u2028", target={})
    place.journal.append([Event(run_id="live", seq=5, at=4.0, body=opened)], 1, contents=[CONTENT])
    commands = Commands(place.journal.database)
    commands.send(Command(kind=CommandKind.PAUSE, run_id="live"))
    Breakers(place.journal.database).change(("p", "m"), lambda _: Breaker(failures=3))
    yield place
    place.journal.close()


def rows(connection, table):
    """Return the columns of a table and its rows."""
    found = connection.execute(f"SELECT * FROM {table}")
    return [item[0] for item in found.description], found.fetchall()


def whole(event):
    """Return an event's text as the first versions wrote it."""
    return json.dumps(event.to_json(), sort_keys=True)


def as_it_was(place, state, revision, text=whole):
    """Write what stands in `place` as an older version would have: each event a row."""
    older(state, revision)
    journal = place.journal
    with closing(sqlite3.connect(state / "journal.db")) as old, old:
        old.execute("DELETE FROM plans")
        with closing(sqlite3.connect(place.folder / "journal.db")) as now:
            names, found = rows(now, "heads")
            heads = [Head.of(dict(zip(names, row, strict=True))) for row in found]
            for table in ("runs", "plans", "results", "newest", "counters", *CONTROL, *SMALL):
                if SINCE.get(table, "") <= revision:
                    names, found = rows(now, table)
                    values = f"({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
                    old.executemany(f"INSERT INTO {table} {values}", found)
        if revision == REVISIONS[0]:  # these alone were counted
            old.execute("DELETE FROM counters WHERE name NOT IN ('runs', 'results', 'newest')")
        for head in heads:
            chain = seal(head.run_id, digest_bytes(journal.plan(head.run_id)))
            for event in journal.events(head.run_id):
                chain = link(chain, text(event))
                row = (head.run_id, event.seq, text(event), chain)
                old.execute("INSERT INTO events VALUES (?, ?, ?, ?)", row)
            values = (*head.row()[:-2], chain)
            old.execute("INSERT INTO heads VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*values, seal(*values)))


def seen(journal, folder, revision):
    """Return what can be read of a journal that a version with these tables wrote."""
    runs = journal.runs()
    found = {
        "runs": runs,
        "plans": [journal.plan(run.run_id) for run in runs],
        "events": [list(journal.events(run.run_id)) for run in runs],
        "later": [list(journal.events(run.run_id, after=2)) for run in runs],
        "states": [fold(journal.events(run.run_id)) for run in runs],
        "results": journal.results(),
        "by key": [journal.result(item.key) for item in journal.results()],
        "newest": [journal.last_result("p", node) for node in "nmkx"],
    }
    if revision >= "0002":
        found["tickets"] = TicketBox(journal.database).tickets()
        found["request"] = Commands(journal.database).next("live")
        found["breakers"] = Breakers(journal.database).all()
    if revision >= "0003":
        found["content"] = Artifacts(folder, journal.contents).get(digest_bytes(CONTENT))
    return found


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_everything_reads_as_before_and_goes_on(place, tmp_path, revision):
    state = tmp_path / "old"
    as_it_was(place, state, revision)
    with closing(Journal.open(state)) as journal:
        assert journal.verify() == ()
        assert journal.database.faults() == ()
        assert seen(journal, state, revision) == seen(place.journal, place.folder, revision)
        last = list(journal.events("live"))[-1].seq
        for store in (journal, place.journal):
            bodies = [RunResumed(epoch=2), AttemptStarted(node="j", attempt=1, round=1, fence=1, key="k")]
            store.append(
                [Event(run_id="live", seq=last + n, at=9.0, body=b) for n, b in enumerate(bodies, 1)], 2
            )
        assert list(journal.events("live")) == list(place.journal.events("live"))
        assert [event.seq for event in journal.events("live", after=last + 1)] == [last + 2]
        assert journal.verify() == ()
    with closing(Journal.open(state)) as journal:
        assert fold(journal.events("live")) == fold(place.journal.events("live"))


def test_a_file_is_the_same_whichever_version_wrote_the_journal(place, tmp_path):
    ids = sorted(place.ids())
    archive(place).export(ids, tmp_path / "now.zip", with_newest=True)
    copy = Place(tmp_path / "old")
    copy.journal.close()
    (tmp_path / "old" / "journal.db").unlink()
    as_it_was(place, copy.folder, REVISIONS[-2], Event.text)
    copy = Place(copy.folder)
    with closing(copy.journal):
        copy.artifacts = place.artifacts
        archive(copy).export(ids, tmp_path / "old.zip", with_newest=True)
        assert (tmp_path / "old.zip").read_bytes() == (tmp_path / "now.zip").read_bytes()
        assert archive(copy).load(tmp_path / "now.zip").known == tuple(ids)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("DELETE FROM events WHERE run_id = 'ended' AND seq = 3", "is damaged at event 3"),
        ("UPDATE events SET body = replace(body, '\"n\"', '\"m\"') WHERE seq = 2", "is damaged at event 2"),
        (
            "DELETE FROM results WHERE key = (SELECT min(key) FROM results)",
            '"results" of the journal has 2 rows instead of 3',
        ),
        ("UPDATE results SET body = replace(body, 'succeeded', 'failed')", "result"),
    ],
)
def test_what_was_damaged_before_is_noticed_afterwards(place, tmp_path, damage, message):
    state = tmp_path / "old"
    as_it_was(place, state, REVISIONS[-2])
    with closing(sqlite3.connect(state / "journal.db")) as old, old:
        old.execute(damage)
    with closing(Journal.open(state)) as journal:
        assert message in " / ".join(journal.verify())


def test_a_journal_that_cannot_be_read_is_left_as_it_was(place, tmp_path):
    state = tmp_path / "old"
    as_it_was(place, state, REVISIONS[-2])
    path = state / "journal.db"
    with closing(sqlite3.connect(path)) as old:
        root = old.execute("SELECT rootpage FROM sqlite_master WHERE name = 'events'").fetchone()[0]
    content = bytearray(path.read_bytes())
    content[(root - 1) * 4096] = 77
    path.write_bytes(content)
    for _ in range(2):
        with pytest.raises(IntegrityError, match="is damaged"):
            Journal.open(state)
    assert bytes(content) == path.read_bytes()


def test_an_older_program_refuses_it(place, monkeypatch):
    monkeypatch.setattr("maestro_dsl.storage.database.REVISIONS", REVISIONS[:-1])
    with pytest.raises(StateError, match=f"has schema {REVISIONS[-1]}"):
        Journal.open(place.folder)
