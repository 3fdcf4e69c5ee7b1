"""A state directory for those who only look: nothing is made in it, also where they could not write it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from urllib.parse import quote

from maestro_dsl.errors import EnvironmentFailure, IntegrityError, StateError
from maestro_dsl.scratch import REASONS
from maestro_dsl.storage.database import (
    MARKER,
    NAME,
    RESTORE_HINT,
    REVISIONS,
    Database,
    engine_of,
    revision_of,
)
from maestro_dsl.storage.journal import FINAL_STATUSES, Journal
from maestro_dsl.storage.lost import refuse_lost
from maestro_dsl.storage.tables import METADATA

if TYPE_CHECKING:
    from pathlib import Path


def holds_state(folder: Path) -> bool:
    """Return whether something was ever stored in a state directory.

    Raises:
        EnvironmentFailure: it cannot be read.
    """
    try:
        return (folder / MARKER).exists()
    except OSError as problem:
        reason = REASONS.get(problem.errno or 0) or problem.strerror
        raise EnvironmentFailure(
            f"the state directory {folder} cannot be read: {reason}",
            hint="name another one with --state-dir or MAESTRO_STATE_DIR",
        ) from problem


def journal_to_look_at(folder: Path, *, complete: bool = True) -> Journal:
    """Return the journal in `folder` as it can be read, an empty one where nothing was stored yet.

    Where something can be stored beside what is there, `Journal.open` is the one to ask; `complete` as there.

    Raises:
        StateError: another version of this program wrote it.
        IntegrityError: it is damaged, or gone although it existed.
        EnvironmentFailure: it cannot be read.
    """
    database = _database(folder)
    try:
        journal = Journal(database)
        if complete:
            refuse_lost(database, FINAL_STATUSES)
    except BaseException:
        database.close()
        raise
    return journal


def _database(folder: Path) -> Database:
    """Return what is in a folder that cannot be written, or nothing, in memory, where nothing was stored."""
    path = folder / NAME
    if not holds_state(folder):
        name = f"file:maestro-{secrets.token_hex(8)}?mode=memory&cache=shared&uri=true"
        database = Database(engine_of(name, None), path)
        with database.writing(counted=False) as connection:
            METADATA.create_all(connection)
        return database
    if not path.exists():
        raise IntegrityError(f"the journal {path} is gone or empty", hint=RESTORE_HINT)
    # Without a log everything is in the database, and no file has to be made beside it to read it.
    log = path.with_name(f"{NAME}-wal")
    alone = "" if log.exists() and log.stat().st_size else "&immutable=1"
    database = Database(engine_of(f"file:{quote(str(path))}?mode=ro&uri=true{alone}", None), path)
    try:
        _refuse_older(database, folder)
    except BaseException:
        database.close()
        raise
    return database


def _refuse_older(database: Database, folder: Path) -> None:
    if revision_of(database) != REVISIONS[-1]:
        raise StateError(
            f"{database.path} is of an older version, and {folder} cannot be written to bring it up to date",
            hint="call maestro once where it can be, or copy it and name the copy with --state-dir",
        )
