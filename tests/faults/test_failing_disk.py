"""A disk that fails or is full at each step of a run: exit 8, a way out in words, the same files later.

The default suite fails at a few steps of each kind of call, `MAESTRO_TEST_LONG=1` at every one.
"""

from __future__ import annotations

import errno
import os
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from support.plans import plan, run_record

from maestro_dsl.actions.workspace import lay_out
from maestro_dsl.compiler.plan import Edge, KeyPart, PlanNode
from maestro_dsl.engine.events import AttemptFinished, AttemptStarted, FileRef
from maestro_dsl.engine.interpreter import run
from maestro_dsl.engine.ports.attempts import AttemptResult
from maestro_dsl.errors import DiskFailure
from maestro_dsl.storage.artifacts import Artifacts
from maestro_dsl.storage.journal import Journal
from maestro_dsl.storage.output import OutputFolder
from maestro_dsl.testing import World, run_virtual

LONG = os.environ.get("MAESTRO_TEST_LONG") == "1"
CALLS = ("write", "fsync", "rename", "replace")
NODES = ("a", "b", "c")
STEPS = range(1, 60) if LONG else (1, 2, 4)


class Writing:
    """An action that makes one file."""

    artifacts: Artifacts

    async def work(self, spec, _context):
        content = f"made by {spec.node.address}".encode()
        digest = self.artifacts.put(content)
        file = FileRef(path=f"{spec.node.address}.txt", digest=digest, size=len(content))
        return AttemptResult(files=(file,))


def make_plan():
    nodes = tuple(
        PlanNode(
            address=name,
            node=name,
            action="do",
            edges=() if name == "a" else (Edge(source="a"),),
            writes=(f"{name}.txt",),
            key_parts=(KeyPart(name="prompt", digest=name),),
        )
        for name in NODES
    )
    return plan(nodes, provider="x")


def apply(folder, action=Writing):
    """Apply the plan or go on with it, as one process."""
    artifacts = Artifacts(folder / "state")
    with closing(Journal.open(folder / "state")) as journal:
        if not journal.runs():
            record = run_record("r", output="o")
            journal.create_run(record, b"{}")
        epoch, begun = journal.next_epoch("r"), bool(list(journal.events("r")))
        world = World(action=action(), epoch=epoch)
        world.action.artifacts = artifacts

        async def main():
            import asyncio

            runtime = world.runtime(asyncio.get_running_loop())
            runtime = replace(
                runtime,
                dispatcher=replace(runtime.dispatcher, work_dir=folder / "work"),
                store=journal,
                artifacts=artifacts,
                publisher=OutputFolder(folder / "out", artifacts),
            )
            return await run(make_plan(), run_id="r", runtime=runtime, resume=begun)

        return run_virtual(main())


def failing(monkeypatch, name, step, code):
    """Let the calls of `os.<name>` fail from the `step`-th on; return how many there were."""
    original, seen = getattr(os, name), []

    def call(*args, **options):
        seen.append(args)
        if len(seen) >= step:
            raise OSError(code, os.strerror(code))
        return original(*args, **options)

    monkeypatch.setattr(os, name, call)
    return seen


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO], ids=["full", "broken"])
@pytest.mark.parametrize("name", CALLS)
def test_a_run_stops_and_goes_on_when_the_disk_is_well(tmp_path, monkeypatch, name, code):
    reached = 0
    for step in STEPS:
        folder = tmp_path / str(step)
        (folder / "state").mkdir(parents=True)
        Artifacts(folder / "state")
        Journal.open(folder / "state").close()
        with monkeypatch.context() as patch:
            seen = failing(patch, name, step, code)
            stopped = stopped_by_the_disk(folder)
            assert stopped or len(seen) < step, "a failure of the disk passed unnoticed"
        reached += len(seen) >= step
        state = apply(folder)
        assert (state.status, state.finals) == ("completed", len(NODES)), step
        for node in NODES:
            assert (folder / "out" / f"{node}.txt").read_text() == f"made by {node}"
        assert_nothing_ran_twice(folder)
    assert reached


class Copying(Writing):
    """An action that lays its file out before it stores it."""

    async def work(self, spec, context):
        lay_out(context.scratch / "x", {"a/b.txt": b"content"})
        return await super().work(spec, context)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EMFILE])
@pytest.mark.parametrize("step", [*range(1, 5), 9])
def test_a_folder_of_an_attempt_that_fails_is_no_nodes_fault(tmp_path, monkeypatch, step, code):
    original, seen = os.mkdir, []

    def mkdir(path, *args, **options):
        if "work" in Path(path).parent.parts:
            seen.append(path)
            if len(seen) >= step:
                raise OSError(code, os.strerror(code))
        return original(path, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "mkdir", mkdir)
        assert stopped_by_the_disk(tmp_path, Copying)
    state = apply(tmp_path, Copying)
    assert (state.status, state.finals) == ("completed", len(NODES))
    assert all(item.attempt == 1 for item in state.nodes.values()), "nobody is charged for it"
    assert_nothing_ran_twice(tmp_path)


def stopped_by_the_disk(folder, action=Writing):
    try:
        apply(folder, action)
    except DiskFailure as failure:
        return failure.exit_code == 8 and bool(failure.hint)
    return False


def assert_nothing_ran_twice(folder):
    done = set()
    with closing(Journal.open(folder / "state")) as journal:
        assert journal.verify() == ()
        for event in journal.events("r"):
            if isinstance(event.body, AttemptStarted):
                assert event.body.node not in done
            if isinstance(event.body, AttemptFinished) and event.body.failure is None:
                done.add(event.body.node)
