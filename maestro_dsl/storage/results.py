"""Stored results by content key: what makes an unchanged node free on the next run.

Does not compute keys and does not read the files of a result; those are in the artifact store.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeAlias

from maestro_dsl.codec import from_json, sparse_printer
from maestro_dsl.engine.ports.storage import CachedResult
from maestro_dsl.errors import IntegrityError
from maestro_dsl.storage.presence import Presence
from maestro_dsl.storage.seals import DAMAGED_HINT, Counter, check_count, check_seal, seal
from maestro_dsl.storage.statements import Statements
from maestro_dsl.storage.tables import NEWEST, RESULTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Table
    from sqlalchemy.engine.interfaces import DBAPICursor

    from maestro_dsl.storage.database import Database

_text = sparse_printer(CachedResult)
_Rows: TypeAlias = "Mapping[tuple[str, ...], tuple[str, ...]]"
"""Rows without their checksums, by their primary keys."""


class Results:
    """The result cache in the tables `results` and `newest`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._is_whole = False
        self._presence = Presence()
        self._results = _Upsert(database, RESULTS)
        self._newest = _Upsert(database, NEWEST)
        self._queries = {
            table.name: database.sql.select(table, *table.primary_key.columns.keys())
            for table in (RESULTS, NEWEST)
        }

    def put_all(self, cursor: DBAPICursor, results: Sequence[tuple[str, CachedResult]]) -> None:
        """Remember (plan id, result) pairs under their content keys, and as the newest of their nodes.

        Part of the caller's transaction: a result is there if and only if the events are that speak of it.
        """
        # The last of a key wins; two equal nodes may end at the same moment.
        stored: _Rows = {(result.key,): (result.key, _text(result)) for _, result in results}
        newest: _Rows = {(plan, result.node): (plan, result.node, result.key) for plan, result in results}
        for upsert, rows in ((self._results, stored), (self._newest, newest)):
            self._presence.add(upsert.table, rows)
            upsert.put_all(cursor, rows)

    def confirm(self, cursor: DBAPICursor) -> None:
        """Find out whether anybody else has written; inside a transaction that writes."""
        if self._presence.is_known:
            self._presence.confirm(self._database.version_by(cursor))

    def get(self, key: str) -> CachedResult | None:
        """Return the result of a content key, or None where there is none."""
        found = self._lookup(RESULTS, (key,), f"result {key[:12]}")
        return None if found is None else from_json(CachedResult, json.loads(found["body"]))

    def newest(self, plan_id: str, node: str) -> CachedResult | None:
        """Return the newest result of a node address of a plan, or None where there is none."""
        row = self._lookup(NEWEST, (plan_id, node), f"the newest result of {node}")
        if row is None:
            return None
        found = self.get(row["key"])
        if found is None:
            raise IntegrityError(f"the stored result of {node} is gone", hint=DAMAGED_HINT)
        return found

    def all(self) -> Sequence[CachedResult]:
        """Return every stored result, by key.

        Raises:
            IntegrityError: one is damaged.
        """
        with self._database.reading() as connection:
            check_count(connection, RESULTS)
            # Not in the order of the keys: the index would be asked, which may lack rows that were counted.
            rows = connection.exec_driver_sql(self._database.sql.select(RESULTS)).mappings().all()
        for row in rows:
            check_seal(row, f"result {str(row['key'])[:12]}")
        found = (from_json(CachedResult, json.loads(row["body"])) for row in rows)
        return tuple(sorted(found, key=lambda result: result.key))

    def verify(self) -> None:
        """Read every stored result.

        Raises:
            IntegrityError: one is damaged or gone.
        """
        with self._database.reading() as connection:
            for table in (RESULTS, NEWEST):
                _check_all(connection, table)

    def _lookup(self, table: Table, place: tuple[str, ...], what: str) -> Mapping[str, str] | None:
        if self._presence.lacks(table.name, place):
            return None
        found = self._database.row(self._queries[table.name], place)
        if found is not None:
            row = dict(zip(table.columns.keys(), found, strict=True))
            check_seal(row, what)
            if found[: len(place)] != place:  # a damaged index leads to the row of another key
                raise IntegrityError(f"the stored record of {what} is damaged", hint=DAMAGED_HINT)
            return row
        if not self._is_whole:
            self._look_at_all()
        return None

    def _look_at_all(self) -> None:
        """Read every row: a miss costs money, so it has to be a real one; once a process is enough."""
        version = self._database.version()
        with self._database.reading() as connection:
            tables = {table.name: _check_all(connection, table) for table in (RESULTS, NEWEST)}
        self._presence.learn(tables, version)
        self._is_whole = True


class _Upsert:
    """Inserts a row or puts it in the place of an older one, in SQL that every database knows."""

    def __init__(self, database: Database, table: Table) -> None:
        self.table = table.name
        self._update = database.sql.update(table, *table.primary_key.columns.keys())
        self._insert = database.inserter(table, "ON CONFLICT DO NOTHING")
        self._counter = Counter(database, table.name)

    def put_all(self, cursor: DBAPICursor, rows: _Rows) -> None:
        """Put rows, in the place of older ones where there are such."""
        if not rows:
            return
        full = [(*row, seal(*row)) for row in rows.values()]
        added = self._insert.put(cursor, full)
        if added < len(full):
            cursor.executemany(self._update, [(*row, *place) for place, row in zip(rows, full, strict=True)])
        if added:
            self._counter.up(cursor, added)


def _check_all(connection: Connection, table: Table) -> set[int]:
    """Read every row of a table, and return the hashes of their primary keys."""
    check_count(connection, table)
    keys, sql = table.primary_key.columns.keys(), Statements(connection.dialect)
    found = set()
    for row in connection.exec_driver_sql(sql.select(table)).mappings():
        check_seal(row, f'a row of "{table.name}"')
        found.add(hash(tuple(row[name] for name in keys)))
    # By their order keys are read from the index, which may be damaged where the table is whole.
    by_index = connection.exec_driver_sql(sql.select(table, columns=keys, order=keys))
    indexed = [tuple(map(str, row)) for row in by_index]
    in_order = connection.dialect.name != "sqlite" or indexed == sorted(indexed)
    if found != set(map(hash, indexed)) or not in_order:
        raise IntegrityError(f'the index of the table "{table.name}" is damaged', hint=DAMAGED_HINT)
    return found
