from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from support.upkeep import older

from maestro_dsl.errors import IntegrityError, StateError
from maestro_dsl.storage import database as module
from maestro_dsl.storage.database import REVISIONS, open_database
from maestro_dsl.storage.tables import METADATA


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_everything_created_is_for_the_owner_only(tmp_path):
    state = tmp_path / "deep" / "state"
    database = open_database(state)
    with database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM runs")
    assert mode(state) == 0o700
    assert mode(state.parent) == 0o700
    assert {mode(path) for path in state.rglob("*")} == {0o600, 0o700}
    assert {path.name for path in state.iterdir() if mode(path) == 0o700} == {"watermarks"}
    database.close()


def test_the_tables_are_what_the_migrations_make(tmp_path):
    database = open_database(tmp_path)
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    database.close()


def test_the_known_revisions_are_the_scripts():
    config = Config()
    config.set_main_option("script_location", str(Path(module.__file__).parent / "migrations"))
    scripts = ScriptDirectory.from_config(config)
    assert tuple(reversed([script.revision for script in scripts.walk_revisions()])) == REVISIONS


def test_settings_of_durability(tmp_path):
    database = open_database(tmp_path)
    with database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    database.close()


def test_the_safe_journal_mode_converts_an_existing_database(tmp_path):
    open_database(tmp_path).close()
    database = open_database(tmp_path, journal_mode="DELETE")
    with database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "delete"
    database.close()


def test_an_up_to_date_database_opens_without_alembic(tmp_path):
    open_database(tmp_path).close()
    program = (
        "import sys, pathlib\n"
        "from maestro_dsl.storage.database import open_database\n"
        f"open_database(pathlib.Path({str(tmp_path)!r})).close()\n"
        "print('alembic' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_several_may_create_it_at_once(tmp_path):
    with ThreadPoolExecutor(4) as pool:
        for database in pool.map(lambda _: open_database(tmp_path / "state"), range(4)):
            database.close()


def test_a_newer_database_is_refused(tmp_path):
    database = open_database(tmp_path)
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    with pytest.raises(
        StateError, match="has schema 9999; this version of maestro knows them up to"
    ) as caught:
        open_database(tmp_path)
    assert caught.value.hint is not None


@pytest.mark.parametrize("how", ["gone", "empty"])
def test_a_vanished_database_is_not_a_new_one(tmp_path, how):
    open_database(tmp_path).close()
    path = tmp_path / "journal.db"
    path.unlink()
    if how == "empty":
        path.touch()
    with pytest.raises(IntegrityError, match="is gone or empty"):
        open_database(tmp_path)


def test_something_else_is_not_a_database(tmp_path):
    open_database(tmp_path).close()
    (tmp_path / "journal.db").write_bytes(b"not a database at all" * 1000)
    with pytest.raises(IntegrityError, match="is damaged: file is not a database"):
        open_database(tmp_path)


def test_another_programs_tables_are_refused(tmp_path):
    database = open_database(tmp_path)
    with database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
    database.close()
    with pytest.raises(IntegrityError, match="is not a journal of this program"):
        open_database(tmp_path)


def test_a_creation_that_was_interrupted_is_done_again(tmp_path):
    (tmp_path / "journal.db").touch()
    open_database(tmp_path).close()
    (tmp_path / "state.json").unlink()
    open_database(tmp_path).close()
    assert (tmp_path / "state.json").exists()


def test_a_locked_database_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BUSY_TIMEOUT_S", 0.0)
    first, second = open_database(tmp_path), open_database(tmp_path)
    expected = pytest.raises(StateError, match="stayed locked by another process")
    with first.writing(), expected, second.writing():
        pass
    first.close()
    second.close()


def test_an_older_journal_is_migrated_and_what_it_was_is_kept(tmp_path):
    older(tmp_path)
    database = open_database(tmp_path)
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == REVISIONS[-1]
        assert connection.exec_driver_sql("SELECT content FROM plans").scalar() == b"{}"
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    database.close()
    backup = tmp_path / "journal-0001.backup.db"
    assert mode(backup) == 0o600
    with closing(sqlite3.connect(backup)) as copy:
        assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
        assert copy.execute("SELECT content FROM plans").fetchall() == [(b"{}",)]
    assert not list(tmp_path.glob("*.tmp"))


def test_a_migration_that_failed_leaves_the_journal_as_it_was(tmp_path, monkeypatch):
    older(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(module, "_migrate", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            open_database(tmp_path)
    open_database(tmp_path).close()
    assert (tmp_path / "journal-0001.backup.db").exists()


def test_a_new_journal_needs_no_backup(tmp_path):
    open_database(tmp_path).close()
    assert not list(tmp_path.glob("*backup*"))
