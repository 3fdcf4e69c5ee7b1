"""SQL of the plain forms that are needed at once or all the time, printed from the tables.

SQLAlchemy takes half a millisecond to compile a statement, and a command that opens a journal needs thirty.
What is not as plain as this, or rare, is left to it. No name is quoted: SQLite takes a quoted one that it
does not find for a text, and would say nothing where the schema is damaged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Dialect, Table


class Statements:
    """Statements as the driver of a database wants them; parameters are in the order of the text."""

    def __init__(self, dialect: Dialect) -> None:
        self._mark = "?" if dialect.paramstyle == "qmark" else "%s"

    def select(
        self, table: Table, *place: str, columns: Sequence[str] = (), order: Sequence[str] = ()
    ) -> str:
        """Return what reads `columns` (none = all) of the rows that have the given values in `place`."""
        by = " ORDER BY " * bool(order) + ", ".join(order)
        # Named as we know them: SQLite names a result as the schema writes it, which may be damaged.
        names = ", ".join(f"{name} AS {name}" for name in columns or table.columns.keys())
        return f"SELECT {names} FROM {table.name}{self._at(place)}{by}"  # noqa: S608 - our own names

    def count(self, table: Table, *place: str) -> str:
        """Return what counts such rows, by a column that no index holds: an index may lack some."""
        return f"SELECT count(checksum) FROM {table.name}{self._at(place)}"  # noqa: S608 - our own names

    def insert(self, table: Table) -> str:
        """Return what inserts a row, all its columns given."""
        names = ", ".join(table.columns.keys())
        marks = ", ".join([self._mark] * len(table.columns))
        return f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608 - our own names

    def update(self, table: Table, *place: str) -> str:
        """Return what gives new values to all columns of the row that has the given values in `place`."""
        values = ", ".join(f"{column.name} = {self._mark}" for column in table.columns)
        return f"UPDATE {table.name} SET {values}{self._at(place)}"  # noqa: S608 - our own names

    def _at(self, place: tuple[str, ...]) -> str:
        conditions = " AND ".join(f"{name} = {self._mark}" for name in place)
        return conditions and f" WHERE {conditions}"
