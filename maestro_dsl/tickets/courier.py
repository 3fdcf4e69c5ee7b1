"""Takes tickets from the outbox to where they go: each once, later where the place is down.

A ticket is claimed for a while, looked for, made where it is not there, and its receipt is stored. A process
that dies in between leaves a claim that ends; whoever comes next finds the ticket by its key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from maestro_dsl.codec import from_json
from maestro_dsl.engine.events import TicketOpened
from maestro_dsl.engine.tickets import Outbox, Ticket, TicketStatus
from maestro_dsl.errors import MaestroError
from maestro_dsl.lang.model import TicketSettings
from maestro_dsl.tickets.sink import Arrived, Sink, Undelivered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maestro_dsl.engine.events import Event
    from maestro_dsl.ports import Clock

CLAIM_S: Final = 60.0
"""Longer than looking for a ticket and making it may take."""
FIRST_DELAY_S: Final = 30.0
LONGEST_DELAY_S: Final = 6 * 3_600.0
LOOK_EVERY_S: Final = 5.0
OpenSink: TypeAlias = Callable[[TicketSettings], Sink]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of one ticket; `arrived` None = it still waits, and `error` says why."""

    ticket: Ticket
    arrived: Arrived | None = None
    error: str = ""


class Courier:
    """Delivers tickets; also a sink of events, so that a new one does not wait."""

    def __init__(self, *, outbox: Outbox, open_sink: OpenSink, clock: Clock) -> None:
        self._outbox = outbox
        self._open_sink = open_sink
        self._clock = clock
        self._news = asyncio.Event()
        self._busy = asyncio.Lock()

    def on_event(self, event: Event) -> None:
        """See one event after it is durable."""
        if isinstance(event.body, TicketOpened):
            self._news.set()

    async def work(self) -> None:
        """Deliver what is due, again and again, until cancelled."""
        while True:
            self._news.clear()
            await self.settle()
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def settle(self) -> None:
        """Return when what is due now has been tried, by this call or by one that was at it already."""
        async with self._busy:
            await self.deliver(self._outbox.due(self._clock.now()))

    async def deliver(self, tickets: Sequence[Ticket], *, force: bool = False) -> tuple[Delivery, ...]:
        """Deliver these tickets; `force` = also where a failed one should still wait."""
        found = []
        for ticket in tickets:
            now = self._clock.now()
            waits = force and ticket.status is TicketStatus.PENDING
            if self._outbox.claim(
                ticket.key, now=max(now, ticket.next_at) if waits else now, until=now + CLAIM_S
            ):
                found.append(await self._one(ticket))
        return tuple(found)

    async def _one(self, ticket: Ticket) -> Delivery:
        try:
            sink = self._open_sink(from_json(TicketSettings, ticket.target))
            arrived = await sink.find(ticket) or await sink.create(ticket)
        except (Undelivered, MaestroError) as error:
            asked = error.retry_after_s if isinstance(error, Undelivered) else None
            delay_s = max(asked or 0.0, delay_after(ticket.tries + 1))
            self._outbox.failed(ticket.key, error=error.message, next_at=self._clock.now() + delay_s)
            return Delivery(ticket=ticket, error=error.message)
        self._outbox.delivered(ticket.key, reference=arrived.reference, url=arrived.url)
        return Delivery(ticket=ticket, arrived=arrived)


def delay_after(tries: int) -> float:
    """Return the seconds before the next delivery after so many that failed."""
    doubled: float = FIRST_DELAY_S * 2.0 ** min(tries - 1, 30)
    return min(LONGEST_DELAY_S, doubled)


def open_tickets(tickets: Sequence[Ticket]) -> tuple[Ticket, ...]:
    """Return those that have neither arrived nor been dropped."""
    return tuple(item for item in tickets if item.status in {TicketStatus.PENDING, TicketStatus.SENDING})
