"""Breakers in the database: what one process learns of a model provider, all on the state directory know.

Holds values; the rules are the engine's. A model that answers leaves no row to be written.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import select

from maestro_dsl.codec import from_json, to_json
from maestro_dsl.engine.policy.breaker import Breaker
from maestro_dsl.storage.seals import LateCounter, check_count, check_seal, seal
from maestro_dsl.storage.tables import BREAKERS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from maestro_dsl.engine.ports.models import ModelKey
    from maestro_dsl.storage.database import Database


class Breakers:
    """The engine's `BreakerStore` on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._select = database.sql.select(BREAKERS, "model")
        self._update = database.sql.update(BREAKERS, "model")
        self._insert = database.sql.insert(BREAKERS)
        self._counter = LateCounter(database, BREAKERS)
        self._complete = False

    def load(self, model: ModelKey) -> Breaker:
        """Return the breaker of a model, as of now.

        Raises:
            IntegrityError: its row is damaged.
        """
        row = self._database.row(self._select, (_name(model),))
        if row is None and not self._complete:  # looking once a process is enough
            self.all()  # a damaged page may hide a row
            self._complete = True
        return _decoded(row)

    def change(self, model: ModelKey, change: Callable[[Breaker], Breaker]) -> Breaker:
        """Replace the breaker of a model in one transaction and return the new one.

        Raises:
            IntegrityError: its row is damaged.
        """
        name = _name(model)
        with self._database.transaction(counted=True) as cursor:
            cursor.execute(self._select, (name,))
            found = cursor.fetchone()
            before = _decoded(found)
            after = change(before)
            if after != before or found is None:
                body = json.dumps(to_json(after), sort_keys=True)
                row = (name, body, seal(name, body))
                if found is None:
                    cursor.execute(self._insert, row)
                    self._counter.up(cursor)
                else:
                    cursor.execute(self._update, (*row, name))
        return after

    def all(self) -> Sequence[tuple[str, Breaker]]:
        """Return every model that has ever failed with its breaker, by name."""
        with self._database.reading() as connection:
            check_count(connection, BREAKERS, late=True)
            rows = connection.execute(select(BREAKERS).order_by(BREAKERS.c.model)).all()
        return tuple((row.model, _decoded((row.model, row.body, row.checksum))) for row in rows)


def _name(model: ModelKey) -> str:
    return "/".join(model)


def _decoded(row: tuple[str, ...] | None) -> Breaker:
    if row is None:
        return Breaker()
    model, body, checksum = row
    check_seal({"model": model, "body": body, "checksum": checksum}, f"the breaker of {model}")
    return from_json(Breaker, json.loads(body))
