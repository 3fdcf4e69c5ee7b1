"""The outbox of tickets: rows that are written with the events that open them, and claimed for delivery.

Delivers nothing. A claim ends by time, so a ticket whose process died is taken up by another one.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from maestro_dsl.codec import from_json, to_json
from maestro_dsl.engine.events import TicketOpened
from maestro_dsl.engine.tickets import Ticket, TicketStatus, ticket_of
from maestro_dsl.storage.seals import LateCounter, check_count, check_seal, seal
from maestro_dsl.storage.tables import TICKETS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy.engine.interfaces import DBAPICursor

    from maestro_dsl.engine.events import Event
    from maestro_dsl.storage.database import Database

OPEN: Final = (TicketStatus.PENDING.value, TicketStatus.SENDING.value)


class TicketBox:
    """The engine's `Outbox` on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = database.sql.insert(TICKETS)
        self._counter = LateCounter(database, TICKETS)

    def put_all(self, cursor: DBAPICursor, events: Sequence[Event]) -> None:
        """Store the tickets that `events` open; part of the caller's transaction."""
        for event in events:
            if type(event.body) is TicketOpened:
                ticket = ticket_of(event.run_id, event.body, event.at)
                cursor.execute(self._insert, tuple(_row(ticket).values()))
                self._counter.up(cursor)

    def tickets(self, run_id: str | None = None) -> Sequence[Ticket]:
        """Return all tickets, or those of a run, oldest first.

        Raises:
            IntegrityError: a row is damaged.
        """
        query = select(TICKETS).order_by(TICKETS.c.made_at, TICKETS.c.key)
        if run_id is not None:
            query = query.where(TICKETS.c.run_id == run_id)
        with self._database.reading() as connection:
            check_count(connection, TICKETS, late=True)
            return tuple(_decoded(row) for row in connection.execute(query).mappings())

    def due(self, now: float) -> Sequence[Ticket]:
        """Return the tickets that may be delivered at `now`, oldest first."""
        place = TICKETS.c.status.in_(OPEN) & (TICKETS.c.next_at <= now)
        query = select(TICKETS).where(place).order_by(TICKETS.c.made_at, TICKETS.c.key)
        with self._database.reading() as connection:
            check_count(connection, TICKETS, late=True)
            return tuple(_decoded(row) for row in connection.execute(query).mappings())

    def claim(self, key: str, *, now: float, until: float) -> bool:
        """Take a due ticket for this process until then; False where another was quicker."""

        def take(ticket: Ticket) -> Ticket | None:
            if ticket.status.value not in OPEN or ticket.next_at > now:
                return None
            return replace(ticket, status=TicketStatus.SENDING, next_at=until, tries=ticket.tries + 1)

        return self._change(key, take)

    def delivered(self, key: str, *, reference: str, url: str) -> None:
        """Note where a ticket arrived; the first receipt stands."""

        def note(ticket: Ticket) -> Ticket | None:
            if ticket.status is TicketStatus.DELIVERED:
                return None
            return replace(ticket, status=TicketStatus.DELIVERED, reference=reference, url=url, error="")

        self._change(key, note)

    def failed(self, key: str, *, error: str, next_at: float) -> None:
        """Note why a ticket did not arrive, and when to try again."""

        def note(ticket: Ticket) -> Ticket | None:
            if ticket.status.value not in OPEN:
                return None
            return replace(ticket, status=TicketStatus.PENDING, error=error, next_at=next_at)

        self._change(key, note)

    def drop(self, key: str) -> bool:
        """Give a ticket up that has not been delivered; False where there is nothing to give up."""

        def give_up(ticket: Ticket) -> Ticket | None:
            return replace(ticket, status=TicketStatus.DROPPED) if ticket.status.value in OPEN else None

        return self._change(key, give_up)

    def _change(self, key: str, change: Callable[[Ticket], Ticket | None]) -> bool:
        place = TICKETS.c.key == key
        with self._database.writing() as connection:
            found = connection.execute(select(TICKETS).where(place)).mappings().first()
            changed = None if found is None else change(_decoded(found))
            if changed is None:
                return False
            connection.execute(TICKETS.update().where(place).values(_row(changed)))
        return True


def _row(ticket: Ticket) -> dict[str, Any]:
    values = {
        "key": ticket.key,
        "run_id": ticket.run_id,
        "status": ticket.status.value,
        "next_at": float(ticket.next_at),
        "made_at": float(ticket.made_at),
        "body": json.dumps(to_json(ticket), sort_keys=True),
    }
    return {**values, "checksum": seal(*values.values())}


def _decoded(row: Mapping[Any, Any]) -> Ticket:
    check_seal(row, f"ticket {row['key']}")
    return from_json(Ticket, json.loads(row["body"]))
