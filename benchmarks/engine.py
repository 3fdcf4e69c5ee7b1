"""Overhead of the engine for a node that does nothing, in memory: µs a node at 800 and 10,000 nodes.

Run: python benchmarks/engine.py. CPU time of this process; the dispatcher hands values over without JSON.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import time

from maestro_dsl.compiler.plan import CompiledPlan, Edge, Execution, Guardrails, KeyPart, PlanNode
from maestro_dsl.engine.interpreter import run
from maestro_dsl.engine.ports import AttemptResult
from maestro_dsl.testing import World, run_virtual

WIDTH = 10
ROUNDS = 3


class Nothing:
    """An action without work."""

    async def work(self, spec, context):  # noqa: ARG002 - the port's
        """Do nothing."""
        return AttemptResult()


def make_plan(count):
    nodes = tuple(
        PlanNode(
            address=f"n[{place}]",
            node="n",
            key=str(place),
            action="nothing",
            edges=tuple(
                Edge(source=f"n[{source}]") for source in (place - WIDTH, place - WIDTH - 1) if source >= 0
            ),
            key_parts=(KeyPart(name="prompt", digest=str(place)),),
        )
        for place in range(count)
    )
    return CompiledPlan(
        id="p",
        name="p",
        requirement="",
        blueprint="b",
        execution_mode="parallel",
        nodes=nodes,
        waves=tuple(
            tuple(f"n[{place}]" for place in range(start, min(count, start + WIDTH)))
            for start in range(0, count, WIDTH)
        ),
        personas=(),
        contracts=(),
        provider="none",
        guardrails=Guardrails(),
        execution=Execution(),
        quality_threshold=0.8,
        output="build",
    )


def microseconds(count):
    plan, world = make_plan(count), World(action=Nothing(), serialise=False)
    gc.collect()

    async def main():
        runtime = world.runtime(asyncio.get_running_loop())
        before = time.process_time()
        state = await run(plan, run_id="run", runtime=runtime, plan_digest="-")
        assert state.status == "completed"
        return (time.process_time() - before) / count * 1e6

    return run_virtual(main())


if __name__ == "__main__":
    small, large = [], []
    for _ in range(ROUNDS):
        small.append(microseconds(800))
        large.append(microseconds(10_000))
    few, many = statistics.median(small), statistics.median(large)
    print(f"   800 nodes {few:6.1f} us a node\n10,000 nodes {many:6.1f} us a node\ngrowth {many / few:.2f}")
