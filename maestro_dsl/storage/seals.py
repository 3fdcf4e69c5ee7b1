"""Checksums of database rows, and counts of them: what makes damage visible.

SQLite has no checksums of its own: a flipped bit may change a value or hide a row without any error. So each
row carries the digest of its values, and a counter says how many rows there must be.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select

from maestro_dsl.errors import IntegrityError
from maestro_dsl.storage.tables import COUNTERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, Table
    from sqlalchemy.engine.interfaces import DBAPICursor

    from maestro_dsl.storage.database import Database

DAMAGED_HINT = "restore the state directory from a backup; `maestro state verify` lists what is damaged"


def seal(*values: str | float) -> str:
    """Return the checksum of a row's values, in the order of its columns."""
    return hashlib.sha256(ascii(values).encode()).hexdigest()


def sealed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row with its checksum added."""
    return {**values, "checksum": seal(*values.values())}


def check_seal(row: Mapping[Any, Any], what: str) -> None:
    """Compare a row, its columns in order, with its checksum.

    Raises:
        IntegrityError: they differ.
    """
    *values, checksum = row.values()
    if seal(*values) != checksum:
        raise IntegrityError(f"the stored record of {what} is damaged", hint=DAMAGED_HINT)


class Counter:
    """Keeps the number of rows of one table, or of what else has that name."""

    def __init__(self, database: Database, name: str) -> None:
        self._name = name
        place = COUNTERS.c.name == bindparam("of_name")
        self._select = database.compiled(select(COUNTERS).where(place))
        self._update = database.compiled(COUNTERS.update().where(place))
        self._insert = database.compiled(COUNTERS.insert())

    def up(self, cursor: DBAPICursor, by: int = 1) -> int:
        """Note that there are so many rows more, and return how many that makes."""
        cursor.execute(self._select, (self._name,))
        found = cursor.fetchone()
        if found is None:
            cursor.execute(self._insert, (self._name, by, seal(self._name, by)))
            return by
        name, rows, checksum = found
        check_seal({"name": name, "rows": rows, "checksum": checksum}, f'the counter of "{name}"')
        cursor.execute(self._update, (name, rows + by, seal(name, rows + by), name))
        return int(rows) + by


def counted(connection: Connection, name: str) -> int:
    """Return what a counter says, 0 where there is none.

    Raises:
        IntegrityError: it is damaged.
    """
    row = connection.execute(select(COUNTERS).where(COUNTERS.c.name == name)).mappings().first()
    if row is None:
        return 0
    check_seal(row, f'the counter of "{name}"')
    return int(row["rows"])


def check_count(connection: Connection, table: Table) -> None:
    """Compare the number of rows of `table` with its counter.

    Raises:
        IntegrityError: rows have vanished or appeared.
    """
    expected = counted(connection, table.name)
    found = connection.scalar(select(func.count()).select_from(table)) or 0
    if found != expected:
        raise IntegrityError(
            f'the table "{table.name}" of the journal has {found} rows instead of {expected}',
            hint=DAMAGED_HINT,
        )
