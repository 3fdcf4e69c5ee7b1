"""Rows 5 to 7 and 9: what the engine adds to a node, beside a bare asyncio ready queue and other engines.

    python benchmarks/engine.py [FOLDER]

The folder of the durable runs has to be on a disk, not in memory. No-op nodes in a graph ten wide, 800 and
10,000 of them, by CPU time. Reference and engine take turns, so that a busy machine slows both.
"""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import peers
from measure import Row, print_rows, turns

from maestro_dsl.compiler.plan import CompiledPlan, Edge, Execution, Guardrails, KeyPart, PlanNode
from maestro_dsl.engine.interpreter import run
from maestro_dsl.engine.ports.attempts import AttemptResult
from maestro_dsl.engine.ports.storage import RunRecord
from maestro_dsl.storage.appender import DiskAppender
from maestro_dsl.storage.artifacts import Artifacts
from maestro_dsl.storage.contents import MAX_BYTES
from maestro_dsl.storage.journal import Journal
from maestro_dsl.testing import MemoryStore, World, run_virtual

if TYPE_CHECKING:
    from collections.abc import Callable

    from maestro_dsl.engine.runtime import Runtime

WIDTH = 10
LIMIT = 100
ROUNDS = 3
GROWTH, NODE_BYTES = 1.2, 2_000
PEER_NODES = {
    "dask": 10_000,
    "langgraph": 800,
    "langgraph_sqlite": 800,
    "pydantic_graph": 10_000,
    "dbos": 300,
    "prefect": 50,
}
"""How many nodes each peer runs: fewer where it takes long."""
PEER_TIMEOUT_S = 180


class Sleeping:
    """An action that waits and does nothing else, or nothing at all."""

    def __init__(self, seconds: float = 0.0, *, distinct: bool = False) -> None:
        self._seconds = seconds
        self._distinct = distinct

    async def work(self, spec, context):  # noqa: ARG002 - the port's
        """Wait."""
        if self._seconds:
            await asyncio.sleep(self._seconds)
        return AttemptResult(outputs={"node": spec.node.address}) if self._distinct else AttemptResult()


def make_plan(count: int, *, chained: bool = True, width: int = WIDTH) -> CompiledPlan:
    """Return `count` nodes; chained: each needs two of the row of `width` nodes before it."""
    nodes = tuple(
        PlanNode(
            address=f"n[{place}]",
            node="n",
            key=str(place),
            action="nothing",
            edges=tuple(Edge(source=f"n[{source}]") for source in _sources(place, width, chained=chained)),
            key_parts=(KeyPart(name="prompt", digest=str(place)),),
        )
        for place in range(count)
    )
    width = width if chained else count
    return CompiledPlan(
        id="p",
        name="p",
        requirement="",
        blueprint="b",
        execution_mode="parallel",
        nodes=nodes,
        waves=tuple(
            tuple(f"n[{place}]" for place in range(start, min(count, start + width)))
            for start in range(0, count, width)
        ),
        personas=(),
        contracts=(),
        provider="none",
        guardrails=Guardrails(),
        execution=Execution(max_concurrency=LIMIT),
        quality_threshold=0.8,
        output="build",
    )


def _sources(place: int, width: int, *, chained: bool) -> list[int]:
    return [source for source in (place - width, place - width - 1) if chained and source >= 0]


class Bare:
    """The same graph on tasks and a counter of missing needs; keeps nothing."""

    def __init__(self, plan: CompiledPlan, seconds: float) -> None:
        self._seconds = seconds
        self._missing = {node.address: len(node.edges) for node in plan.nodes}
        self._dependants: dict[str, list[str]] = {address: [] for address in self._missing}
        for node in plan.nodes:
            for edge in node.edges:
                self._dependants[edge.source].append(node.address)
        self._ready = deque(address for address, count in self._missing.items() if not count)
        self._tasks: dict[asyncio.Task[None], str] = {}
        self._done = asyncio.Event()

    async def run(self) -> None:
        """Run all nodes."""
        self._start()
        await self._done.wait()

    async def _work(self) -> None:
        if self._seconds:
            await asyncio.sleep(self._seconds)

    def _start(self) -> None:
        while self._ready and len(self._tasks) < LIMIT:
            task = asyncio.get_running_loop().create_task(self._work())
            self._tasks[task] = self._ready.popleft()
            task.add_done_callback(self._ended)
        if not self._tasks:
            self._done.set()

    def _ended(self, task: asyncio.Task[None]) -> None:
        for dependant in self._dependants[self._tasks.pop(task)]:
            self._missing[dependant] -= 1
            if not self._missing[dependant]:
                self._ready.append(dependant)
        self._start()


def measured(clock: Callable[[], float], plan: CompiledPlan, seconds: float) -> float:
    """Return what the bare queue takes on `clock`."""

    async def main() -> float:
        queue, before = Bare(plan, seconds), clock()
        await queue.run()
        return clock() - before

    gc.collect()
    return asyncio.run(main())


async def _engine(clock: Callable[[], float], plan: CompiledPlan, runtime: Runtime) -> float:
    before = clock()
    state = await run(plan, run_id="run", runtime=runtime, plan_digest="-")
    taken = clock() - before
    assert state.status == "completed"
    return taken


def in_memory(plan: CompiledPlan) -> float:
    """Return the CPU seconds of a run without a disk; values are handed over without JSON."""
    world = World(action=Sleeping(), serialise=False)
    gc.collect()

    async def main() -> float:
        return await _engine(time.process_time, plan, world.runtime(asyncio.get_running_loop()))

    return run_virtual(main())


