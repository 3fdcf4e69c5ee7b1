"""Stored results by content key: what makes an unchanged node free on the next run.

Does not compute keys and does not read the files of a result; those are in the artifact store.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import Table, select

from maestro_dsl.codec import from_json, to_json
from maestro_dsl.engine.ports import CachedResult
from maestro_dsl.errors import IntegrityError
from maestro_dsl.storage.seals import DAMAGED_HINT, check_count, check_seal, count_up, sealed
from maestro_dsl.storage.tables import NEWEST, RESULTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement, Connection

    from maestro_dsl.storage.database import Database


class Results:
    """The result cache in the tables `results` and `newest`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._complete: set[str] = set()

    def put(self, result: CachedResult, plan_id: str) -> None:
        """Remember a result under its content key, and as the newest of its node."""
        body = json.dumps(to_json(result), sort_keys=True, separators=(",", ":"), allow_nan=False)
        newest = {"plan_id": plan_id, "node": result.node, "key": result.key}
        with self._database.writing() as connection:
            _replace(connection, RESULTS, {"key": result.key, "body": body}, RESULTS.c.key == result.key)
            place = (NEWEST.c.plan_id == plan_id) & (NEWEST.c.node == result.node)
            _replace(connection, NEWEST, newest, place)

    def get(self, key: str) -> CachedResult | None:
        """Return the result of a content key, or None where there is none."""
        with self._database.reading() as connection:
            return self._load(connection, key)

    def newest(self, plan_id: str, node: str) -> CachedResult | None:
        """Return the newest result of a node address of a plan, or None where there is none."""
        with self._database.reading() as connection:
            place = (NEWEST.c.plan_id == plan_id) & (NEWEST.c.node == node)
            row = self._row(connection, NEWEST, place, f"the newest result of {node}")
            if row is None:
                return None
            found = self._load(connection, str(row["key"]))
        if found is None:
            raise IntegrityError(f"the stored result of {node} is gone", hint=DAMAGED_HINT)
        return found

    def verify(self) -> None:
        """Read every stored result.

        Raises:
            IntegrityError: one is damaged or gone.
        """
        with self._database.reading() as connection:
            for table in (RESULTS, NEWEST):
                _check_all(connection, table)

    def _load(self, connection: Connection, key: str) -> CachedResult | None:
        row = self._row(connection, RESULTS, RESULTS.c.key == key, f"result {key[:12]}")
        return None if row is None else from_json(CachedResult, json.loads(row["body"]))

    def _row(
        self, connection: Connection, table: Table, where: ColumnElement[bool], what: str
    ) -> Mapping[str, str] | None:
        found = connection.execute(select(table).where(where)).mappings().first()
        if found is not None:
            check_seal(found, what)
            return dict(found)
        if table.name not in self._complete:
            # A miss costs money, so it has to be a real one; looking once a process is enough.
            _check_all(connection, table)
            self._complete.add(table.name)
        return None


def _replace(
    connection: Connection, table: Table, values: Mapping[str, str], where: ColumnElement[bool]
) -> None:
    """Insert a row or put it in the place of an older one, in SQL that every database knows."""
    if connection.execute(table.update().where(where).values(sealed(values))).rowcount == 0:
        connection.execute(table.insert(), sealed(values))
        count_up(connection, table)


def _check_all(connection: Connection, table: Table) -> None:
    check_count(connection, table)
    for row in connection.execute(select(table)).mappings():
        check_seal(row, f'a row of "{table.name}"')
