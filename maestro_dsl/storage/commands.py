"""Requests of one terminal to the process that works on a run, as rows of the shared database.

A request is accepted or withdrawn, never both: each is one conditional update of its row. How many wait is
counted in the same transaction, so that a damaged page or index cannot hide one. What a request means is not
known here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, func, select

from maestro_dsl.codec import from_json, to_json
from maestro_dsl.engine.commands import Command
from maestro_dsl.errors import IntegrityError
from maestro_dsl.storage.seals import DAMAGED_HINT, LateCounter, check_count, check_seal, counted, seal
from maestro_dsl.storage.tables import COMMANDS, COUNTERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, RowMapping, Select

    from maestro_dsl.storage.database import Database

PENDING: Final = "pending"
ACCEPTED: Final = "accepted"
DONE: Final = "done"
REFUSED: Final = "refused"
WITHDRAWN: Final = "withdrawn"
WAITING: Final = "commands waiting"
"""Name of the counter of requests that nobody has taken up, of all runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a request; `answer` is a sentence, empty while it is pending."""

    status: str
    answer: str = ""


class Commands:
    """The engine's `CommandQueue`, and the sender's side of it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._oldest = database.sql.select(COMMANDS, "run_id", "status", order=("number",))
        self._counter = LateCounter(database, COMMANDS)
        self._waiting = LateCounter(database, COMMANDS, WAITING, status=PENDING)
        self._counted = database.sql.select(COUNTERS, "name")

    def send(self, command: Command) -> int:
        """Store a request durably and return its number."""
        body = json.dumps(to_json(command), sort_keys=True)
        with self._database.writing() as connection:
            values = {"run_id": command.run_id, "status": PENDING, "body": body, "answer": ""}
            checksum = seal(*values.values())
            done = connection.execute(COMMANDS.insert(), {**values, "checksum": checksum})
            key = done.inserted_primary_key
            cursor = connection.connection.cursor()
            self._counter.up(cursor)
            self._waiting.up(cursor)
        if key is None:
            raise IntegrityError("the database gave a request no number", hint=DAMAGED_HINT)
        return int(key[0])

    def next(self, run_id: str) -> Command | None:
        """Return the oldest request of a run nobody has answered, or None.

        Raises:
            IntegrityError: its row is damaged, or some request cannot be found.
        """
        stated = self._database.row(self._counted, (WAITING,))
        if stated is not None and _count_of(stated) == 0:
            return None
        found = self._database.row(self._oldest, (run_id, PENDING)) or self._unindexed(run_id)
        if found is None:
            return None
        number, *rest = found
        row = dict(zip(COMMANDS.columns.keys()[1:], rest, strict=True))
        check_seal(row, f"request {number}")
        if row["status"] != PENDING:  # what leads to it is damaged: it would be offered for ever
            raise IntegrityError(f"request {number} does not wait any more", hint=DAMAGED_HINT)
        data = json.loads(row["body"])
        return from_json(Command, {**data, "number": int(number)})

    def _unindexed(self, run_id: str) -> tuple[Any, ...] | None:
        """Look for a request where the index shows none although some wait, of whichever run.

        Raises:
            IntegrityError: fewer wait than were counted.
        """
        with self._database.reading() as connection:
            rows = connection.execute(select(COMMANDS).order_by(COMMANDS.c.number)).mappings().all()
            check_waiting(connection, rows)
        waiting = (row for row in rows if row["status"] == PENDING and row["run_id"] == run_id)
        return next((tuple(row.values()) for row in waiting), None)

    def accept(self, number: int) -> bool:
        """Take a request up; False where it was withdrawn."""
        return self._move(number, PENDING, ACCEPTED)

    def answer(self, number: int, *, done: bool, text: str) -> None:
        """Say what became of an accepted request."""
        self._move(number, ACCEPTED, DONE if done else REFUSED, text)

    def withdraw(self, number: int) -> bool:
        """Take a request back; False where it has been accepted."""
        return self._move(number, PENDING, WITHDRAWN)

    def receipt(self, number: int) -> Receipt:
        """Return what became of a request; one whose run has been removed is as good as withdrawn."""
        with self._database.reading() as connection:
            row = connection.execute(_place(number)).mappings().first()
        if row is None:
            self.verify()  # a damaged page may hide a row
            return Receipt(status=WITHDRAWN)
        _check(row)
        return Receipt(status=row["status"], answer=row["answer"])

    def verify(self) -> None:
        """Read every request.

        Raises:
            IntegrityError: one is damaged or gone.
        """
        with self._database.reading() as connection:
            check_count(connection, COMMANDS, late=True)
            rows = connection.execute(select(COMMANDS).order_by(COMMANDS.c.number)).mappings().all()
            check_waiting(connection, rows)
        for row in rows:
            _check(row)

    def expire(self, run_id: str) -> int:
        """Withdraw what was asked of a process that is gone; return how many requests that were."""
        count = 0
        while (left := self.next(run_id)) is not None:
            count += self.withdraw(left.number)
        return count

    def _move(self, number: int, before: str, status: str, text: str = "") -> bool:
        with self._database.writing() as connection:
            row = connection.execute(_place(number)).mappings().first()
            if row is None or row["status"] != before:
                return False
            _check(row)
            values = {"run_id": row["run_id"], "status": status, "body": row["body"], "answer": text}
            checksum = seal(*values.values())
            place = COMMANDS.c.number == number
            connection.execute(COMMANDS.update().where(place).values(**values, checksum=checksum))
            if before == PENDING:
                self._waiting.up(connection.connection.cursor(), -1)
        return True


def forget_requests(database: Database, connection: Connection, run_id: str) -> None:
    """Remove the requests of a run that goes, in its transaction."""
    of_run = COMMANDS.c.run_id == run_id
    waiting = connection.scalar(select(func.count()).where(of_run & (COMMANDS.c.status == PENDING))) or 0
    asked = connection.execute(delete(COMMANDS).where(of_run)).rowcount
    cursor = connection.connection.cursor()
    LateCounter(database, COMMANDS).up(cursor, -asked)
    LateCounter(database, COMMANDS, WAITING, status=PENDING).up(cursor, -waiting)


def check_waiting(connection: Connection, rows: Sequence[RowMapping]) -> None:
    """Compare how many of all requests wait with what was counted.

    Raises:
        IntegrityError: they differ.
    """
    expected = counted(connection, WAITING)
    found = sum(row["status"] == PENDING for row in rows)
    if expected is not None and found != expected:
        raise IntegrityError(
            f"{expected} requests from other terminals wait, and {found} are there", hint=DAMAGED_HINT
        )


def _count_of(row: tuple[Any, ...]) -> int:
    name, rows, checksum = row
    check_seal({"name": name, "rows": rows, "checksum": checksum}, f'the counter of "{name}"')
    return int(rows)


def _place(number: int) -> Select[Any]:
    return select(COMMANDS).where(COMMANDS.c.number == number)


def _check(row: RowMapping) -> None:
    check_seal({name: row[name] for name in row if name != "number"}, f"request {row['number']}")
