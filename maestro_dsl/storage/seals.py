"""Checksums of database rows, and counts of them: what makes damage visible.

SQLite has no checksums of its own: a flipped bit may change a value or hide a row without any error. So each
row carries the digest of its values, and a counter says how many rows there must be.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from maestro_dsl.errors import IntegrityError
from maestro_dsl.storage.statements import Statements
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
        self._last = (name, -1, "")  # as it was written last; perhaps rolled back, or somebody wrote after it
        self._select = database.sql.select(COUNTERS, "name")
        self._update = database.sql.update(COUNTERS, "name", "rows", "checksum")
        self._insert = database.sql.insert(COUNTERS)

    def up(self, cursor: DBAPICursor, by: int = 1, *, before: int = 0) -> int:
        """Note that there are so many rows more, and return how many that makes.

        `before` is how many there were where nobody counted yet.
        """
        if not self._put(cursor, self._last, by):
            cursor.execute(self._select, (self._name,))
            found = cursor.fetchone()
            if found is None:
                self._last = _counter(self._name, before + by)
                cursor.execute(self._insert, self._last)
            else:
                name, rows, checksum = found
                check_seal({"name": name, "rows": rows, "checksum": checksum}, f'the counter of "{name}"')
                self._put(cursor, (name, int(rows), checksum), by)
        return self._last[1]

    def _put(self, cursor: DBAPICursor, old: tuple[str, int, str], by: int) -> bool:
        """Write the number that follows `old`; return whether that is what was there."""
        new = _counter(self._name, old[1] + by)
        cursor.execute(self._update, (*new, *old))
        if cursor.rowcount == 1:
            self._last = new
        return cursor.rowcount == 1


def _counter(name: str, rows: int) -> tuple[str, int, str]:
    return name, rows, seal(name, rows)


class LateCounter:
    """Keeps the number of rows of a table that older versions did not count, or of `some` of them."""

    def __init__(self, database: Database, table: Table, name: str = "", **some: str) -> None:
        self._counter = Counter(database, name or table.name)
        self._count = database.sql.count(table, *some)
        self._some = tuple(some.values())

    def up(self, cursor: DBAPICursor, by: int = 1) -> None:
        """Note that so many rows have just been added, or removed where `by` is negative."""
        if by:
            cursor.execute(self._count, self._some)
            found = cursor.fetchone()
            self._counter.up(cursor, by, before=int(found[0]) - by if found else 0)


def counted(connection: Connection, name: str) -> int | None:
    """Return what a counter says, None where there is none.

    Raises:
        IntegrityError: it is damaged.
    """
    query = Statements(connection.dialect).select(COUNTERS, "name")
    row = connection.exec_driver_sql(query, (name,)).mappings().first()
    if row is None:
        return None
    check_seal(row, f'the counter of "{name}"')
    return int(row["rows"])


def check_count(connection: Connection, table: Table, *, late: bool = False) -> None:
    """Compare the number of rows of `table` with its counter; `late` = older versions had none.

    Raises:
        IntegrityError: rows have vanished or appeared.
    """
    stated = counted(connection, table.name)
    if stated is None and late:
        return
    expected = stated or 0
    found = connection.exec_driver_sql(Statements(connection.dialect).count(table)).scalar() or 0
    if found != expected:
        raise IntegrityError(
            f'the table "{table.name}" of the journal has {found} rows instead of {expected}',
            hint=DAMAGED_HINT,
        )
