"""A state directory as a killed process leaves it, and all that can be read from it: for tests of damage.

Part of the state is in the database, part in its write-ahead log only; every table has rows in both.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sqlite3
from contextlib import closing, suppress
from enum import StrEnum
from pathlib import Path

from support.program import PATIENCE
from support.states import ME, Place

from maestro_dsl.app.system import SystemRand
from maestro_dsl.codec import canonical, digest_bytes
from maestro_dsl.engine.commands import Command, CommandKind
from maestro_dsl.engine.events import AlertRaised, Event, FileRef, TicketOpened
from maestro_dsl.engine.policy.breaker import Breaker
from maestro_dsl.engine.state import fold
from maestro_dsl.engine.tickets import ticket_key
from maestro_dsl.errors import IntegrityError, MaestroError, StateError
from maestro_dsl.storage.artifacts import Artifacts
from maestro_dsl.storage.breakers import Breakers
from maestro_dsl.storage.commands import Commands
from maestro_dsl.storage.folder import Folder
from maestro_dsl.storage.journal import Journal
from maestro_dsl.storage.lease import RunLease, run_lock
from maestro_dsl.storage.outbox import TicketBox
from maestro_dsl.storage.output import OutputFolder
from maestro_dsl.storage.removal import remove_run
from maestro_dsl.storage.verify import verify_state

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["maestro_dsl.storage.journal", "alembic.command", "support.damage"])
ENDED, LIVE, GONE = "ended", "live", "gone"
"""Runs: in the database alone, begun or gone on in the write-ahead log, and removed from both."""
CONTENTS = (b"", b"a", b"some text\n" * 40)
SMALL = (b"small", b"small and more " * 30)
"""Contents in the database."""
PAGE = 4096
FRAME = PAGE + 24
"""A page of the database and its frame in the write-ahead log, whose header has 32 bytes."""


class Death(StrEnum):
    """When the process is killed."""

    WORKING = "working"
    CLOSED = "closed"
    """After it closed the journal, so that the database holds all there is."""
    COMMITTING = "committing"
    """Within a transaction without a write-ahead log, as on network file systems; half of it is written."""


def make(folder: Path, death: Death = Death.WORKING) -> Path:
    """Return a state directory whose process was killed."""
    state = folder / "state"
    process = _CONTEXT.Process(target=_live_and_die, args=(str(state), death))
    process.start()
    process.join(PATIENCE)
    assert process.exitcode == -signal.SIGKILL
    return state


def _live_and_die(name: str, death: Death) -> None:
    state = Path(name)
    place = Place(state)
    place.run(ENDED, 1.0, unique=b"1")
    place.run(GONE, 2.0, unique=b"2")
    _ask(place, ENDED)
    place.journal.close()
    place = Place(state)
    place.run(LIVE, 3.0, ends=None, unique=b"3", node="m")
    RunLease.acquire(state, LIVE, ME, place.journal.next_epoch)
    _ask(place, LIVE)
    assert remove_run(place.journal.database, GONE)
    _publish(state, place.artifacts)
    if death is not Death.WORKING:
        place.journal.close()
    if death is Death.COMMITTING:
        _spill(state / "journal.db")
    os.kill(os.getpid(), signal.SIGKILL)


def _spill(database: Path) -> None:
    """Begin a transaction too large for its memory, so that SQLite writes pages before the end."""
    connection = sqlite3.connect(database, isolation_level=None)
    for statement in ("journal_mode = DELETE", "cache_size = 1", "cache_spill = 1"):
        connection.execute(f"PRAGMA {statement}")
    connection.execute("BEGIN IMMEDIATE")
    for table, column in (("events", "body"), ("heads", "status"), ("results", "body"), ("tickets", "body")):
        connection.execute(f"UPDATE {table} SET {column} = {column} || ' '")
    for number in range(60):
        connection.execute("INSERT INTO events VALUES (?, 1, ?, 'c')", (f"x{number}", "long " * 600))


def _ask(place: Place, run_id: str) -> None:
    """Leave a ticket with its receipt, requests and a breaker."""
    journal = place.journal
    head = list(journal.events(run_id))[-1].seq
    if run_id == ENDED:
        alert = AlertRaised(kind="budget", subject="run", message="ended")
        journal.append([Event(run_id=run_id, seq=head + 1, at=2.0, body=alert)], 1, contents=SMALL)
    else:
        opened = TicketOpened(node="m", key=ticket_key(run_id, "m"), title="help", text="please", target={})
        journal.append([Event(run_id=run_id, seq=head + 1, at=4.0, body=opened)], 2)
        box = TicketBox(journal.database)
        assert box.claim(opened.key, now=5.0, until=6.0)
        box.delivered(opened.key, reference="OPS-1", url="https://tickets.example/1")
    commands = Commands(journal.database)
    for note in ("first", "second"):
        number = commands.send(Command(kind=CommandKind.PAUSE, run_id=run_id, by="me", note=note))
    assert commands.accept(number)
    commands.answer(number, done=True, text="paused")
    Breakers(journal.database).change(("p", run_id), lambda _: Breaker(failures=3))


def _publish(state: Path, artifacts: Artifacts) -> None:
    """Publish twice; the second time the process stops between two files."""
    refs = [
        FileRef(path=f"f{n}", digest=artifacts.put(text), size=len(text)) for n, text in enumerate(CONTENTS)
    ]
    OutputFolder(state / "out", artifacts).publish("n", "k", refs[:2])

    def stop(*_args: object) -> None:
        raise InterruptedError

    Folder.place = stop
    with suppress(MaestroError):
        OutputFolder(state / "out", artifacts).publish("n", "k", refs)
    assert (state / "out/.maestro/underway.json").exists()


# ---- what can be read ------------------------------------------------------------------------------------


def views(state: Path) -> dict[str, object]:
    """Return everything that a program can read of it, or the sentence by which it says what is damaged."""
    found: dict[str, object] = {}

    def look(name, read):
        try:
            found[name] = read()
        except IntegrityError as error:
            found[name] = Noticed(error.message)
        except StateError as error:
            if "has schema" not in error.message and "newer version" not in error.message:
                raise
            found[name] = Noticed(error.message)

    look("journal", lambda: _journal(state, look))
    artifacts = Artifacts(state)
    for content in CONTENTS:
        look(f"content {content[:4]!r}", lambda content=content: artifacts.get(digest_bytes(content)))
    output = OutputFolder(state / "out", artifacts)
    look("output", lambda: dict(output.files()))
    look("conflicts", output.conflicts)
    look("lease", lambda: run_lock(state, LIVE).holder())
    return found


def _journal(state: Path, look) -> str:
    with closing(Journal.open(state)) as journal:
        look("runs", journal.runs)
        for run_id in (ENDED, LIVE):
            look(f"{run_id}: run", lambda run_id=run_id: journal.run(run_id))
            look(f"{run_id}: plan", lambda run_id=run_id: journal.plan(run_id))
            look(f"{run_id}: state", lambda run_id=run_id: _folded(journal, run_id))
            look(f"{run_id}: later", lambda run_id=run_id: list(journal.events(run_id, after=3)))
        look("results", journal.results)
        for result in journal.results():
            look(f"result {result.key}", lambda key=result.key: journal.result(key))
        for node in ("n", "m", "none"):
            look(f"newest {node}", lambda node=node: journal.last_result("p", node))
        for content in SMALL:
            artifacts, digest = Artifacts(state, journal.contents), digest_bytes(content)
            look(f"small {digest}", lambda read=artifacts.get, digest=digest: read(digest))
        look("tickets", lambda: TicketBox(journal.database).tickets())
        commands = Commands(journal.database)
        for number in range(1, 5):
            look(f"request {number}", lambda number=number: commands.receipt(number))
        look("next request", lambda: commands.next(LIVE))
        look("breakers", lambda: Breakers(journal.database).all())
        look("damages", lambda: _verified(journal, state))
    return "read"


def _verified(journal: Journal, state: Path) -> tuple[str, ...]:
    """Return what `maestro state verify` finds."""
    found = verify_state(journal, Artifacts(state, journal.contents), read_share=1.0, rand=SystemRand())
    return tuple(item.what for item in found.damages)


def _folded(journal: Journal, run_id: str) -> bytes:
    state = fold(journal.events(run_id))
    return canonical({"nodes": [repr(item) for item in state.nodes.values()], "seq": state.seq})


class Noticed(str):
    """The sentence that names damage."""

    __slots__ = ()


def outcome(state: Path, damage, whole: dict[str, object], scratch: Path) -> str:
    """Damage a copy and read it: "noticed" or "equal"; anything else is an `AssertionError`."""
    copy = scratch / "state"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(state, copy)
    damage(copy)
    found = views(copy)
    noticed = any(isinstance(value, Noticed) for value in found.values()) or bool(found.get("damages"))
    for name, value in whole.items():
        if name == "damages" or isinstance(found.get(name), Noticed):
            continue
        if name not in found:
            assert isinstance(found["journal"], Noticed), f"{name} could not be read"
            continue
        assert found[name] == value, f"{name} is read as {found[name]!r} instead of {value!r}"
    return "noticed" if noticed else "equal"
