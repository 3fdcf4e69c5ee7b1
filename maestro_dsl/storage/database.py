"""Opens the journal's database: creates and migrates it, refuses a newer one, names what is damaged.

Knows nothing of runs and events. Alembic is imported only when there is something to migrate.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from maestro_dsl.errors import DiskFailure, EnvironmentFailure, IntegrityError, MaestroError, StateError
from maestro_dsl.storage.files import FILE_MODE, make_folder, sync_folder, write_alone, writing_to
from maestro_dsl.storage.seals import Counter
from maestro_dsl.storage.statements import Statements
from maestro_dsl.storage.watermarks import Watermarks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, Table
    from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
    from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

REVISIONS = ("0001", "0002", "0003", "0004")
"""Every revision this program knows, oldest first; the last one is what it works with."""

BUSY_TIMEOUT_S = 10.0
CHANGES = "changes"
"""Name of the counter of all changes but appended events."""
NAME = "journal.db"
MARKER = "state.json"
_MARKER_CONTENT = b'{"format_version":1,"journal":"journal.db"}\n'
_READ = "maestro_read"
_LEAST_ROOM = 64 * 1024
"""Bytes on a disk below which it is called full: what SQLite makes beside a database takes half of them."""
_AT_ONCE = (64, 32, *range(16, 0, -1))
"""How many rows a statement inserts; a few texts, so that each stays prepared."""
RESTORE_HINT = "restore the state directory from a backup, or choose a new one with --state-dir"


class Database:
    """An open database; `lock` serialises the writers of this process."""

    def __init__(self, engine: Engine, path: Path) -> None:
        self.engine = engine
        self.path = path
        self.lock = threading.RLock()
        self._writer: PoolProxiedConnection | None = None
        self._reader: PoolProxiedConnection | None = None
        self._asking: DBAPICursor | None = None
        self._reader_lock = threading.Lock()
        self.marks = Watermarks(path.parent)
        self.sql = Statements(engine.dialect)
        self._changes = Counter(self, CHANGES)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one consistent state."""
        with (
            explained(self.path),
            self.engine.connect().execution_options(**{_READ: True}) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def writing(self, *, counted: bool = True) -> Iterator[Connection]:
        """Give a connection whose changes are durable when the block ends, and gone if it raises.

        `counted` = a mark says that there was a change, so that its loss is noticed.
        """
        with self.lock, explained(self.path):
            number = 0
            with self.engine.begin() as connection:
                yield connection
                if counted:
                    number = self._changes.up(connection.connection.cursor())
            if counted:
                self.marks.note_changes(number)

    @contextmanager
    def transaction(self, *, counted: bool = False) -> Iterator[DBAPICursor]:
        """Give the driver's cursor for writes that happen all the time: `writing` without its overhead.

        Not `counted` = the caller leaves a mark of its own.
        """
        with self.lock, explained(self.path):
            writer = self._writer = self._writer or self.engine.raw_connection()
            cursor = writer.cursor()
            try:
                if self.engine.dialect.name == "sqlite":
                    cursor.execute("BEGIN IMMEDIATE")
                yield cursor
                number = self._changes.up(cursor) if counted else 0
                writer.commit()
                if counted:
                    self.marks.note_changes(number)
            except BaseException:
                writer.rollback()
                raise
            finally:
                cursor.close()

    def version(self) -> int | None:
        """Return a number that changes when anybody but `transaction` writes; None = nobody can tell."""
        if self.engine.dialect.name != "sqlite":
            return None
        with self.lock, explained(self.path):
            writer = self._writer = self._writer or self.engine.raw_connection()
            with closing(writer.cursor()) as cursor:
                return self.version_by(cursor)

    def version_by(self, cursor: DBAPICursor) -> int | None:
        """Return the same number, inside a `transaction`, by its cursor."""
        if self.engine.dialect.name != "sqlite":
            return None
        cursor.execute("PRAGMA data_version")
        found = cursor.fetchone()
        return None if found is None else int(found[0])

    def row(self, query: str, values: tuple[str, ...]) -> tuple[Any, ...] | None:
        """Return the first row of a query, straight from the driver, as of now.

        On a connection of its own, so that it need not wait for a write that waits for the disk.
        """
        with self._reader_lock:
            try:
                if self._reader is None or self._asking is None:
                    self._reader = self.engine.raw_connection()
                    self._asking = self._reader.cursor()
                self._asking.execute(query, values)
                found: tuple[Any, ...] | None = self._asking.fetchone()
                if self.engine.dialect.name != "sqlite":  # which begins nothing by itself; the others do
                    self._reader.rollback()
            except Exception:
                with explained(self.path):
                    raise
            return found

    def faults(self) -> Sequence[str]:
        """Return what SQLite finds wrong with its own structure, such as an index that misses a row."""
        if self.engine.dialect.name != "sqlite":
            return ()
        with self.reading() as connection:
            found = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
        return tuple(f"{self.path}: {text}" for text in found if text != "ok")

    def has_log(self) -> bool:
        """Return whether a write-ahead log stands beside the database: the last process removes it."""
        return self.path.with_name(f"{self.path.name}-wal").exists()

    def inserter(self, table: Table, otherwise: str = "") -> Inserter:
        """Return what inserts many rows into `table`; `otherwise` = what happens where a row is there."""
        return Inserter(self.sql.insert(table), otherwise)

    def close(self) -> None:
        """Close all connections."""
        with self.lock, self._reader_lock:
            for connection in (self._writer, self._reader):
                if connection is not None:
                    connection.close()
            self._writer = self._reader = self._asking = None
            self.engine.dispose()
            self.marks.close()


class Inserter:
    """Inserts rows in few statements.

    The driver lets go of the interpreter at each statement, and a thread that writes while the loop is busy
    gets it back 5 ms later: a statement a row made a group of 300 events wait for the loop 300 times.
    """

    def __init__(self, insert: str, otherwise: str) -> None:
        head, _, row = insert.partition(" VALUES ")
        self._texts = {count: f"{head} VALUES {', '.join([row] * count)} {otherwise}" for count in _AT_ONCE}

    def put(self, cursor: DBAPICursor, rows: Sequence[tuple[object, ...]]) -> int:
        """Insert rows and return how many were not there yet, or were put in the place of older ones."""
        done = changed = 0
        for count, statement in self._texts.items():
            while len(rows) - done >= count:
                cursor.execute(statement, [value for row in rows[done : done + count] for value in row])
                done, changed = done + count, changed + cursor.rowcount
        return changed


def open_database(folder: Path, *, journal_mode: str = "WAL") -> Database:
    """Open the journal in the state directory `folder`, creating or migrating it first where needed.

    Raises:
        StateError: a newer version of this program wrote it, or it stays locked.
        IntegrityError: it is damaged, or gone although it existed.
        EnvironmentFailure, DiskFailure: the folder cannot be written.
    """
    path, marker = folder / NAME, folder / MARKER
    with writing_to(folder):
        if not marker.exists():
            make_folder(folder)
        elif not path.exists() or path.stat().st_size == 0:
            raise IntegrityError(f"the journal {path} is gone or empty", hint=RESTORE_HINT)
        else:
            database = Database(engine_of(path, journal_mode), path)
            up_to_date = False
            try:
                up_to_date = revision_of(database) == REVISIONS[-1]
            finally:
                if not up_to_date:
                    database.close()
            if up_to_date:
                return database
    _prepare(folder, path, marker, journal_mode)
    return Database(engine_of(path, journal_mode), path)


def _prepare(folder: Path, path: Path, marker: Path, journal_mode: str) -> None:
    """Create or migrate under a lock of its own, so that processes that start together do it once."""
    from filelock import FileLock

    with (
        writing_to(folder),
        FileLock(folder / "migrate.lock", mode=FILE_MODE, fallback_to_soft=False),
    ):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, FILE_MODE))
        database = Database(engine_of(path, journal_mode), path)
        try:
            found = revision_of(database)
            if found is None and marker.exists():
                raise IntegrityError(f"the journal {path} has lost its tables", hint=RESTORE_HINT)
            if found is not None and found != REVISIONS[-1]:
                _back_up(path, folder / f"journal-{found}.backup.db")
            if found != REVISIONS[-1]:
                _migrate(database)
        finally:
            database.close()
        if not marker.exists():
            write_alone(marker, _MARKER_CONTENT)


