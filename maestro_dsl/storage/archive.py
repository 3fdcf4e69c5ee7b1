"""Runs in one file, to be kept or carried to another state directory: JSON and contents in a zip.

Equal runs give equal bytes. What is read from such a file is believed only where every digest and every chain
is right; no name in it ever becomes a path. Tickets, locks and breakers stay with their state directory.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import zipfile
import zlib
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from maestro_dsl.codec import canonical, digest_bytes, from_json, to_json
from maestro_dsl.engine.events import NodeFinished
from maestro_dsl.engine.ports.storage import CachedResult
from maestro_dsl.errors import IntegrityError, StateError
from maestro_dsl.storage.files import FILE_MODE, sync_folder, writing_to
from maestro_dsl.storage.heads import Head
from maestro_dsl.storage.history import decoded, link, rows_of, texts_of
from maestro_dsl.storage.references import blobs_of, blobs_of_result, followed
from maestro_dsl.storage.seals import Counter, seal, sealed
from maestro_dsl.storage.tables import EVENTS, HEADS, NEWEST, PLANS, RUNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from maestro_dsl.storage.artifacts import Artifacts
    from maestro_dsl.storage.journal import Journal

FORMAT: Final = 1
MAX_MEMBERS: Final = 2_000_000
MAX_MEMBER_BYTES: Final = 2 * 1024**3
MAX_BYTES: Final = 64 * 1024**3
_TOGETHER, _TOGETHER_BYTES = 64, 16 * 1024**2
_INDEX: Final = "maestro-state.json"
_RESULTS: Final = "results.json"
_NAME: Final = re.compile(r"maestro-state\.json|results\.json|runs/\d{6}\.json|objects/[0-9a-f]{64}")
_HINT: Final = "make the file again with maestro state export; nothing of it was taken over"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What a file holds."""

    runs: tuple[str, ...]
    results: int
    objects: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What was taken over; `known` runs were there already, the same to the last event."""

    runs: tuple[str, ...]
    known: tuple[str, ...]
    results: int
    objects: int


class Archive:
    """Writes and reads such files for one state directory."""

    def __init__(self, journal: Journal, artifacts: Artifacts, *, tool_version: str) -> None:
        self._journal = journal
        self._database = journal.database
        self._artifacts = artifacts
        self._tool_version = tool_version

    # ---- out ---------------------------------------------------------------------------------------------

    def export(self, run_ids: Sequence[str], target: Path, *, with_newest: bool = False) -> Exported:
        """Write runs with their plans, results and contents; `with_newest` adds results of no kept run.

        Raises:
            IntegrityError: something of a run is damaged or gone; no file is written.
            DiskFailure: the file cannot be written.
        """
        for left in target.parent.glob(f".{target.name}.*.tmp"):
            left.unlink(missing_ok=True)  # of a process that was killed over it
        unfinished = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
        with writing_to(target):
            try:
                done = self._write(unfinished, sorted(run_ids), with_newest=with_newest)
                unfinished.replace(target)
                sync_folder(target.absolute().parent)
            finally:
                with suppress(OSError):
                    unfinished.unlink()
            return replace(done, size=target.stat().st_size)

    def _run(self, run_id: str) -> dict[str, Any]:
        count = sum(1 for _ in self._journal.events(run_id))  # verified
        plan = self._journal.plan(run_id)
        with self._database.reading() as connection:
            run = connection.execute(select(RUNS).where(RUNS.c.run_id == run_id)).mappings().one()
            head = connection.execute(select(HEADS).where(HEADS.c.run_id == run_id)).mappings().one()
            texts = texts_of(connection, run_id)
        if min(count, len(texts)) != head["seq"]:
            raise StateError(f"run {run_id} is being written; export it when it has ended or is paused")
        origin = seal(run_id, run["plan_blob"])
        return {
            "run": {name: run[name] for name in run if name != "checksum"},
            "head": {name: head[name] for name in head if name != "checksum"}
            | {"chain": _end(origin, texts)},
            "plan": plan.decode(),
            "events": texts,
        }

    def _write(self, path: Path, run_ids: Sequence[str], *, with_newest: bool) -> Exported:
        """Write the file, one run after the other: a state directory may be larger than the memory."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, FILE_MODE)
        members: dict[str, str] = {}
        named = _Named()
        with os.fdopen(descriptor, "w+b") as stream:
            with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:

                def put(name: str, content: bytes) -> None:
                    file.writestr(_info(name), content)
                    members[name] = digest_bytes(content)

                for place, run_id in enumerate(run_ids):
                    run = self._run(run_id)
                    self._look_into(run, named)
                    put(f"runs/{place:06}.json", canonical(run))
                pairs = self._pairs(named, with_newest=with_newest)
                put(_RESULTS, canonical([{"plan_id": plan, "result": to_json(item)} for plan, item in pairs]))
                digests = self._contents([item for _, item in pairs], named)
                for digest in digests:
                    file.writestr(_info(f"objects/{digest}"), self._artifacts.get(digest))
                index = {
                    "format_version": FORMAT,
                    "tool_version": self._tool_version,
                    "runs": list(run_ids),
                    "members": dict(members),
                    "objects": len(digests),
                }
                put(_INDEX, canonical(index))
            stream.flush()
            os.fsync(stream.fileno())
        return Exported(runs=tuple(run_ids), results=len(pairs), objects=len(digests), size=0)

    def _look_into(self, run: dict[str, Any], named: _Named) -> None:
        """Note the results that a run used, and the contents that it names."""
        for place, body in enumerate(run["events"], 1):
            event = decoded(run["run"]["run_id"], place, body)
            named.needed |= blobs_of(event.body)
            if isinstance(event.body, NodeFinished) and event.body.key:
                named.keys.add((run["run"]["plan_id"], event.body.node, event.body.key))
        named.texts |= followed([run["plan"], *run["events"]], self._artifacts)

    def _pairs(self, named: _Named, *, with_newest: bool) -> list[tuple[str, CachedResult]]:
        keys = set(named.keys)
        if with_newest:
            with self._database.reading() as connection:
                rows = connection.execute(select(NEWEST.c.plan_id, NEWEST.c.node, NEWEST.c.key)).all()
            keys |= {(row.plan_id, row.node, row.key) for row in rows}
        pairs = [
            (plan_id, replace(stored, node=node))
            for plan_id, node, key in keys
            if (stored := self._journal.result(key)) is not None
        ]
        return sorted(pairs, key=lambda pair: (pair[1].made_at, pair[0], pair[1].node, pair[1].key))

    def _contents(self, results: Sequence[CachedResult], named: _Named) -> list[str]:
        """Return the contents to take along; what must be there and is not is an error when it is read."""
        needed = set(named.needed)
        for result in results:
            needed |= {result.result_digest, *blobs_of_result(result)}
        mentioned = named.texts | followed([canonical(item).decode() for item in results], self._artifacts)
        return sorted(needed | {item for item in mentioned if self._artifacts.has(item)})

    # ---- in ----------------------------------------------------------------------------------------------

    def load(self, source: Path) -> Imported:
        """Take the runs of a file over; doing so twice changes nothing.

        Raises:
            IntegrityError: the file is no export, or damaged; nothing of it was taken over.
            StateError: it holds another run under an id that is there already, or is of a newer version.
        """
        with _trusted(source):
            file = zipfile.ZipFile(source)
        with file:
            with _trusted(source):
                index = _index(source, file)
                ids, known = self._looked_through(source, file, index)
                stored = json.loads(_member(source, file, index, _RESULTS))
                pairs = [(str(item["plan_id"]), from_json(CachedResult, item["result"])) for item in stored]
                objects = self._take_contents(source, file)
                if objects != index["objects"]:
                    raise _bad(source, f"it has {objects} of its {index['objects']} contents")
            fresh = {name: run_id for name, run_id in ids.items() if run_id not in known}
            for name in fresh:  # all are whole: now they are taken over, one by one
                with _trusted(source):
                    run = json.loads(_member(source, file, index, name))  # the bytes that were checked
                self._insert(run)
        taken = [(plan_id, item) for plan_id, item in pairs if self._journal.result(item.key) is None]
        with self._database.transaction(counted=True) as cursor:
            self._journal.cache.put_all(cursor, taken)
        return Imported(runs=tuple(fresh.values()), known=tuple(known), results=len(taken), objects=objects)

    def _looked_through(
        self, source: Path, file: zipfile.ZipFile, index: dict[str, Any]
    ) -> tuple[dict[str, str], list[str]]:
        """Check every run; return member → id of the run, and the ids of those that are here already."""
        ids: dict[str, str] = {}
        known = []
        for name in sorted(index["members"]):
            if name.startswith("runs/"):
                run = json.loads(_member(source, file, index, name))
                _check_run(source, run)
                ids[name] = run["run"]["run_id"]
                if self._is_known(run):
                    known.append(ids[name])
        if len(set(ids.values())) != len(ids):
            raise _bad(source, "it has a run twice")
        return ids, known

    def _take_contents(self, source: Path, file: zipfile.ZipFile) -> int:
        """Store the contents, several at a time, and return how many there are."""
        count = size = 0
        some: list[bytes] = []
        for name in _objects(file):
            content = _read(file, name)
            if digest_bytes(content) != name.partition("/")[2]:
                raise _bad(source, f"{name[:20]} differs from its digest")
            some.append(content)
            count, size = count + 1, size + len(content)
            if size > _TOGETHER_BYTES or len(some) >= _TOGETHER:
                self._artifacts.put_all(some)
                some, size = [], 0
        self._artifacts.put_all(some)
        return count

    def _is_known(self, run: dict[str, Any]) -> bool:
        run_id = run["run"]["run_id"]
        with self._database.reading() as connection:
            row = connection.execute(select(RUNS.c.plan_blob).where(RUNS.c.run_id == run_id)).first()
            texts = texts_of(connection, run_id)
        if row is not None and _end(seal(run_id, row.plan_blob), texts) != run["head"]["chain"]:
            raise StateError(
                f"another history of run {run_id} is here already",
                hint="import into a state directory of its own: --state-dir",
            )
        return row is not None

    def _insert(self, run: dict[str, Any]) -> None:
        plan, head = run["plan"].encode(), Head(**run["head"])
        rows = rows_of(head.run_id, 0, seal(head.run_id, run["run"]["plan_blob"]), run["events"])
        if rows:
            head = replace(head, chain=rows[-1][-1])
        with self._database.writing() as connection:
            blob = run["run"]["plan_blob"]
            if connection.execute(select(PLANS.c.digest).where(PLANS.c.digest == blob)).first() is None:
                connection.execute(PLANS.insert(), {"digest": blob, "content": plan})
            values = {name: run["run"][name] for name in RUNS.columns.keys()[:-1]}  # sealed in this order
            connection.execute(RUNS.insert(), sealed(values))
            connection.execute(HEADS.insert(), head.mapping())
            if rows:
                names = EVENTS.columns.keys()
                connection.execute(EVENTS.insert(), [dict(zip(names, row, strict=True)) for row in rows])
            Counter(self._database, RUNS.name).up(connection.connection.cursor())