def durable(plan: CompiledPlan, action: Sleeping, folder: Path, clock: Callable[[], float]) -> float:
    """Return the seconds of a run with the real journal and artifact store, as `apply` wires them."""
    with tempfile.TemporaryDirectory(dir=folder) as name, ThreadPoolExecutor(1) as thread:
        journal = Journal.open(Path(name))
        artifacts = Artifacts(Path(name), journal.contents)
        record = RunRecord(
            run_id="run",
            plan_id="p",
            plan_digest="-",
            output="build",
            status="pending",
            verdict="",
            created_at=0.0,
            updated_at=0.0,
        )
        journal.create_run(record, b"{}")
        world = World(action=action, serialise=False)
        gc.collect()

        async def main() -> float:
            runtime = world.runtime(asyncio.get_running_loop())
            runtime = replace(
                runtime,
                store=journal,
                artifacts=artifacts,
                appender=DiskAppender(thread),
                inline_bytes=MAX_BYTES,
            )
            return await _engine(clock, plan, runtime)

        try:
            return asyncio.run(main())
        finally:
            journal.close()


def peer_costs(folder: Path) -> dict[str, float]:
    """Return the CPU microseconds a no-op node of each peer that is there and works."""
    found = {name: said_by(name, folder, "peer_engines.py", str(count)) for name, count in PEER_NODES.items()}
    return {name: cost for name, cost in found.items() if cost is not None}


def said_by(name: str, folder: Path, script: str, *arguments: str) -> float | None:
    """Return the figure that a script prints of a peer, or None where that does not run."""
    python = peers.python_of("prefect" if name == "prefect" else "python")
    if python is None:
        return None
    with tempfile.TemporaryDirectory(dir=folder) as place:
        command = [str(python), str(Path(__file__).with_name(script)), name, *arguments, place]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=PEER_TIMEOUT_S, check=False
            )
            return float(done.stdout.split()[-1])
        except (subprocess.TimeoutExpired, ValueError, IndexError):
            print(f"{name} does not run here: left out", file=sys.stderr)
            return None


def _overhead(folder: Path, rounds: int) -> list[Row]:
    """Rows 5 to 7: what a no-op node costs in memory and durable, and how that grows."""
    others = peer_costs(folder)
    costs: dict[int, tuple[float, float, float]] = {}
    for count in (800, 10_000):
        plan = make_plan(count)
        costs[count] = tuple(
            seconds / count * 1e6
            for seconds in turns(
                rounds,
                lambda plan=plan: measured(time.process_time, plan, 0.0),
                lambda plan=plan: in_memory(plan),
                lambda plan=plan: durable(plan, Sleeping(), folder, time.process_time),
            )
        )
    raw, memory, disk = costs[10_000]
    shown = ", ".join(f"{name} {cost:.0f} µs" for name, cost in others.items()) or "none is installed"
    stored = others.get("langgraph_sqlite")
    growth = [large / small for small, large in zip(costs[800], costs[10_000], strict=True)]
    return [
        Row(
            number=5,
            what="a no-op node in memory, 10,000 nodes",
            floor=f"bare ready queue {raw:.1f} µs",
            peer=shown,
            ours=f"{memory:.0f} µs",
            ratio=memory / raw,
            goal="≤ 10 of bare",
            is_met=memory <= 10 * raw,
        ),
        Row(
            number=6,
            what="a no-op node with journal and artifacts, 10,000 nodes",
            floor=f"bare ready queue {raw:.1f} µs",
            peer=shown,
            ours=f"{disk:.0f} µs",
            ratio=None if stored is None else disk / stored,
            goal="≤ 0.2 of LangGraph with SQLite",
            is_met=None if stored is None else disk <= 0.2 * stored,
        ),
        *(
            Row(
                number=7,
                what=f"growth: a node at 10,000 over a node at 800, {how}",
                floor=f"bare {growth[0]:.2f}",
                ours=f"{ours:.2f}",
                ratio=ours,
                goal="≤ 1.2",
                is_met=ours <= GROWTH,
            )
            for how, ours in (("in memory", growth[1]), ("durable", growth[2]))
        ),
    ]


def memory_bytes(count: int = 10_000) -> float:
    """Return what a run holds at its end for each node beyond the plan, by tracemalloc."""
    plan, world = make_plan(count), World(action=Sleeping(), serialise=False)
    gc.collect()
    tracemalloc.start()

    async def main() -> int:
        runtime = world.runtime(asyncio.get_running_loop())
        state = await run(plan, run_id="run", runtime=replace(runtime, store=Forgetful()), plan_digest="-")
        gc.collect()
        assert state.status == "completed"
        return tracemalloc.get_traced_memory()[0]

    try:
        return run_virtual(main()) / count
    finally:
        tracemalloc.stop()


class Forgetful(MemoryStore):
    """A journal that keeps nothing, so that only the run's own memory counts."""

    def append(self, *_):
        """Keep nothing."""


def rows(folder: Path, rounds: int = ROUNDS) -> list[Row]:
    """Return rows 5 to 7, and the memory of a run, row 9."""
    held = memory_bytes()
    return [
        *_overhead(folder, rounds),
        Row(
            number=9,
            what="memory of a run of 10,000 nodes, a node beyond the plan",
            ours=f"{held:.0f} bytes",
            ratio=held / NODE_BYTES,
            goal="≤ 2 kB",
            is_met=held <= NODE_BYTES,
            how="tracemalloc, the journal on a disk",
        ),
    ]


if __name__ == "__main__":
    print_rows(rows(Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.gettempdir())))
