"""Notices that the journal ends before what was acknowledged, by the marks beside it.

Repairs nothing, and says nothing of what is damaged but still there; seals and chains do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from maestro_dsl.errors import IntegrityError
from maestro_dsl.storage.database import CHANGES
from maestro_dsl.storage.heads import Head
from maestro_dsl.storage.seals import counted
from maestro_dsl.storage.tables import HEADS
from maestro_dsl.storage.watermarks import mark_name

if TYPE_CHECKING:
    from collections.abc import Collection

    from maestro_dsl.storage.database import Database

_HINT: Final = (
    "restore the state directory from a backup; `maestro state verify` lists what is damaged; "
    'to go on with what is left, remove its folder "watermarks"'
)


def refuse_lost(database: Database, final: Collection[str]) -> frozenset[str]:
    """Return the names of the marks of runs that have ended, in a status of `final`.

    Raises:
        IntegrityError: a run, a part of its history or another change is gone that had been acknowledged.
    """
    marks = database.marks
    standing, changes = marks.standing(), marks.changes()  # before the rows: a living writer adds to both
    if not standing and changes is None:
        return frozenset()
    with database.reading() as connection:
        found = counted(connection, CHANGES) or 0
        rows = connection.execute(select(HEADS)).mappings().all() if standing else ()
    if changes is not None and changes > found:
        raise _lost(database, f"{changes - found} changes are")
    named = {mark_name(str(row["run_id"])): row for row in rows}
    heads = {name: Head.of(named[name]) for name in standing if name in named}
    for name, seq in standing.items():
        head = heads.get(name)
        if head is None and name in marks.standing():  # else it was removed meanwhile, in order
            raise _lost(database, "a run is")
        if head is not None and head.seq < seq:
            raise _lost(database, f"events {head.seq + 1} to {seq} of run {head.run_id} are")
    return frozenset(name for name, head in heads.items() if head.status in final)


def _lost(database: Database, what: str) -> IntegrityError:
    return IntegrityError(f"{what} gone from {database.path} that had been written", hint=_HINT)
