"""Checksums of database rows, and counts of them: what makes damage visible.

SQLite has no checksums of its own: a flipped bit may change a value or hide a row without any error. So each
row carries the digest of its values, and a counter says how many rows there must be.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from maestro_dsl.errors import IntegrityError
from maestro_dsl.storage.tables import COUNTERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, Table

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


def count_up(connection: Connection, table: Table) -> None:
    """Note that `table` has one row more."""
    rows = _stored_count(connection, table)
    connection.execute(COUNTERS.delete().where(COUNTERS.c.name == table.name))
    connection.execute(COUNTERS.insert(), sealed({"name": table.name, "rows": (rows or 0) + 1}))


def check_count(connection: Connection, table: Table) -> None:
    """Compare the number of rows of `table` with its counter.

    Raises:
        IntegrityError: rows have vanished or appeared.
    """
    expected = _stored_count(connection, table) or 0
    found = connection.scalar(select(func.count()).select_from(table)) or 0
    if found != expected:
        raise IntegrityError(
            f'the table "{table.name}" of the journal has {found} rows instead of {expected}',
            hint=DAMAGED_HINT,
        )


def _stored_count(connection: Connection, table: Table) -> int | None:
    row = connection.execute(select(COUNTERS).where(COUNTERS.c.name == table.name)).mappings().first()
    if row is None:
        return None
    check_seal(row, f'the counter of "{table.name}"')
    return int(row["rows"])
