"""Tickets about nodes that failed for good: delivered beside a run, listed, delivered later, dropped."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

from maestro_dsl.app.state import State, open_state
from maestro_dsl.app.system import EnvironmentSecrets, SystemClock
from maestro_dsl.app.values import TicketList
from maestro_dsl.codec import to_json
from maestro_dsl.errors import MaestroError, StateError
from maestro_dsl.storage.outbox import TicketBox
from maestro_dsl.tickets.courier import Courier, open_tickets
from maestro_dsl.tickets.registry import check, open_sink

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

    from maestro_dsl.app.values import Compiled
    from maestro_dsl.engine.tickets import Ticket
    from maestro_dsl.lang.model import Json

LAST_DELIVERY_S: Final = 10.0
"""How long the end of a run waits for tickets that are on their way."""
_log = logging.getLogger(__name__)


def target_of(compiled: Compiled, environ: Mapping[str, str]) -> Mapping[str, Json] | None:
    """Return where tickets of a plan go, as its project states it: names of secrets, no secret.

    Raises:
        UsageError: what it states cannot be used.
    """
    workspace = compiled.workspace
    settings = None if workspace is None or workspace.project is None else workspace.project.value.tickets
    if settings is None:
        return None
    check(settings, EnvironmentSecrets(environ))
    found: Mapping[str, Json] = to_json(settings)
    return found


def courier_of(state: State, environ: Mapping[str, str]) -> Courier:
    """Return who delivers the tickets of a state directory."""
    secrets, clock = EnvironmentSecrets(environ), SystemClock()
    return Courier(
        outbox=TicketBox(state.journal.database),
        open_sink=lambda settings: open_sink(settings, secrets, clock),
        clock=clock,
    )


@asynccontextmanager
async def delivering(courier: Courier) -> AsyncIterator[None]:
    """Deliver tickets while the block runs, and what is due once more at its end; never fails a run."""
    task = asyncio.create_task(_work(courier))
    try:
        yield
        with suppress(TimeoutError, MaestroError):
            async with asyncio.timeout(LAST_DELIVERY_S):
                await courier.settle()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _work(courier: Courier) -> None:
    try:
        await courier.work()
    except MaestroError as error:  # the run is worth more than its tickets
        _log.warning("tickets wait in the outbox: %s", error.message)


def list_tickets(*, environ: Mapping[str, str], state_dir: Path | None = None) -> TicketList:
    """Return all tickets of the state directory, oldest first."""
    with open_state(state_dir, environ, looking=True) as state:
        found = tuple(TicketBox(state.journal.database).tickets())
        return TicketList(tickets=found, state_dir=state.place.path)


def show_ticket(key: str, *, environ: Mapping[str, str], state_dir: Path | None = None) -> Ticket:
    """Return one ticket; the beginning of its key is enough.

    Raises:
        StateError: none or several match.
    """
    with open_state(state_dir, environ, looking=True) as state:
        return _one(state, TicketBox(state.journal.database).tickets(), key)


def deliver_tickets(
    keys: Sequence[str] = (), *, environ: Mapping[str, str], state_dir: Path | None = None
) -> TicketList:
    """Deliver now what waits (these, or all), also what failed a moment ago; return them as they are then.

    Raises:
        StateError: a key matches none or several.
    """
    with open_state(state_dir, environ) as state:
        outbox = TicketBox(state.journal.database)
        tickets = outbox.tickets()
        wanted = open_tickets([_one(state, tickets, key) for key in keys] if keys else tickets)
        asyncio.run(courier_of(state, environ).deliver(wanted, force=True))
        chosen = {item.key for item in wanted}
        after = tuple(item for item in outbox.tickets() if item.key in chosen)
        return TicketList(tickets=after, state_dir=state.place.path)


def drop_ticket(key: str, *, environ: Mapping[str, str], state_dir: Path | None = None) -> Ticket:
    """Give up a ticket that waits; dropping it twice is harmless.

    Raises:
        StateError: none or several match, or it has been delivered.
    """
    with open_state(state_dir, environ) as state:
        outbox = TicketBox(state.journal.database)
        ticket = _one(state, outbox.tickets(), key)
        outbox.drop(ticket.key)
        after = _one(state, outbox.tickets(), ticket.key)
        if after.reference:
            raise StateError(
                f"ticket {after.key} has been delivered as {after.reference}", hint="close it there"
            )
        return after


def _one(state: State, tickets: Sequence[Ticket], key: str) -> Ticket:
    found = [item for item in tickets if item.key == key] or [
        item for item in tickets if key and item.key.startswith(key)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise StateError(f'"{key}" is the beginning of {len(found)} tickets', hint="say more of it")
    raise StateError(f'no ticket "{key}" in {state.place.path}', hint="maestro tickets lists them")
