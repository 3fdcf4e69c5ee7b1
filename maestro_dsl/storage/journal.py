"""The journal: runs and their events, durable before they are acknowledged, in one chained history a run.

The state of a run is the fold of its events and is not stored here; `heads` only
repeats what a listing shows. Each write checks the epoch of its run, so that a process which lost a run
cannot add to it.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import select

from maestro_dsl.codec import digest_bytes
from maestro_dsl.engine.events import Body, Event, RunFinished, RunStarted
from maestro_dsl.errors import IntegrityError, MaestroError, StateError, UsageError
from maestro_dsl.storage.contents import Contents
from maestro_dsl.storage.database import Database, open_database
from maestro_dsl.storage.heads import Head, record_of, refuse_stale
from maestro_dsl.storage.history import broken, out_of_order, read, rows_of, start_of
from maestro_dsl.storage.lost import refuse_lost
from maestro_dsl.storage.outbox import TicketBox
from maestro_dsl.storage.results import Results
from maestro_dsl.storage.seals import DAMAGED_HINT, Counter, check_count, check_seal, seal, sealed
from maestro_dsl.storage.tables import EVENTS, HEADS, PLANS, RESULTS, RUNS, TICKETS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from sqlalchemy import Connection, RowMapping

    from maestro_dsl.engine.ports.storage import CachedResult, RunRecord

FINAL_STATUSES: Final = frozenset({"completed", "failed", "cancelled"})


class _Batch(NamedTuple):
    """What goes into one transaction; results with the ids of their plans."""

    events: Sequence[Event]
    results: Sequence[tuple[str, CachedResult]]
    contents: Sequence[bytes]


class Journal:
    """The engine's `Store` on a database. Safe for several threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.cache = Results(database)  # an import adds to it without events
        self._outbox = TicketBox(database)
        self._heads: dict[str, Head] = {}
        self._marks = database.marks
        self._ended: frozenset[str] = frozenset()
        self._runs_counter = Counter(database, RUNS.name)
        self._insert = database.inserter(EVENTS)
        self.contents = Contents(database)
        """The small contents, for the `ArtifactStore` that reads them."""
        self._update = database.sql.update(HEADS, "run_id", "epoch", "seq", "chain")
        self._row = {table.name: database.sql.select(table, "run_id") for table in (RUNS, HEADS)}

    @classmethod
    def open(cls, folder: Path, *, journal_mode: str = "WAL", complete: bool = True) -> Journal:
        """Open the journal of the state directory `folder`; see `open_database` for what it raises.

        Where it has lost what was acknowledged, it is refused as damaged, unless `complete` is not asked for.
        """
        database = open_database(folder, journal_mode=journal_mode)
        try:
            journal = cls(database)
            if complete:
                journal._ended = refuse_lost(database, FINAL_STATUSES)
        except BaseException:
            database.close()
            raise
        return journal

    @property
    def database(self) -> Database:
        """The open database, for what is kept beside the journal."""
        return self._database

    def close(self) -> None:
        """Close the database; the journal cannot be used afterwards."""
        with self._database.lock:
            self._database.close()
            if self._database.has_log():
                return  # another process has it open: the end of a history may stand in the log alone
            # What is in the database itself needs no mark any more once the run has ended.
            for head in self._heads.values():
                if head.status in FINAL_STATUSES:
                    self._marks.forget(head.run_id)
            for name in self._ended:
                self._marks.remove(name)

    # ---- runs --------------------------------------------------------------------------------------------

    def create_run(self, record: RunRecord, plan: bytes) -> None:
        """Register a run with its plan.

        Raises:
            StateError: a run with this id exists.
        """
        blob = digest_bytes(plan)
        run = {
            "run_id": record.run_id,
            "plan_id": record.plan_id,
            "plan_digest": record.plan_digest,
            "plan_blob": blob,
            "output": record.output,
            "created_at": float(record.created_at),
        }
        head = Head(
            run_id=record.run_id,
            epoch=0,
            seq=0,
            updated_at=float(record.updated_at),
            status=record.status,
            verdict=record.verdict,
            chain=seal(record.run_id, blob),
        )
        with self._database.writing() as connection:
            if connection.execute(select(RUNS.c.run_id).where(RUNS.c.run_id == record.run_id)).first():
                raise StateError(f"run {record.run_id} exists already", hint="`maestro runs` lists the runs")
            if not connection.execute(select(PLANS.c.digest).where(PLANS.c.digest == blob)).first():
                connection.execute(PLANS.insert(), {"digest": blob, "content": plan})
            connection.execute(RUNS.insert(), sealed(run))
            connection.execute(HEADS.insert(), head.mapping())
            self._runs_counter.up(connection.connection.cursor())
        with self._database.lock:
            self._marks.note(record.run_id, 0)

    def runs(self) -> Sequence[RunRecord]:
        """Return all runs, newest first.

        Raises:
            IntegrityError: a record is damaged or gone.
        """
        order = RUNS.c.created_at.desc(), RUNS.c.run_id.desc()
        with self._database.reading() as connection:
            check_count(connection, RUNS)
            found = connection.execute(select(RUNS).order_by(*order)).mappings().all()
            heads = {str(row["run_id"]): row for row in connection.execute(select(HEADS)).mappings()}
        return tuple(record_of(row, heads.get(str(row["run_id"]))) for row in found)

    def run(self, run_id: str) -> RunRecord:
        """Return one run.

        Raises:
            UsageError: there is no such run.
            IntegrityError: its record is damaged.
        """
        with self._database.reading() as connection:
            row, head = self._rows_of(connection, run_id)
            return record_of(row, head)

    def plan(self, run_id: str) -> bytes:
        """Return the stored plan of a run.

        Raises:
            UsageError: there is no such run.
            IntegrityError: the stored bytes are damaged.
        """
        with self._database.reading() as connection:
            row, _ = self._rows_of(connection, run_id)
            check_seal(row, f"run {run_id}")
            content = connection.scalar(select(PLANS.c.content).where(PLANS.c.digest == row["plan_blob"]))
        if not isinstance(content, bytes) or digest_bytes(content) != row["plan_blob"]:
            raise IntegrityError(f"the stored plan of run {run_id} is damaged", hint=DAMAGED_HINT)
        return content

    def next_epoch(self, run_id: str) -> int:
        """Take the run over: return a new epoch, and refuse every write of older ones from now on."""
        with self._database.writing() as connection:
            head = self._head(connection, run_id)
            head = replace(head, epoch=head.epoch + 1)
            values = head.mapping()
            connection.execute(HEADS.update().where(HEADS.c.run_id == run_id).values(values))
        return head.epoch

    def unfinished(self, plan_digest: str | None, output: str) -> Sequence[RunRecord]:
        """Return the runs into `output` that have not ended, newest first; None = of every plan."""
        return tuple(
            record
            for record in self.runs()
            if record.output == output
            and record.status not in FINAL_STATUSES
            and plan_digest in {None, record.plan_digest}
        )

    def supersede(self, run_id: str, *, by: str, at: float) -> None:
        """End an unfinished run because run `by` takes its place; its results stay reusable.

        Raises:
            StateError: the run has ended already.
        """
        record = self.run(run_id)
        if record.status in FINAL_STATUSES:
            raise StateError(f"run {run_id} has ended already: {record.status}")
        epoch = self.next_epoch(run_id)
        with self._database.reading() as connection:
            seq = self._head(connection, run_id).seq
        end = RunFinished(status="cancelled", verdict=record.verdict, reason=f"superseded by run {by}")
        bodies: list[Body] = [end]
        if seq == 0:  # its process died before the first event; a history without one cannot be folded
            start = RunStarted(
                plan_id=record.plan_id, plan_digest=record.plan_digest, output=record.output, tool_version=""
            )
            bodies.insert(0, start)
        events = [Event(run_id=run_id, seq=seq + n, at=at, body=body) for n, body in enumerate(bodies, 1)]
        self.append(events, epoch)

    # ---- events ------------------------------------------------------------------------------------------

    def append(
        self,
        events: Sequence[Event],
        epoch: int,
        results: Sequence[CachedResult] = (),
        plan_id: str = "",
        contents: Sequence[bytes] = (),
    ) -> None:
        """Append events of one run with results and contents, in one transaction; durable on return.

        Raises:
            StateError: another process holds a newer epoch, or `seq` does not follow the last event.
            ValueError: the events are of several runs.
        """
        if not events:
            return
        run_id = events[0].run_id
        batch = _Batch(events, tuple((plan_id, result) for result in results), contents)
        if any(event.run_id != run_id for event in events):
            raise ValueError("one append holds the events of one run")
        with self._database.lock:
            known = self._heads.pop(run_id, None)  # forgotten whenever the write below does not end well
            current = known is not None and (known.epoch, known.seq + 1) == (epoch, events[0].seq)
            if known is None or not current or not self._write(known, batch):
                with self._database.reading() as connection:
                    known = self._head(connection, run_id)
                refuse_stale(known, events[0], epoch)
                if not self._write(known, batch, epoch):
                    raise StateError(
                        f"run {run_id} is being written by another process",
                        hint="wait for it to end; `maestro runs` shows it",
                    )

    def _write(self, old: Head, batch: _Batch, epoch: int | None = None) -> bool:
        """Write behind `old`, or return False where that is not the head any more."""
        events, results, contents = batch
        for seq, event in enumerate(events, old.seq + 1):
            if event.seq != seq:
                raise out_of_order(old.run_id, seq - 1, event)
        rows = rows_of(old.run_id, old.seq, old.chain, [event.text() for event in events])
        new = old.advanced(events, rows[-1][-1], old.epoch if epoch is None else epoch)
        # The driver is called directly here: this is the one write that happens for every transition.
        with self._database.transaction() as cursor:
            cursor.execute(self._update, (*new.row(), old.run_id, old.epoch, old.seq, old.chain))
            if cursor.rowcount != 1:
                return False
            self._insert.put(cursor, rows)
            if contents:
                self.contents.put_all(cursor, contents, events[-1].at)
            self.cache.confirm(cursor)
            self.cache.put_all(cursor, results)
            self._outbox.put_all(cursor, events)
        self._marks.note(old.run_id, new.seq)
        self._heads[old.run_id] = new
        return True

    def events(self, run_id: str, after: int = 0) -> Iterable[Event]:
        """Yield the events of a run with `seq` > `after`, in order, each verified against the chain.

        Raises:
            UsageError: there is no such run.
            IntegrityError: the chain is broken, or ends too early.
        """
        with self._database.reading() as connection:
            head = self._head(connection, run_id)
            row, _ = self._rows_of(connection, run_id)
            start = start_of(connection, run_id, after, seal(run_id, str(row["plan_blob"])))
        if after > head.seq:
            raise broken(run_id, f"ends at event {head.seq}, before event {after}")
        found = read(self._database, run_id, start, (head.seq, head.chain))
        return islice(found, after - start[0], None) if after > start[0] else found

    def _head(self, connection: Connection, run_id: str) -> Head:
        reached = self._marks.reached(run_id)  # before the rows: a living writer may add to both
        _, row = self._rows_of(connection, run_id)
        head = Head.of(row)
        if reached is not None and reached > head.seq:
            raise broken(run_id, f"ends at event {head.seq}, but event {reached} was written")
        return head

    def _rows_of(self, connection: Connection, run_id: str) -> tuple[RowMapping, RowMapping]:
        is_marked = self._marks.reached(run_id) is not None
        run, head = (
            connection.exec_driver_sql(self._row[table.name], (run_id,)).mappings().first()
            for table in (RUNS, HEADS)
        )
        if run is not None and head is not None:
            return run, head
        # A damaged database may hide a row, so a miss is believed only where all others are in order.
        check_count(connection, RUNS)
        for row in connection.execute(select(RUNS)).mappings():
            check_seal(row, f"run {row['run_id']}")
        if run is not None or head is not None or is_marked:
            raise IntegrityError(f"the record of run {run_id} is not complete any more", hint=DAMAGED_HINT)
        raise UsageError(f"there is no run {run_id}", hint="`maestro runs` lists the runs")

    # ---- results -----------------------------------------------------------------------------------------

    def result(self, key: str) -> CachedResult | None:
        """Return the result stored under a content key."""
        return self.cache.get(key)

    def last_result(self, plan_id: str, node: str) -> CachedResult | None:
        """Return the newest result of a node address of a plan, whatever its key."""
        return self.cache.newest(plan_id, node)

    def results(self) -> Sequence[CachedResult]:
        """Return every stored result, by key.

        Raises:
            IntegrityError: one is damaged.
        """
        return self.cache.all()

    def texts(self) -> list[str]:
        """Return everything stored that may name contents, as text; nothing is verified."""
        with self._database.reading() as connection:
            found = [str(text) for text in connection.scalars(select(EVENTS.c.body))]
            found += [str(text) for text in connection.scalars(select(RESULTS.c.body))]
            found += [str(text) for text in connection.scalars(select(TICKETS.c.body))]
            plans = connection.scalars(select(PLANS.c.content))
            return found + [bytes(plan or b"").decode("utf-8", "replace") for plan in plans]

    # ---- verification ------------------------------------------------------------------------------------

    def verify(self) -> Sequence[str]:
        """Read everything; return one sentence for each thing that is damaged."""
        problems: list[str] = []
        run_ids: Sequence[str] = ()
        try:
            refuse_lost(self._database, FINAL_STATUSES)
        except MaestroError as problem:
            problems.append(problem.message)
        try:
            run_ids = tuple(record.run_id for record in self.runs())
            self.cache.verify()
            self._outbox.tickets()
        except MaestroError as problem:
            problems.append(problem.message)
        for run_id in run_ids:
            try:
                self.plan(run_id)
                for _ in self.events(run_id):
                    pass
            except MaestroError as problem:
                problems.append(problem.message)
        return tuple(problems)