@dataclass(slots=True)
class _Named:
    """What runs name: results they used, contents that must be there, and digests anywhere in their texts."""

    keys: set[tuple[str, str, str]] = field(default_factory=set)
    needed: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)


@contextmanager
def _trusted(source: Path) -> Iterator[None]:
    """Turn whatever a file brings about that is no export, or damaged, into an `IntegrityError`."""
    try:
        yield
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as problem:
        raise _bad(source, str(problem)) from problem
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as problem:
        raise _bad(source, f"it does not read as one ({type(problem).__name__})") from problem


def _index(source: Path, file: zipfile.ZipFile) -> dict[str, Any]:
    """Return the index of a file whose names and sizes are right."""
    infos = file.infolist()
    names = [info.filename for info in infos]
    if len(infos) > MAX_MEMBERS or len(set(names)) != len(names):
        raise _bad(source, "it has too many members, or one twice")
    strange = next((name for name in names if not _NAME.fullmatch(name)), None)
    if strange is not None:
        raise _bad(source, f"it has a member {strange[:80]!r}")
    sizes = [info.file_size for info in infos]
    if max(sizes, default=0) > MAX_MEMBER_BYTES or sum(sizes) > MAX_BYTES:
        raise _bad(source, "it would unpack to more than is allowed")
    index: dict[str, Any] = json.loads(_read(file, _INDEX))
    if index["format_version"] > FORMAT:
        raise StateError(
            f"{source} has format {index['format_version']}; this version reads up to {FORMAT}",
            hint="use the newer version of maestro that wrote it",
        )
    if {name for name in names if not name.startswith("objects/")} != {_INDEX, *index["members"]}:
        raise _bad(source, "its members are not those of its index")
    return index


