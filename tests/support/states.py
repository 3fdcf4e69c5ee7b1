"""A state directory with runs in it that cost nothing to make."""

from __future__ import annotations

import os

from support.plans import run_record

from maestro_dsl.codec import canonical
from maestro_dsl.engine.events import (
    AttemptFinished,
    AttemptStarted,
    Event,
    FileRef,
    NodeFinished,
    RunFinished,
    RunPaused,
    RunStarted,
)
from maestro_dsl.engine.ports.attempts import AttemptResult
from maestro_dsl.engine.ports.storage import CachedResult
from maestro_dsl.storage.artifacts import Artifacts
from maestro_dsl.storage.journal import Journal
from maestro_dsl.storage.lease import Holder
from maestro_dsl.storage.retention import GRACE_S, Keep, Retention

ALWAYS = 10**12
ME = Holder(pid=1, host="h", since="now", command="c")


class Place:
    """A state directory with runs that cost nothing to make."""

    def __init__(self, folder):
        self.folder = folder
        self.journal = Journal.open(folder)
        self.artifacts = Artifacts(folder)

    def run(self, name, at=0.0, *, ends="completed", output="/out", unique=b"", node="n"):
        """Store a run whose node made one file of its own and one that all share."""
        record = run_record(name, at=at, output=output)
        self.journal.create_run(record, b'{"plan":"%s"}' % name.encode())
        contents = [b"shared", b"own " + name.encode() + unique]
        files = tuple(
            FileRef(path=f"f{place}", digest=self.artifacts.put(content), size=len(content))
            for place, content in enumerate(contents)
        )
        log = self.artifacts.put(b"log of " + name.encode())
        result = self.artifacts.put(canonical(AttemptResult(files=files, answer=log)))
        key = self.artifacts.put(b"key " + name.encode())  # any 64 digits
        tried = AttemptFinished(node=node, attempt=1, round=1, fence=1, failure=None, result_digest=result)
        bodies = [
            RunStarted(plan_id="p", plan_digest="d", output=output, tool_version="1"),
            AttemptStarted(node=node, attempt=1, round=1, fence=1, key=key),
            tried,
            NodeFinished(node=node, state="succeeded", key=key, result_digest=result, files=files),
        ]
        if ends == "paused":
            bodies.append(RunPaused(reason="enough"))
        elif ends is not None:
            bodies.append(RunFinished(status=ends, verdict="verified"))
        stored = CachedResult(
            key=key,
            node=node,
            parts={},
            result_digest=result,
            files=files,
            state="succeeded",
            score=None,
            outputs={},
            tokens=0,
            nano_usd=0,
            made_at=at,
        )
        events = [Event(run_id=name, seq=seq, at=at, body=body) for seq, body in enumerate(bodies, 1)]
        self.journal.append(events, 1, [stored], "p")
        return {result, log, *(item.digest for item in files)}, key

    def age(self, seconds=2 * GRACE_S):
        for item in self.artifacts.objects():
            path = self.artifacts._path(item.digest)
            os.utime(path, (item.used_at - seconds, item.used_at - seconds))

    def clean(self, keep=None, *, now, limit=ALWAYS, dry_run=False):
        rule = keep or Keep(runs=2, age_s=ALWAYS)
        cleaning = Retention(self.folder, self.journal, self.artifacts)
        return cleaning.clean(lambda _: rule, limit=limit, now=now, dry_run=dry_run)

    def stored(self):
        return {item.digest for item in self.artifacts.objects()}

    def ids(self):
        return {record.run_id for record in self.journal.runs()}
