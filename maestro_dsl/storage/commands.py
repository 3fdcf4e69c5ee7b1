"""Requests of one terminal to the process that works on a run, as rows of the shared database.

A request is accepted or withdrawn, never both: each is one conditional update of its row. What a request
means is not known here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, select

from maestro_dsl.codec import from_json, to_json
from maestro_dsl.engine.commands import Command
from maestro_dsl.errors import IntegrityError
from maestro_dsl.storage.seals import DAMAGED_HINT, LateCounter, check_count, check_seal, seal
from maestro_dsl.storage.tables import COMMANDS

if TYPE_CHECKING:
    from sqlalchemy import RowMapping, Select

    from maestro_dsl.storage.database import Database

PENDING: Final = "pending"
ACCEPTED: Final = "accepted"
DONE: Final = "done"
REFUSED: Final = "refused"
WITHDRAWN: Final = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a request; `answer` is a sentence, empty while it is pending."""

    status: str
    answer: str = ""


class Commands:
    """The engine's `CommandQueue`, and the sender's side of it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        oldest = (
            select(COMMANDS)
            .where((COMMANDS.c.run_id == bindparam("of_run")) & (COMMANDS.c.status == bindparam("of_status")))
            .order_by(COMMANDS.c.number)
        )
        self._oldest = database.compiled(oldest)
        self._counter = LateCounter(database, COMMANDS)

    def send(self, command: Command) -> int:
        """Store a request durably and return its number."""
        body = json.dumps(to_json(command), sort_keys=True)
        with self._database.writing() as connection:
            values = {"run_id": command.run_id, "status": PENDING, "body": body, "answer": ""}
            checksum = seal(*values.values())
            done = connection.execute(COMMANDS.insert(), {**values, "checksum": checksum})
            key = done.inserted_primary_key
            self._counter.up(connection.connection.cursor())
        if key is None:
            raise IntegrityError("the database gave a request no number", hint=DAMAGED_HINT)
        return int(key[0])

    def next(self, run_id: str) -> Command | None:
        """Return the oldest request of a run nobody has answered, or None.

        Raises:
            IntegrityError: its row is damaged.
        """
        found = self._database.row(self._oldest, (run_id, PENDING))
        if found is None:
            return None
        number, *rest = found
        row = dict(zip(COMMANDS.columns.keys()[1:], rest, strict=True))
        check_seal(row, f"request {number}")
        data = json.loads(row["body"])
        return from_json(Command, {**data, "number": int(number)})

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
            for row in connection.execute(select(COMMANDS)).mappings():
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
        return True


def _place(number: int) -> Select[Any]:
    return select(COMMANDS).where(COMMANDS.c.number == number)


def _check(row: RowMapping) -> None:
    check_seal({name: row[name] for name in row if name != "number"}, f"request {row['number']}")
