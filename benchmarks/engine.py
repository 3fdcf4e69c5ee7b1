"""What the engine adds to a node, beside a bare asyncio ready queue in the same run.

Run: python benchmarks/engine.py [FOLDER]. The folder of the durable runs has to be on a disk, not in memory.
No-op nodes in a graph ten wide, 800 and 10,000 of them: CPU in memory, wall clock with journal and artifacts.
Then 800 nodes of 20 ms that need nothing, at most 100 at once, against their bound. Reference and engine take
turns, so that a busy machine slows both.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import sys
import tempfile
import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_dsl.compiler.plan import CompiledPlan, Edge, Execution, Guardrails, KeyPart, PlanNode
from maestro_dsl.engine.interpreter import run
from maestro_dsl.engine.ports import AttemptResult, RunRecord
from maestro_dsl.storage.artifacts import Artifacts
from maestro_dsl.storage.journal import Journal
from maestro_dsl.testing import World, run_virtual

if TYPE_CHECKING:
    from collections.abc import Callable

    from maestro_dsl.engine.runtime import Runtime

WIDTH = 10
LIMIT = 100
ROUNDS = 3
SECONDS = 0.02


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


def make_plan(count: int, *, chained: bool = True) -> CompiledPlan:
    """Return `count` nodes; chained: each needs two of the ten or eleven before it."""
    nodes = tuple(
        PlanNode(
            address=f"n[{place}]",
            node="n",
            key=str(place),
            action="nothing",
            edges=tuple(Edge(source=f"n[{source}]") for source in _sources(place, chained=chained)),
            key_parts=(KeyPart(name="prompt", digest=str(place)),),
        )
        for place in range(count)
    )
    width = WIDTH if chained else count
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


def _sources(place: int, *, chained: bool) -> list[int]:
    return [source for source in (place - WIDTH, place - WIDTH - 1) if chained and source >= 0]


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


def durable(plan: CompiledPlan, action: Sleeping, folder: str | None) -> float:
    """Return the seconds of a run with the real journal and the real artifact store."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        journal, artifacts = Journal.open(Path(name)), Artifacts(Path(name))
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
            return await _engine(
                time.perf_counter, plan, replace(runtime, store=journal, artifacts=artifacts)
            )

        try:
            return asyncio.run(main())
        finally:
            journal.close()


def overhead(folder: str | None) -> None:
    """Print what a no-op node costs."""
    print(f"{'µs a no-op node':32s}{'bare':>9s}{'memory':>9s}{'ratio':>8s}{'durable':>9s}{'ratio':>8s}")
    costs: dict[int, tuple[float, float]] = {}
    for count in (800, 10_000):
        plan = make_plan(count)
        raw, memory, disk = [], [], []
        for _ in range(ROUNDS):
            raw.append(measured(time.process_time, plan, 0.0) / count * 1e6)
            memory.append(in_memory(plan) / count * 1e6)
            disk.append(durable(plan, Sleeping(), folder) / count * 1e6)
        floor, ours, stored = map(statistics.median, (raw, memory, disk))
        costs[count] = ours, stored
        row = f"{floor:9.1f}{ours:9.1f}{ours / floor:8.1f}{stored:9.1f}{stored / floor:8.1f}"
        print(f"{f'{count:,} nodes':32s}{row}")
    growth = [large / small for small, large in zip(*costs.values(), strict=True)]
    print(f"{'growth':32s}{'':9s}{growth[0]:9.2f}{'':8s}{growth[1]:9.2f}   goal ≤ 1.20")


def makespan(folder: str | None) -> None:
    """Print how long independent nodes of 20 ms take: their number by 20 ms by the limit is the bound."""
    count = 800
    plan, bound = make_plan(count, chained=False), count * SECONDS / LIMIT
    raw, plain, distinct = [], [], []
    for _ in range(ROUNDS):
        raw.append(measured(time.perf_counter, plan, SECONDS) / bound)
        plain.append(durable(plan, Sleeping(SECONDS), folder) / bound)
        distinct.append(durable(plan, Sleeping(SECONDS, distinct=True), folder) / bound)
    print(f"makespan ÷ bound, {count} nodes of {SECONDS * 1000:.0f} ms, limit {LIMIT}, durable")
    print(f"  bare {statistics.median(raw):.2f}   engine {statistics.median(plain):.2f}   goal ≤ 1.15")
    print(f"  engine, a result of its own for each node {statistics.median(distinct):.2f}")


if __name__ == "__main__":
    chosen = sys.argv[1] if len(sys.argv) > 1 else None
    overhead(chosen)
    makespan(chosen)
