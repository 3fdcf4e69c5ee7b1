"""Rows 8 and 9: how long sleeping nodes take beside their bound, a bare ready queue and other engines.

    python benchmarks/makespan.py [FOLDER]

800 nodes of 20 and of 100 ms that need nothing, at most 100 at once, durable; then log-normal durations under
virtual time, with the schedules `ready` and `waves`. Reference and engine take turns.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from engine import LIMIT, ROUNDS, Sleeping, durable, make_plan, measured, said_by
from measure import Row, print_rows, turns

from maestro_dsl.engine.interpreter import run
from maestro_dsl.engine.ports.attempts import AttemptResult
from maestro_dsl.lang.model import Schedule
from maestro_dsl.testing import World, run_virtual

NODES = 800
SECONDS = (0.02, 0.1)
"""How long nodes last; what is added to longer ones counts for less."""
MAKESPAN, LOG_NORMAL = 1.15, 1.05
LOG_NORMAL_NODES = 4_000
PEERS = ("dask", "langgraph", "langgraph_sqlite")


class Lasting:
    """An action that takes as long as a table says."""

    def __init__(self, durations: dict[str, float]) -> None:
        self._durations = durations

    async def work(self, spec, context):  # noqa: ARG002 - the port's
        """Wait."""
        await asyncio.sleep(self._durations[spec.node.address])
        return AttemptResult()


def rows(folder: Path, rounds: int = ROUNDS) -> list[Row]:
    """Return rows 8 and 9."""
    found = [row for seconds in SECONDS for row in _sleeping(folder, rounds, seconds)]
    ready, waves = (log_normal(schedule) for schedule in (Schedule.READY, Schedule.WAVES))
    found.append(
        Row(
            number=9,
            what=f"makespan over bound, {LOG_NORMAL_NODES:,} nodes of log-normal durations, limit {LIMIT}",
            peer=f"our own wave barrier {waves:.2f}",
            ours=f"{ready:.3f}",
            ratio=ready,
            goal="≤ 1.05",
            is_met=ready <= LOG_NORMAL,
            how="virtual time: no machine in it",
        )
    )
    return found


def _sleeping(folder: Path, rounds: int, seconds: float) -> list[Row]:
    plan, bound = make_plan(NODES, chained=False), NODES * seconds / LIMIT
    raw, plain, distinct = turns(
        rounds,
        lambda: measured(time.perf_counter, plan, seconds) / bound,
        lambda: durable(plan, Sleeping(seconds), folder, time.perf_counter) / bound,
        lambda: durable(plan, Sleeping(seconds, distinct=True), folder, time.perf_counter) / bound,
    )
    others = {
        name: said_by(name, folder, "peer_makespans.py", str(NODES), str(seconds), str(LIMIT))
        for name in PEERS
    }
    shown = ", ".join(f"{name} {took / bound:.2f}" for name, took in others.items() if took is not None)
    return [
        Row(
            number=8,
            what=f"makespan over bound, {NODES} nodes of {seconds * 1e3:g} ms, limit {LIMIT}, durable, {how}",
            floor=f"bare {raw:.2f}",
            peer=shown or "none is installed",
            ours=f"{ours:.2f}",
            ratio=ours,
            goal="≤ 1.15",
            is_met=ours <= MAKESPAN,
            how="wall clock",
        )
        for how, ours in (("equal results", plain), ("a result of its own for each", distinct))
    ]


def log_normal(schedule: Schedule) -> float:
    """Return makespan over bound under virtual time: the larger of work by limit, and the longest way."""
    chance, plan = random.Random(7), make_plan(LOG_NORMAL_NODES, width=200)
    plan = replace(plan, execution=replace(plan.execution, schedule=schedule))
    durations = {node.address: chance.lognormvariate(0.0, 1.0) for node in plan.nodes}
    finish: dict[str, float] = {}
    for node in plan.nodes:
        latest = max((finish[edge.source] for edge in node.edges), default=0.0)
        finish[node.address] = latest + durations[node.address]
    bound = max(sum(durations.values()) / LIMIT, *finish.values())
    world = World(action=Lasting(durations), serialise=False)

    async def main() -> float:
        loop = asyncio.get_running_loop()
        before = loop.time()
        state = await run(plan, run_id="run", runtime=world.runtime(loop), plan_digest="-")
        assert state.status == "completed"
        return (loop.time() - before) / bound

    return run_virtual(main())


if __name__ == "__main__":
    print_rows(rows(Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.gettempdir())))
