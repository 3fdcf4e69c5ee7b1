"""How much of the past is kept: by count, age and size. Marks what is named, removes the rest.

A run that has not ended, or that a process holds, is never removed, nor what it names. The order makes a kill
harmless at any point: rows go in whole transactions, then the contents that no row names any more; what a
killed cleaning left is found by the next one. Contents are removed only where nobody has written them or
relied on them for `GRACE_S` before the marking, nor since a run began that is live now, so whoever stores a
content and names it later is never too late.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from maestro_dsl.codec import digest_bytes
from maestro_dsl.errors import IntegrityError
from maestro_dsl.storage.history import counted_events
from maestro_dsl.storage.journal import FINAL_STATUSES
from maestro_dsl.storage.lease import run_lock
from maestro_dsl.storage.references import digests_in, followed
from maestro_dsl.storage.removal import remove_results, remove_run
from maestro_dsl.storage.seals import DAMAGED_HINT, check_count
from maestro_dsl.storage.tables import EVENTS, HEADS, NEWEST, PLANS, RESULTS, RUNS, TICKETS
from maestro_dsl.storage.upkeep import database_bytes, shrink, sweep_leftovers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from maestro_dsl.engine.ports.storage import RunRecord
    from maestro_dsl.storage.artifacts import Artifacts
    from maestro_dsl.storage.contents import StoredObject
    from maestro_dsl.storage.journal import Journal

GRACE_S: Final = 3600.0
"""How long a content may be stored before anything names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """What is kept: so many ended runs of an output folder, so old at most, so much altogether."""

    runs: int = 50
    age_s: float = 30 * 86_400.0
    size: int = 10 * 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """What a cleaning removed, or would remove; sizes in bytes."""

    runs: tuple[str, ...]
    results: int
    objects: int
    object_bytes: int
    waiting: int
    """Contents that nothing names but that are too young to be removed."""
    kept_runs: int
    live_runs: int
    size: int
    """Of journal and contents together, afterwards."""
    over: int = 0
    """How much that is above the limit, because the rest is in use."""


@dataclass(slots=True, kw_only=True)
class _Holding:
    """A run or a result with what it names."""

    name: str
    at: float
    digests: set[str]
    own_bytes: int


class Retention:
    """Cleans one state directory; hold `Lock` "gc" meanwhile."""

    def __init__(self, folder: Path, journal: Journal, artifacts: Artifacts) -> None:
        self._folder = folder
        self._journal = journal
        self._database = journal.database
        self._artifacts = artifacts

    def too_many(self, keep: Callable[[str], Keep], now: float) -> tuple[str, ...]:
        """Return the runs that count or age rule out; `keep` says what holds for an output folder."""
        records = self._journal.runs()
        live, _ = self._live(records)
        return tuple(item.run_id for item in outdated(records, live, keep, now))

    def clean(self, keep: Callable[[str], Keep], *, limit: int, now: float, dry_run: bool = False) -> Cleaned:
        """Remove what need not be kept, and return what that was.

        Raises:
            IntegrityError: the journal is damaged, so it is not known what is in use; nothing was removed.
        """
        records = self._journal.runs()
        self._refuse_damaged()
        live, began = self._live(records)
        objects = {item.digest: item for item in self._artifacts.objects()}
        kept = {item.run_id: item for item in records}
        removed = [item.run_id for item in outdated(records, live, keep, now)]
        for run_id in removed:
            del kept[run_id]
        runs = {run_id: self._holding(kept[run_id]) for run_id in kept}
        cached = self._results()
        longest_s = max([Keep().age_s, *(keep(item.output).age_s for item in records)])
        stale = self._stale(cached, runs, now - longest_s)
        rows = {digest for digest, item in objects.items() if item.is_row}
        journal_bytes = database_bytes(self._database) - sum(objects[digest].size for digest in rows)
        budget = _Budget(runs, cached, stale, objects, journal_bytes, limit)
        budget.drop_results(self._unused(cached, runs, stale))
        removed += budget.drop_runs([item for item in kept.values() if _may_go(item, live)])
        orphans = sorted(set(objects) - budget.named - self._named_elsewhere())
        before = min([now - GRACE_S, *began])
        leaving = rows & set[str]().union(*(cached[key].digests for key in budget.stale))
        old = [item for item in orphans if objects[item].used_at < before and item not in leaving]
        count, size = len(old), sum(objects[digest].size for digest in old)
        if not dry_run:
            removed = [run_id for run_id in removed if remove_run(self._database, run_id)]
            if self._artifacts.contents is not None:
                self._artifacts.contents.keep(leaving, now)  # a live run may have found them just before
            remove_results(self._database, sorted(budget.stale))
            count, size = self._artifacts.remove(old, unused_since=before)
            sweep_leftovers(
                self._folder, lambda: {digest_bytes(r.run_id.encode()) for r in self._journal.runs()}
            )
            self._artifacts.sweep(now)
            shrink(self._database, alone=not live)
        total = budget.journal_bytes + sum(item.size for item in objects.values()) - size
        return Cleaned(
            runs=tuple(removed),
            results=len(budget.stale),
            objects=count,
            object_bytes=size,
            waiting=len(orphans) - count,
            kept_runs=len(records) - len(removed),
            live_runs=len(live),
            size=total,
            over=max(0, budget.size - limit),
        )

    # ---- what there is -----------------------------------------------------------------------------------

    def _live(self, records: Sequence[RunRecord]) -> tuple[set[str], list[float]]:
        """Return the runs that a process holds, and when each of these processes took hold."""
        live: set[str] = set()
        began: list[float] = []
        for record in records:
            lock = run_lock(self._folder, record.run_id)
            if lock.holder() is not None:
                live.add(record.run_id)
                began.append(lock.taken_at() or 0.0)
        return live, began

    def _refuse_damaged(self) -> None:
        """Raise `IntegrityError` where rows are missing that would say what is in use."""
        with self._database.reading() as connection:
            for table in (RUNS, RESULTS, NEWEST):
                check_count(connection, table)
            rows = connection.execute(select(EVENTS.c.run_id, counted_events()).group_by(EVENTS.c.run_id))
            counted = {str(run_id): int(count or 0) for run_id, count in rows}
            for run_id, seq in connection.execute(select(HEADS.c.run_id, HEADS.c.seq)):
                if counted.get(run_id, 0) != seq:
                    raise IntegrityError(
                        f"run {run_id} has {counted.get(run_id, 0)} of its {seq} events", hint=DAMAGED_HINT
                    )

    def _holding(self, record: RunRecord) -> _Holding:
        with self._database.reading() as connection:
            query = select(EVENTS.c.body).where(EVENTS.c.run_id == record.run_id)
            bodies = list(connection.scalars(query))
            blob = select(RUNS.c.plan_blob).where(RUNS.c.run_id == record.run_id).scalar_subquery()
            plan = connection.scalar(select(PLANS.c.content).where(PLANS.c.digest == blob)) or b""
        texts = [*bodies, plan.decode("utf-8", "replace")]
        return _Holding(
            name=record.run_id,
            at=record.updated_at,
            digests=followed(texts, self._artifacts),
            own_bytes=sum(map(len, bodies)),
        )

    def _results(self) -> dict[str, _Holding]:
        found = {}
        with self._database.reading() as connection:
            for key, body in connection.execute(select(RESULTS.c.key, RESULTS.c.body)):
                at = float(json.loads(body).get("made_at", 0.0))
                digests = followed([body], self._artifacts) - {key}
                found[key] = _Holding(name=key, at=at, digests=digests, own_bytes=len(body))
        return found

    def _stale(self, cached: dict[str, _Holding], runs: dict[str, _Holding], oldest: float) -> set[str]:
        """Return the results that no kept run used, and that are old or not the newest of any node."""
        used = set[str]().union(*(item.digests for item in runs.values()))
        with self._database.reading() as connection:
            newest = set(connection.scalars(select(NEWEST.c.key)))
        return {
            key for key, item in cached.items() if key not in used and (key not in newest or item.at < oldest)
        }

    @staticmethod
    def _unused(cached: dict[str, _Holding], runs: dict[str, _Holding], stale: set[str]) -> list[_Holding]:
        used = set[str]().union(*(item.digests for item in runs.values()))
        rest = [item for key, item in cached.items() if key not in stale and key not in used]
        return sorted(rest, key=lambda item: item.at)

    def _named_elsewhere(self) -> set[str]:
        with self._database.reading() as connection:
            return set[str]().union(*map(digests_in, connection.scalars(select(TICKETS.c.body))))


