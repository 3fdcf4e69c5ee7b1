"""How the benchmarks measure: medians of rounds in which all sides take turns, and rows of one table."""

from __future__ import annotations

import gc
import resource
import statistics
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table; `number` is the row of the performance goals, `is_met` None = no goal."""

    number: int
    what: str
    floor: str = "-"
    peer: str = "-"
    ours: str
    ratio: float | None = None
    goal: str = "-"
    is_met: bool | None = None
    how: str = "CPU time"


def turns(rounds: int, *sides: Callable[[], float]) -> list[float]:
    """Return the median of each side; in each round every side has one turn."""
    taken: list[list[float]] = [[] for _ in sides]
    for _ in range(rounds):
        for side, found in zip(sides, taken, strict=True):
            found.append(side())
    return [statistics.median(found) for found in taken]


def cpu_ms(work: Callable[[], object]) -> float:
    """Return the CPU time of `work` in milliseconds; what it returns is dropped after the clock stops."""
    gc.collect()
    start = time.process_time()
    kept = work()
    took = time.process_time() - start
    del kept
    return took * 1000


@dataclass(frozen=True, slots=True)
class Spent:
    """What a finished program took, children included."""

    cpu_s: float
    wall_s: float


def program(
    command: Sequence[str], folder: Path | None = None, environ: dict[str, str] | None = None
) -> Spent:
    """Run a program to its end, whatever its exit code, and return what it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(
        command, cwd=folder, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Spent(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, wall)


def cells(row: Row) -> list[str]:
    """Return the row as the table shows it."""
    ratio = "-" if row.ratio is None else f"{row.ratio:.2f}"
    verdict = {True: "met", False: "not met", None: "-"}[row.is_met]
    return [str(row.number), row.what, row.floor, row.peer, row.ours, ratio, row.goal, verdict, row.how]


HEADER = ("Row", "What", "Floor or reference", "Peers", "Ours", "Ratio", "Goal", "Verdict", "How")


def print_rows(rows: Sequence[Row]) -> None:
    """Print rows, a line each."""
    for row in rows:
        number, what, floor, peer, ours, ratio, goal, verdict, how = cells(row)
        beside = f"{floor}; peers {peer}" if peer != "-" else floor
        print(f"row {number}: {what}: {ours}; {beside}; ratio {ratio}, goal {goal}: {verdict} ({how})")
