"""Which rows some tables have, so that asking for one that is not there need not go to the database.

A run of ten thousand nodes asks for twenty thousand rows and finds none the first time. What is known here
was true at most `FRESH_S` ago: rows of this process are added as they are written, and each append asks the
database whether anybody else has written; from then on nothing is known any more. Who asks a moment too
early for what another process stores just then would have missed it without this, too.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

FRESH_S: Final = 0.05
_MOST: Final = 200_000
"""How many rows are worth remembering, at 60 bytes each."""


class Presence:
    """The primary keys of some tables, as their hashes: a row that seems to be there is asked for."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._tables: dict[str, set[int]] = {}
        self._version: int | None = None
        self._seen_at = 0.0

    @property
    def is_known(self) -> bool:
        """Whether anything is known."""
        return bool(self._tables)

    def learn(self, tables: Mapping[str, set[int]], version: int | None) -> None:
        """Take the hashes of all rows, read while the database had this version or a later one."""
        if version is not None and sum(map(len, tables.values())) <= _MOST:
            self._tables, self._version = dict(tables), version

    def add(self, table: str, places: Iterable[tuple[str, ...]]) -> None:
        """Note rows that this process is about to write."""
        if table in self._tables:
            self._tables[table].update(map(hash, places))

    def confirm(self, version: int | None) -> None:
        """Say which version the database has, inside a transaction that writes: nobody else writes then."""
        if version == self._version:
            self._seen_at = self._monotonic()
        else:
            self._tables = {}

    def lacks(self, table: str, place: tuple[str, ...]) -> bool:
        """Return whether a row is known not to be there."""
        rows = self._tables.get(table)
        return rows is not None and hash(place) not in rows and self._monotonic() - self._seen_at < FRESH_S