def _member(source: Path, file: zipfile.ZipFile, index: dict[str, Any], name: str) -> bytes:
    content = _read(file, name)
    if digest_bytes(content) != index["members"][name]:
        raise _bad(source, f"{name} differs from its digest")
    return content


def _check_run(source: Path, run: dict[str, Any]) -> None:
    """Raise `IntegrityError` where the run's own chain does not hold."""
    values, head = run["run"], Head(**run["head"])
    if set(values) != {column.name for column in RUNS.columns} - {"checksum"}:
        raise _bad(source, "a run is not complete")
    run_id = values["run_id"]
    if digest_bytes(run["plan"].encode()) != values["plan_blob"] or head.run_id != run_id:
        raise _bad(source, f"the plan of run {run_id} differs from its digest")
    for seq, text in enumerate(run["events"], 1):
        decoded(run_id, seq, text)  # an event of this run that this version can read
        if "\n" in text:
            raise _bad(source, f"event {seq} of run {run_id} is of several lines")
    chain = _end(seal(run_id, values["plan_blob"]), run["events"])
    if chain != head.chain or head.seq != len(run["events"]):
        raise _bad(source, f"the history of run {run_id} does not end as recorded")


def _end(origin: str, texts: Sequence[str]) -> str:
    """Return the chain of a history as a file states it: link by link, however its events share rows."""
    return reduce(link, texts, origin)


def _objects(file: zipfile.ZipFile) -> Iterator[str]:
    return (name for name in file.namelist() if name.startswith("objects/"))


def _read(file: zipfile.ZipFile, name: str) -> bytes:
    """Return a member; never more than it said it holds."""
    with file.open(name) as stream:
        return stream.read(file.getinfo(name).file_size)


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, date_time=_EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = FILE_MODE << 16
    return info


def _bad(source: Path, why: str) -> IntegrityError:
    return IntegrityError(f"{source} is no export that can be trusted: {why}", hint=_HINT)
