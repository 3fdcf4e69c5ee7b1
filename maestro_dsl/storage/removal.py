"""Takes runs and results out of the journal, each in one transaction: they are there whole, or not at all.

Decides nothing: what may go is `retention`'s business. Contents stay; a sweep finds what nobody names then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, select

from maestro_dsl.storage.commands import forget_requests
from maestro_dsl.storage.journal import FINAL_STATUSES
from maestro_dsl.storage.outbox import OPEN
from maestro_dsl.storage.seals import Counter, LateCounter
from maestro_dsl.storage.tables import EVENTS, HEADS, NEWEST, PLANS, RESULTS, RUNS, TICKETS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maestro_dsl.storage.database import Database

_AT_ONCE: Final = 200


def remove_run(database: Database, run_id: str) -> bool:
    """Remove a run that has ended with all that is its own; False where it goes on, or is gone already.

    Tickets that still wait for delivery stay: they say all they have to say themselves.
    """
    with database.writing() as connection:
        status = connection.scalar(select(HEADS.c.status).where(HEADS.c.run_id == run_id))
        if status not in FINAL_STATUSES:
            return False
        plan = connection.scalar(select(RUNS.c.plan_blob).where(RUNS.c.run_id == run_id))
        for table in (EVENTS, HEADS, RUNS):
            connection.execute(delete(table).where(table.c.run_id == run_id))
        cursor = connection.connection.cursor()
        forget_requests(database, connection, run_id)
        closed = TICKETS.c.status.not_in(OPEN)
        tickets = connection.execute(delete(TICKETS).where((TICKETS.c.run_id == run_id) & closed)).rowcount
        LateCounter(database, TICKETS).up(cursor, -tickets)
        if connection.execute(select(RUNS.c.run_id).where(RUNS.c.plan_blob == plan)).first() is None:
            connection.execute(delete(PLANS).where(PLANS.c.digest == plan))
        Counter(database, RUNS.name).up(cursor, -1)
        database.marks.forget(run_id)  # before the rows are gone: a mark without its run means damage
    return True


def remove_results(database: Database, keys: Sequence[str]) -> int:
    """Remove stored results by content key; return how many there were."""
    removed = 0
    for start in range(0, len(keys), _AT_ONCE):
        some = keys[start : start + _AT_ONCE]
        with database.writing() as connection:
            for table in (NEWEST, RESULTS):
                gone = connection.execute(delete(table).where(table.c.key.in_(some))).rowcount
                if gone:
                    Counter(database, table.name).up(connection.connection.cursor(), -gone)
            removed += gone
    return removed
