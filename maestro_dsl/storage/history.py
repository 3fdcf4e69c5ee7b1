"""The events of a run as rows: how they are grouped, chained, and read back.

A row holds the texts of events that were appended together, a line each, and the digest of the chain before
it and of them. Older versions wrote rows of one event; these need no reader of their own.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from maestro_dsl.engine.events import decode_event
from maestro_dsl.errors import IntegrityError, StateError
from maestro_dsl.storage.seals import DAMAGED_HINT
from maestro_dsl.storage.tables import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection

    from maestro_dsl.engine.events import Event
    from maestro_dsl.storage.database import Database

TOGETHER: Final = 256
"""How many events share a row at most: a row is read as a whole."""
_PAGE: Final = 50

Row = tuple[str, int, str, str]
"""Run, number of the last event, texts, chain: the columns of `events`, in their order."""


def link(chain: str, body: str) -> str:
    """Return the chain after a row with this body."""
    return hashlib.sha256(f"{chain}\n{body}".encode()).hexdigest()


def rows_of(run_id: str, seq: int, chain: str, texts: Sequence[str]) -> list[Row]:
    """Return the rows for the texts of events that follow event `seq` and its chain."""
    rows = []
    for start in range(0, len(texts), TOGETHER):
        some = texts[start : start + TOGETHER]
        body = "\n".join(some)
        seq, chain = seq + len(some), link(chain, body)
        rows.append((run_id, seq, body, chain))
    return rows


def texts_of(connection: Connection, run_id: str) -> list[str]:
    """Return the stored texts of a run's events, in order; nothing is verified."""
    query = select(EVENTS.c.body).where(EVENTS.c.run_id == run_id).order_by(EVENTS.c.seq)
    return [text for body in connection.scalars(query) for text in str(body).split("\n")]


def counted_events() -> ColumnElement[int]:
    """Return how many events there are in some rows, as SQL: one a line."""
    lines = func.length(EVENTS.c.body) - func.length(func.replace(EVENTS.c.body, "\n", "")) + 1
    return func.sum(lines)


def start_of(connection: Connection, run_id: str, after: int, origin: str) -> tuple[int, str]:
    """Return the last event at or before `after` that ends a row, and its chain; before all is `origin`."""
    where = (EVENTS.c.run_id == run_id) & (EVENTS.c.seq <= after)
    last = select(EVENTS.c.seq, EVENTS.c.chain).where(where).order_by(EVENTS.c.seq.desc()).limit(1)
    row = connection.execute(last).first() if after > 0 else None
    return (0, origin) if row is None else (int(row.seq), str(row.chain))


def read(database: Database, run_id: str, start: tuple[int, str], end: tuple[int, str]) -> Iterator[Event]:
    """Yield the events of the rows between two places, each a number and a chain, verified row by row.

    Raises:
        IntegrityError: the chain is broken, or ends too early.
    """
    (seq, chain), (last, final) = start, end
    while seq < last:
        where = (EVENTS.c.run_id == run_id) & (EVENTS.c.seq > seq) & (EVENTS.c.seq <= last)
        page = select(EVENTS).where(where).order_by(EVENTS.c.seq).limit(_PAGE)
        with database.reading() as connection:
            rows = connection.execute(page).all()
        if not rows:
            raise broken(run_id, f"ends at event {seq} instead of {last}")
        for row in rows:
            chain = link(chain, row.body)
            texts = str(row.body).split("\n")
            if row.chain != chain or row.seq != seq + len(texts):
                raise broken(run_id, f"is damaged at event {seq + 1}")
            for text in texts:
                seq += 1
                yield decoded(run_id, seq, text)
    if chain != final:
        raise broken(run_id, f"does not end as recorded at event {last}")


def decoded(run_id: str, seq: int, text: str) -> Event:
    """Return the stored event; it has to be the one asked for."""
    event = decode_event(json.loads(text))
    if event.run_id != run_id or event.seq != seq:
        raise broken(run_id, f"holds a foreign event at {seq}")
    return event


def broken(run_id: str, how: str) -> IntegrityError:
    """Return the error for a history that cannot be trusted."""
    return IntegrityError(f"the history of run {run_id} {how}", hint=DAMAGED_HINT)


def out_of_order(run_id: str, last: int, event: Event) -> StateError:
    """Return the error for an event that does not follow event `last`."""
    return StateError(
        f"run {run_id} has {last} events, so event {event.seq} does not follow",
        hint="another process wrote to this run; resume it to read its history again",
    )
