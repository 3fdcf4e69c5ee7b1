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

    from sqlalchemy import ColumnElement, Connection, Select, Table
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


def _rows(table: Table) -> Select[tuple[int]]:
    """Count rows by a column that no index holds: an index may be whole where the table is not."""
    return select(func.count(table.c.checksum))


class Counter:
    """Keeps the number of rows of one table, or of what else has that name."""

    def __init__(self, database: Database, name: str) -> None:
        self._name = name
        self._last = (name, -1, "")  # as it was written last; perhaps rolled back, or somebody wrote after it
        place = COUNTERS.c.name == bindparam("of_name")
        as_it_was = (COUNTERS.c.rows == bindparam("of_rows")) & (
            COUNTERS.c.checksum == bindparam("of_checksum")
        )
        self._select = database.compiled(select(COUNTERS).where(place))
        self._update = database.compiled(COUNTERS.update().where(place & as_it_was))
        self._insert = database.compiled(COUNTERS.insert())

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

    def __init__(
        self, database: Database, table: Table, name: str = "", some: ColumnElement[bool] | None = None
    ) -> None:
        self._counter = Counter(database, name or table.name)
        count = _rows(table) if some is None else _rows(table).where(some)
        self._count = str(
            count.compile(dialect=database.engine.dialect, compile_kwargs={"literal_binds": True})
        )

    def up(self, cursor: DBAPICursor, by: int = 1) -> None:
        """Note that so many rows have just been added, or removed where `by` is negative."""
        if by:
            cursor.execute(self._count, ())
            found = cursor.fetchone()
            self._counter.up(cursor, by, before=int(found[0]) - by if found else 0)


def counted(connection: Connection, name: str) -> int | None:
    """Return what a counter says, None where there is none.

    Raises:
        IntegrityError: it is damaged.
    """
    row = connection.execute(select(COUNTERS).where(COUNTERS.c.name == name)).mappings().first()
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
    found = connection.scalar(_rows(table)) or 0
    if found != expected:
        raise IntegrityError(
            f'the table "{table.name}" of the journal has {found} rows instead of {expected}',
            hint=DAMAGED_HINT,
        )
