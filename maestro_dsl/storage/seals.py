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
    """Keeps the number of rows of one table."""

    def __init__(self, database: Database, table: Table) -> None:
        self._name = table.name
        place = COUNTERS.c.name == bindparam("of_name")
        self._select = database.compiled(select(COUNTERS).where(place))
        self._update = database.compiled(COUNTERS.update().where(place))
        self._insert = database.compiled(COUNTERS.insert())

    def up(self, cursor: DBAPICursor, by: int = 1) -> None:
        """Note that the table has so many rows more."""
        cursor.execute(self._select, (self._name,))
        found = cursor.fetchone()
        if found is None:
            cursor.execute(self._insert, (self._name, by, seal(self._name, by)))
            return
        name, rows, checksum = found
        check_seal({"name": name, "rows": rows, "checksum": checksum}, f'the counter of "{name}"')
        cursor.execute(self._update, (name, rows + by, seal(name, rows + by), name))


def check_count(connection: Connection, table: Table) -> None:
    """Compare the number of rows of `table` with its counter.

    Raises:
        IntegrityError: rows have vanished or appeared.
    """
    row = connection.execute(select(COUNTERS).where(COUNTERS.c.name == table.name)).mappings().first()
    if row is not None:
        check_seal(row, f'the counter of "{table.name}"')
    expected = 0 if row is None else int(row["rows"])
    found = connection.scalar(select(func.count()).select_from(table)) or 0
    if found != expected:
        raise IntegrityError(
            f'the table "{table.name}" of the journal has {found} rows instead of {expected}',
            hint=DAMAGED_HINT,
        )