def _back_up(path: Path, copy: Path) -> None:
    """Copy the journal as it is before a migration, durably; a copy of an earlier try is replaced."""
    unfinished = copy.with_suffix(".tmp")
    unfinished.unlink(missing_ok=True)
    os.close(os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, FILE_MODE))
    with (
        explained(path),
        closing(sqlite3.connect(path)) as source,
        closing(sqlite3.connect(unfinished)) as to,
    ):
        source.backup(to)
    with unfinished.open("rb") as stream:
        os.fsync(stream.fileno())
    unfinished.replace(copy)
    sync_folder(copy.parent)


def _migrate(database: Database) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    with database.writing(counted=False) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def revision_of(database: Database) -> str | None:
    """Return the stored revision, or None where there is no table at all."""
    with database.reading() as connection:
        names = set(connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")))
        if not names:
            return None
        rows = (
            list(connection.scalars(text("SELECT version_num FROM alembic_version")))
            if "alembic_version" in names
            else []
        )
    if len(rows) != 1:
        raise IntegrityError(f"{database.path} is not a journal of this program", hint=RESTORE_HINT)
    if rows[0] not in REVISIONS:
        raise StateError(
            f"{database.path} has schema {rows[0]}; this version of maestro knows them up to {REVISIONS[-1]}",
            hint="use the newer version of maestro that wrote it, or another --state-dir",
        )
    return str(rows[0])


def engine_of(path: Path | str, journal_mode: str | None) -> Engine:
    """Return the engine of a database; no `journal_mode` = it is not to be changed."""
    engine = create_engine(
        f"sqlite:///{path}",
        connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False, "cached_statements": 128},
        poolclass=QueuePool,  # also for one in memory, which lives as long as a connection
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        # The driver may not begin transactions by itself: it would begin them as readers.
        connection.isolation_level = None
        cursor = connection.cursor()
        if journal_mode is not None:
            cursor.execute(f"PRAGMA journal_mode = {journal_mode}")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA cell_size_check = ON")
        cursor.execute("PRAGMA trusted_schema = OFF")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        reads = connection.get_execution_options().get(_READ)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the driver's errors inside the block into one of ours that says what to do."""
    try:
        yield
    except DBAPIError as problem:
        raise _explain(path, problem.orig or problem) from problem
    except sqlite3.Error as problem:
        raise _explain(path, problem) from problem
    except (UnicodeDecodeError, OverflowError) as problem:
        raise IntegrityError(f"the journal {path} is damaged: {problem}", hint=RESTORE_HINT) from problem


def _is_full(folder: Path) -> bool:
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize < _LEAST_ROOM


def _explain(path: Path, problem: BaseException) -> MaestroError:
    code = getattr(problem, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return StateError(
            f"{path} stayed locked by another process for {BUSY_TIMEOUT_S:.0f} seconds",
            hint="try again when the other command has ended",
        )
    if code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
        kind = DiskFailure if code == sqlite3.SQLITE_FULL else EnvironmentFailure
        return kind(
            f"cannot write {path}: {problem}",
            hint="free some space or mend the permissions, or choose another folder with --state-dir",
        )
    if code == sqlite3.SQLITE_IOERR and _is_full(path.parent):  # SQLite does not say so of its smaller files
        return DiskFailure(
            f"cannot write {path}: the disk is full",
            hint="free a little space on it; maestro state gc then frees what runs no longer need",
        )
    if code == sqlite3.SQLITE_IOERR:
        return DiskFailure(f"cannot read or write {path}: {problem}", hint="check the disk")
    return IntegrityError(f"the journal {path} is damaged: {problem}", hint=RESTORE_HINT)