class _Budget:
    """What is named by whom, and how much is freed by letting something go."""

    def __init__(
        self,
        runs: dict[str, _Holding],
        cached: dict[str, _Holding],
        stale: set[str],
        objects: dict[str, StoredObject],
        journal_bytes: int,
        limit: int,
    ) -> None:
        self.stale = stale
        self.journal_bytes = journal_bytes
        self._runs, self._cached, self._objects, self._limit = runs, cached, objects, limit
        self._users: dict[str, int] = {}
        kept = [*runs.values(), *(item for key, item in cached.items() if key not in stale)]
        for item in kept:
            for digest in item.digests:
                self._users[digest] = self._users.get(digest, 0) + 1
        self.size = journal_bytes + sum(self._bytes(digest) for digest in self._users)

    @property
    def named(self) -> set[str]:
        """Digests that something kept names."""
        return set(self._users)

    def drop_results(self, oldest_first: Sequence[_Holding]) -> None:
        """Let results go that no kept run used, until the limit is met."""
        for item in oldest_first:
            if self.size <= self._limit:
                return
            self.stale.add(item.name)
            self._let_go(item)

    def drop_runs(self, newest_first: Sequence[RunRecord]) -> list[str]:
        """Let ended runs go, oldest first, until the limit is met, with the results that only they used."""
        gone = []
        for record in reversed(newest_first):
            if self.size <= self._limit:
                break
            run = self._runs.pop(record.run_id)
            gone.append(run.name)
            self._let_go(run)
            for key in run.digests & self._cached.keys() - self.stale:
                if self._users.get(key, 0) == 0:
                    self.stale.add(key)
                    self._let_go(self._cached[key])
        return gone

    def _let_go(self, item: _Holding) -> None:
        self.size -= item.own_bytes
        for digest in item.digests:
            left = self._users.get(digest, 0) - 1
            if left > 0:
                self._users[digest] = left
            else:
                self._users.pop(digest, None)
                self.size -= self._bytes(digest)

    def _bytes(self, digest: str) -> int:
        found = self._objects.get(digest)
        return 0 if found is None else found.size


def _may_go(record: RunRecord, live: set[str]) -> bool:
    return record.status in FINAL_STATUSES and record.run_id not in live


def outdated(
    newest_first: Sequence[RunRecord], live: set[str], keep: Callable[[str], Keep], now: float
) -> list[RunRecord]:
    """Return the ended runs that are too many of their output folder, or too old; never the newest of one."""
    seen: dict[str, int] = {}
    found = []
    for record in newest_first:
        if not _may_go(record, live):
            continue
        rank = seen[record.output] = seen.get(record.output, 0) + 1
        rule = keep(record.output)
        if rank > max(1, rule.runs) or (rank > 1 and now - record.updated_at > rule.age_s):
            found.append(record)
    return found
