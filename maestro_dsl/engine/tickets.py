"""Tickets about nodes that failed for good: what one says, and where it waits until it is delivered.

A ticket is opened by an event, so it is stored in the transaction that says why. Delivering is done by
`maestro_dsl.tickets`, later and elsewhere if need be; nothing here knows a network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from maestro_dsl.codec import digest
from maestro_dsl.lang.model import Json

if TYPE_CHECKING:
    from maestro_dsl.engine.events import TicketOpened

MAX_TEXT_CHARS: Final = 8_000
MAX_TITLE_CHARS: Final = 200
_KEY_DIGITS: Final = 20


class TicketStatus(StrEnum):
    """Where a ticket is."""

    PENDING = "pending"
    SENDING = "sending"
    """A process is delivering it, or died while it was."""
    DELIVERED = "delivered"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One ticket in the outbox. Times in seconds since the epoch."""

    key: str
    """Idempotency key: equal for the same node of the same run, short enough for a label."""
    run_id: str
    node: str
    title: str
    text: str
    target: Mapping[str, Json] = field(default_factory=dict)
    """Where it goes, with the names of secrets instead of secrets."""
    status: TicketStatus = TicketStatus.PENDING
    tries: int = 0
    next_at: float = 0.0
    """Not before this time: back-off, or the end of another process's claim."""
    made_at: float = 0.0
    reference: str = ""
    """What the other side calls it, e.g. OPS-17."""
    url: str = ""
    error: str = ""
    """Why the last delivery failed."""


class Outbox(Protocol):
    """Tickets that wait, and what became of them; shared by all processes on one state directory."""

    def tickets(self, run_id: str | None = None) -> Sequence[Ticket]:
        """Return all tickets, or those of a run, oldest first."""

    def due(self, now: float) -> Sequence[Ticket]:
        """Return the tickets that may be delivered at `now`, oldest first."""

    def claim(self, key: str, *, now: float, until: float) -> bool:
        """Take a due ticket for this process until then; False where another was quicker."""

    def delivered(self, key: str, *, reference: str, url: str) -> None:
        """Note where a ticket arrived."""

    def failed(self, key: str, *, error: str, next_at: float) -> None:
        """Note why a ticket did not arrive, and when to try again."""

    def drop(self, key: str) -> bool:
        """Give a ticket up that has not been delivered; False where there is nothing to give up."""


def ticket_key(run_id: str, node: str) -> str:
    """Return the idempotency key of the one ticket that a node of a run may have."""
    return digest([run_id, node])[:_KEY_DIGITS]


def ticket_of(run_id: str, opened: TicketOpened, at: float) -> Ticket:
    """Return the outbox row that an event opens."""
    return Ticket(
        key=opened.key,
        run_id=run_id,
        node=opened.node,
        title=opened.title,
        text=opened.text,
        target=opened.target,
        made_at=at,
        next_at=at,
    )
