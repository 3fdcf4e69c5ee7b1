"""Looks whether the state directory is whole: chains, seals, and whether each content that is named is there.

Changes nothing. What is damaged comes back as findings with the way out; nothing is repaired or guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from maestro_dsl.errors import DiskFailure, IntegrityError, MaestroError
from maestro_dsl.storage.breakers import Breakers
from maestro_dsl.storage.commands import Commands
from maestro_dsl.storage.references import blobs_of, blobs_of_result, followed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from maestro_dsl.engine.ports.storage import CachedResult
    from maestro_dsl.ports import Rand
    from maestro_dsl.storage.artifacts import Artifacts
    from maestro_dsl.storage.database import Database
    from maestro_dsl.storage.journal import Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """One thing that is not whole; `kind` is journal, missing or content."""

    kind: str
    what: str
    way_out: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was looked at and found; orphans are contents that nothing names, which is no damage."""

    runs: int
    objects: int
    read: int
    """Contents whose bytes were read and compared with their digest."""
    orphans: int
    orphan_bytes: int
    damages: tuple[Damage, ...]


_RESTORE = "restore the state directory from a backup, or export what is whole and begin a new one"


def verify_state(journal: Journal, artifacts: Artifacts, *, read_share: float, rand: Rand) -> Verified:
    """Check everything the journal says, that its contents are there, and the bytes of a share of them."""
    problems = [*journal.verify(), *_besides(journal.database)]
    damages = [Damage(kind="journal", what=text, way_out=_RESTORE) for text in problems]
    named: dict[str, str] = {}
    runs = 0
    for run_id, texts in _histories(journal):
        runs += 1
        for where, digests in texts:
            for digest in digests:
                named.setdefault(digest, f"{where} of run {run_id}" if where else f"run {run_id}")
    for result in _results(journal):
        for digest in {result.result_digest, *blobs_of_result(result)}:
            named.setdefault(digest, f"the stored result of {result.node}")
    stored = list(artifacts.objects())
    objects = {item.digest: item.size for item in stored}
    rows = {item.digest for item in stored if item.is_row}
    damages += [_missing(digest, named[digest]) for digest in sorted(named.keys() - objects)]
    read = 0
    for digest in sorted(objects):
        if rand.uniform(0.0, 1.0) > read_share or not read_share:
            continue
        read += 1
        try:
            artifacts.get(digest)
        except (IntegrityError, DiskFailure) as problem:
            damages.append(_content(digest, problem.message, named.get(digest), is_row=digest in rows))
    kept = named.keys() | followed(_texts(journal), artifacts)
    orphans = [size for digest, size in objects.items() if digest not in kept]
    return Verified(
        runs=runs,
        objects=len(objects),
        read=read,
        orphans=len(orphans),
        orphan_bytes=sum(orphans),
        damages=tuple(damages),
    )


def _besides(database: Database) -> Iterator[str]:
    """Yield what is damaged of requests and breakers, and of the database's own structure."""
    for read in (Commands(database).verify, Breakers(database).all):
        try:
            read()
        except MaestroError as problem:
            yield problem.message
    try:
        yield from database.faults()
    except MaestroError as problem:
        yield problem.message


def _histories(journal: Journal) -> Iterator[tuple[str, list[tuple[str, set[str]]]]]:
    """Yield each run that can be read with (node, contents) of its events; damage is reported elsewhere."""
    try:
        records = journal.runs()
    except MaestroError:
        return
    for record in records:
        found: list[tuple[str, set[str]]] = []
        try:
            for event in journal.events(record.run_id):
                digests = blobs_of(event.body)
                if digests:
                    found.append((str(getattr(event.body, "node", "")), digests))
        except MaestroError:
            continue
        yield record.run_id, found


def _results(journal: Journal) -> Iterable[CachedResult]:
    try:
        return journal.results()
    except MaestroError:
        return ()


def _texts(journal: Journal) -> list[str]:
    try:
        return journal.texts()
    except MaestroError:
        return []


def _missing(digest: str, where: str) -> Damage:
    return Damage(
        kind="missing",
        what=f"content {digest[:12]} is gone; {where} names it",
        way_out="apply the plan again: what is not whole is made anew",
    )


def _content(digest: str, message: str, where: str | None, *, is_row: bool) -> Damage:
    user = f"; {where} names it" if where else "; nothing names it"
    remedy = "apply the plan again: it is made anew" if where else "nothing needs it"
    if not is_row:  # a row is replaced by what is made anew, a file of the name is left alone
        remedy = f"remove objects/{digest[:2]}/{digest[2:]}{' and ' if where else ': '}{remedy}"
    return Damage(kind="content", what=message + user, way_out=remedy)
