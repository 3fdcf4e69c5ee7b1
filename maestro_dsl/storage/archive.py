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
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from maestro_dsl.codec import canonical, digest_bytes, from_json, to_json
from maestro_dsl.engine.events import NodeFinished
from maestro_dsl.engine.ports.storage import CachedResult
from maestro_dsl.errors import IntegrityError, StateError
from maestro_dsl.storage.files import FILE_MODE, sync_folder, writing_to
from maestro_dsl.storage.heads import Head, decoded, link
from maestro_dsl.storage.references import blobs_of, blobs_of_result, followed
from maestro_dsl.storage.seals import Counter, seal, sealed
from maestro_dsl.storage.tables import EVENTS, HEADS, NEWEST, PLANS, RUNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from maestro_dsl.storage.artifacts import Artifacts
    from maestro_dsl.storage.journal import Journal

FORMAT: Final = 1
MAX_MEMBERS: Final = 2_000_000
MAX_MEMBER_BYTES: Final = 2 * 1024**3
MAX_BYTES: Final = 64 * 1024**3
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
            EnvironmentFailure: the file cannot be written.
        """
        runs = [self._run(run_id) for run_id in sorted(run_ids)]
        pairs = self._pairs(runs, with_newest=with_newest)
        results = [{"plan_id": plan_id, "result": to_json(result)} for plan_id, result in pairs]
        members = {f"runs/{place:06}.json": canonical(run) for place, run in enumerate(runs)}
        members[_RESULTS] = canonical(results)
        digests = self._contents(runs, [result for _, result in pairs])
        index = {
            "format_version": FORMAT,
            "tool_version": self._tool_version,
            "runs": [run["run"]["run_id"] for run in runs],
            "members": {name: digest_bytes(content) for name, content in members.items()},
            "objects": len(digests),
        }
        unfinished = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
        with writing_to(target):
            try:
                self._write(unfinished, {_INDEX: canonical(index), **members}, digests)
                unfinished.replace(target)
                sync_folder(target.absolute().parent)
            finally:
                with suppress(OSError):
                    unfinished.unlink()
            size = target.stat().st_size
        ids = tuple(run["run"]["run_id"] for run in runs)
        return Exported(runs=ids, results=len(results), objects=len(digests), size=size)

    def _run(self, run_id: str) -> dict[str, Any]:
        events = list(self._journal.events(run_id))  # verified
        plan = self._journal.plan(run_id)
        with self._database.reading() as connection:
            run = connection.execute(select(RUNS).where(RUNS.c.run_id == run_id)).mappings().one()
            head = connection.execute(select(HEADS).where(HEADS.c.run_id == run_id)).mappings().one()
            place = EVENTS.c.run_id == run_id
            bodies = connection.scalars(select(EVENTS.c.body).where(place).order_by(EVENTS.c.seq)).all()
        seq = min(len(events), len(bodies))
        if seq != head["seq"]:
            raise StateError(f"run {run_id} is being written; export it when it has ended or is paused")
        return {
            "run": {name: run[name] for name in run if name != "checksum"},
            "head": {name: head[name] for name in head if name != "checksum"},
            "plan": plan.decode(),
            "events": list(bodies),
        }

    def _pairs(self, runs: Sequence[dict[str, Any]], *, with_newest: bool) -> list[tuple[str, CachedResult]]:
        found: dict[tuple[str, str, str], CachedResult] = {}
        for run in runs:
            for place, body in enumerate(run["events"], 1):
                event = decoded(run["run"]["run_id"], place, body)
                if isinstance(event.body, NodeFinished) and event.body.key:
                    self._pair(found, run["run"]["plan_id"], event.body.node, event.body.key)
        if with_newest:
            with self._database.reading() as connection:
                rows = connection.execute(select(NEWEST.c.plan_id, NEWEST.c.node, NEWEST.c.key)).all()
            for row in rows:
                self._pair(found, row.plan_id, row.node, row.key)
        pairs = [(plan_id, result) for (plan_id, _, _), result in found.items()]
        return sorted(pairs, key=lambda pair: (pair[1].made_at, pair[0], pair[1].node, pair[1].key))

    def _pair(
        self, found: dict[tuple[str, str, str], CachedResult], plan_id: str, node: str, key: str
    ) -> None:
        stored = self._journal.result(key)
        if stored is not None:
            found[plan_id, node, key] = replace(stored, node=node)

    def _contents(self, runs: Sequence[dict[str, Any]], results: Sequence[CachedResult]) -> list[str]:
        """Return the contents to take along; what must be there and is not is an error."""
        needed: set[str] = set()
        texts = [canonical(result).decode() for result in results]
        for run in runs:
            texts += [run["plan"], *run["events"]]
            for place, body in enumerate(run["events"], 1):
                needed |= blobs_of(decoded(run["run"]["run_id"], place, body).body)
        for result in results:
            needed |= {result.result_digest, *blobs_of_result(result)}
        for digest in sorted(needed):
            self._artifacts.get(digest)  # damaged or gone: said here, before anything is written
        return sorted(
            needed | {item for item in followed(texts, self._artifacts) if self._artifacts.has(item)}
        )

    def _write(self, path: Path, members: dict[str, bytes], digests: Sequence[str]) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, FILE_MODE)
        with os.fdopen(descriptor, "w+b") as stream:
            with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
                for name, content in members.items():
                    file.writestr(_info(name), content)
                for digest in digests:
                    file.writestr(_info(f"objects/{digest}"), self._artifacts.get(digest))
            stream.flush()
            os.fsync(stream.fileno())

    # ---- in ----------------------------------------------------------------------------------------------

    def load(self, source: Path) -> Imported:
        """Take the runs of a file over; doing so twice changes nothing.

        Raises:
            IntegrityError: the file is no export, or damaged; nothing of it was taken over.
            StateError: it holds another run under an id that is there already, or is of a newer version.
        """
        try:
            with zipfile.ZipFile(source) as file:
                index, runs, pairs = self._checked(file)
                known = tuple(run["run"]["run_id"] for run in runs if self._is_known(run))
                objects = 0
                for name in _objects(file):
                    content = _read(file, name)
                    if digest_bytes(content) != name.partition("/")[2]:
                        raise _bad(source, f"{name[:20]} differs from its digest")
                    self._artifacts.put(content)
                    objects += 1
        except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as problem:
            raise _bad(source, str(problem)) from problem
        except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as problem:
            raise _bad(source, f"it does not read as one ({type(problem).__name__})") from problem
        if objects != index["objects"]:
            raise _bad(source, f"it has {objects} of its {index['objects']} contents")
        fresh = [run for run in runs if run["run"]["run_id"] not in known]
        for run in fresh:
            self._insert(run)
        taken = [(plan_id, item) for plan_id, item in pairs if self._journal.result(item.key) is None]
        with self._database.transaction(counted=True) as cursor:
            self._journal.cache.put_all(cursor, taken)
        ids = tuple(run["run"]["run_id"] for run in fresh)
        return Imported(runs=ids, known=known, results=len(taken), objects=objects)

    def _checked(
        self, file: zipfile.ZipFile
    ) -> tuple[dict[str, Any], list[dict[str, Any]], list[tuple[str, CachedResult]]]:
        """Return index, runs and results of a file whose names, sizes, digests and chains are right."""
        source = Path(str(file.filename))
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
        index = json.loads(_read(file, _INDEX))
        if index["format_version"] > FORMAT:
            raise StateError(
                f"{source} has format {index['format_version']}; this version reads up to {FORMAT}",
                hint="use the newer version of maestro that wrote it",
            )
        members = index["members"]
        if {name for name in names if not name.startswith("objects/")} != {_INDEX, *members}:
            raise _bad(source, "its members are not those of its index")
        contents = {name: _read(file, name) for name in members}
        for name, content in contents.items():
            if digest_bytes(content) != members[name]:
                raise _bad(source, f"{name} differs from its digest")
        runs = [json.loads(contents[name]) for name in sorted(members) if name.startswith("runs/")]
        for run in runs:
            _check_run(source, run)
        pairs = [
            (str(item["plan_id"]), from_json(CachedResult, item["result"]))
            for item in json.loads(contents[_RESULTS])
        ]
        return index, runs, pairs

    def _is_known(self, run: dict[str, Any]) -> bool:
        run_id = run["run"]["run_id"]
        with self._database.reading() as connection:
            chain = connection.scalar(select(HEADS.c.chain).where(HEADS.c.run_id == run_id))
        if chain is not None and chain != run["head"]["chain"]:
            raise StateError(
                f"another history of run {run_id} is here already",
                hint="import into a state directory of its own: --state-dir",
            )
        return chain is not None

    def _insert(self, run: dict[str, Any]) -> None:
        plan, head = run["plan"].encode(), Head(**run["head"])
        chain = seal(head.run_id, run["run"]["plan_blob"])
        rows = []
        for seq, body in enumerate(run["events"], 1):
            chain = link(chain, body)
            rows.append({"run_id": head.run_id, "seq": seq, "body": body, "chain": chain})
        with self._database.writing() as connection:
            blob = run["run"]["plan_blob"]
            if connection.execute(select(PLANS.c.digest).where(PLANS.c.digest == blob)).first() is None:
                connection.execute(PLANS.insert(), {"digest": blob, "content": plan})
            values = {name: run["run"][name] for name in RUNS.columns.keys()[:-1]}  # sealed in this order
            connection.execute(RUNS.insert(), sealed(values))
            connection.execute(HEADS.insert(), head.mapping())
            if rows:
                connection.execute(EVENTS.insert(), rows)
            Counter(self._database, RUNS.name).up(connection.connection.cursor())


def _check_run(source: Path, run: dict[str, Any]) -> None:
    """Raise `IntegrityError` where the run's own chain does not hold."""
    values, head = run["run"], Head(**run["head"])
    if set(values) != {column.name for column in RUNS.columns} - {"checksum"}:
        raise _bad(source, "a run is not complete")
    run_id = values["run_id"]
    if digest_bytes(run["plan"].encode()) != values["plan_blob"] or head.run_id != run_id:
        raise _bad(source, f"the plan of run {run_id} differs from its digest")
    chain = seal(run_id, values["plan_blob"])
    for seq, body in enumerate(run["events"], 1):
        decoded(run_id, seq, body)  # an event of this run that this version can read
        chain = link(chain, body)
    if chain != head.chain or head.seq != len(run["events"]):
        raise _bad(source, f"the history of run {run_id} does not end as recorded")


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
