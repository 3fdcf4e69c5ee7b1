"""Commands that only look make nothing, and need no folder that can be written."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.files import write
from support.projects import bare

from maestro_dsl import app
from maestro_dsl.app.state import holder, open_state
from maestro_dsl.app.system import SystemClock
from maestro_dsl.cli.main import execute
from maestro_dsl.errors import DiskFailure, EnvironmentFailure, StateError, UsageError
from maestro_dsl.lang.settings import Overrides
from maestro_dsl.storage import journal as storage
from maestro_dsl.storage import state_dir as places
from maestro_dsl.storage.database import explained, open_database
from maestro_dsl.storage.lease import run_lock

NODES = "  first: {action: render, with: {path: a.txt, text: one}}\n"
LOOKERS = (
    ("plan", "plan.yaml"),
    ("config", "plan.yaml"),
    ("runs",),
    ("tokens",),
    ("costs",),
    ("cache", "ls"),
    ("cache", "stats"),
    ("state", "gc", "--dry-run"),
    ("tickets",),
    ("doctor",),
)
WITH_RUNS = (("show", "last"), ("logs", "last"), ("state", "verify", "--read-data", "100%"))


@pytest.fixture
def state(tmp_path, monkeypatch):
    write(tmp_path / "p", bare(NODES))
    monkeypatch.chdir(tmp_path / "p")
    return tmp_path / "state"


def ran(state):
    report = app.plan_report(Path("plan.yaml"), overrides=Overrides(), environ={}, state_dir=state)
    return asyncio.run(app.apply(report, options=app.ApplyOptions(), environ={}))


def everything(folder):
    return {path: path.stat().st_mtime_ns for path in (folder, *folder.rglob("*"))}


@pytest.fixture
def sealed(state, monkeypatch):
    """A state directory with a run that nobody can write any more, root included."""
    ran(state)
    monkeypatch.setattr(places, "_obstacle", lambda _: os.strerror(errno.EROFS))
    monkeypatch.setattr(storage, "open_database", lambda *_, **__: pytest.fail("it would be written"))
    return state


@pytest.mark.parametrize("command", LOOKERS, ids=" ".join)
def test_looking_makes_nothing(state, command):
    assert execute([*command, "--state-dir", str(state)]) == 0
    assert not state.exists()


def test_where_nothing_is_stored_a_cleaning_would_find_nothing(state, capsys):
    assert execute(["state", "gc", "--dry-run", "--state-dir", str(state)]) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[-1] == "0 runs kept (0 live), 0 B altogether"


@pytest.mark.parametrize("command", [*LOOKERS, *WITH_RUNS], ids=" ".join)
def test_a_state_that_cannot_be_written_is_read(sealed, command, capsys):
    before = everything(sealed)
    assert execute([*command, "--state-dir", str(sealed)]) == (8 if command == ("doctor",) else 0)
    out = capsys.readouterr().out
    assert everything(sealed) == before
    if command[0] in {"runs", "show", "logs"}:
        assert "completed" in out
    if command[0] == "plan":
        assert "1 to reuse" in out


def test_what_stores_says_that_it_cannot(sealed, monkeypatch):
    monkeypatch.setattr(places, "_refusal", lambda _: os.strerror(errno.EROFS))
    report = app.plan_report(Path("plan.yaml"), overrides=Overrides(), environ={}, state_dir=sealed)
    assert report.forecast["first"].action == "reuse"
    with pytest.raises(EnvironmentFailure, match=r"cannot be written: Read-only file system"):
        asyncio.run(app.apply(report, options=app.ApplyOptions(), environ={}))


def test_doctor_says_what_is_stored_when_and_what_a_read_only_folder_means(state, monkeypatch):
    def said():
        return next(item for item in app.doctor(environ={}, state_dir=state) if item.name == "state")

    assert said().detail == f"{state} (--state-dir), made when something is stored"
    ran(state)
    assert said().detail == f"{state} (--state-dir), 1 run"
    monkeypatch.setattr(places, "_obstacle", lambda _: os.strerror(errno.EROFS))
    assert said().status == "error"
    assert said().detail == (
        f"{state} (--state-dir) cannot be written: Read-only file system; "
        "commands that only look work, apply does not"
    )


def test_on_a_full_disk_the_runs_can_still_be_looked_at(state, monkeypatch):
    ran(state)

    def full(*_, **__):
        raise DiskFailure("cannot write journal.db: the disk is full")

    monkeypatch.setattr(storage, "open_database", full)
    (found,) = app.list_runs(environ={}, state_dir=state).runs
    assert app.show_run(found.run_id, environ={}, state_dir=state).status == "completed"


def test_a_live_run_is_seen_where_its_lock_cannot_be_opened_for_writing(state, monkeypatch):
    run_id = ran(state).run_id
    with open_state(state, {}) as opened:
        lock = run_lock(opened.place.path, run_id)

        def refused(*_):
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr(type(lock._lock), "acquire", refused)
        assert lock.holder() is None
        monkeypatch.undo()
        other = run_lock(opened.place.path, run_id).acquire(holder(SystemClock()))
        monkeypatch.setattr(type(lock._lock), "acquire", refused)
        assert lock.holder().pid == os.getpid()
        monkeypatch.undo()
        other.release()


def test_a_journal_of_an_older_version_says_that_it_has_to_be_written_once(sealed, monkeypatch):
    monkeypatch.setattr("maestro_dsl.storage.looking.REVISIONS", ("0001", "next"))
    with pytest.raises(StateError, match=r"is of an older version, and .* cannot be written"):
        app.list_runs(environ={}, state_dir=sealed)


def test_a_run_that_was_killed_left_a_log_which_is_read_too(sealed):
    database = open_database(sealed)
    try:
        assert database.has_log()
        assert len(app.list_runs(environ={}, state_dir=sealed).runs) == 1
    finally:
        database.close()


def test_a_folder_that_may_not_be_read_is_one_clear_line(state, monkeypatch):
    ran(state)

    def refused(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("pathlib.Path.exists", refused)
    with pytest.raises(EnvironmentFailure, match=r"the state directory .* cannot be read: permission denied"):
        app.list_runs(environ={}, state_dir=state)


def test_plan_says_of_a_misspelt_name_to_be_replaced_what_there_is(state):
    with pytest.raises(UsageError, match='"frist" is neither a node of this plan nor a file in ') as caught:
        app.plan_report(
            Path("plan.yaml"), overrides=Overrides(), environ={}, state_dir=state, replace=["frist"]
        )
    assert caught.value.hint == 'did you mean "first"? nodes: first'
    assert not state.exists()


def test_what_is_on_a_full_disk_is_read_where_only_an_empty_log_was_left(sealed):
    (sealed / "journal.db-wal").write_bytes(b"")
    (sealed / "journal.db-shm").write_bytes(b"abc")
    assert len(app.list_runs(environ={}, state_dir=sealed).runs) == 1


@pytest.mark.parametrize(
    ("free", "said"),
    [
        (4096, "cannot write {0}: the disk is full"),
        (10**9, "cannot read or write {0}: disk I/O error"),
    ],
)
def test_a_full_disk_is_called_so(tmp_path, monkeypatch, free, said):
    class Full(sqlite3.OperationalError):
        sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE

    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=free, f_frsize=1))
    path = tmp_path / "journal.db"
    with pytest.raises(DiskFailure) as caught, explained(path):
        raise Full("disk I/O error")
    assert caught.value.message == said.format(path)


def test_doctor_warns_of_too_little_room(state, monkeypatch):
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=1, f_frsize=1024**2, f_flag=0))
    found = next(item for item in app.doctor(environ={}, state_dir=state) if item.name == "state")
    assert (found.status, found.detail) == ("warning", f"only 1 MiB are free for {state}, 64 are needed")


def test_an_import_of_a_file_that_is_not_there_makes_nothing(state, tmp_path):
    with pytest.raises(UsageError, match="no such file: "):
        app.import_runs(tmp_path / "absent.zip", environ={}, state_dir=state)
    assert not state.exists()
