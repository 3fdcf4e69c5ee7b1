"""Simulate many seeds: `python tests/simulation/run.py [RUNS] [FIRST SEED]`; stops at the first find."""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from simulation.lives import Found, simulate  # noqa: E402 - this script stands beside its package


def main(runs: int = 5_000, first: int = 0, *, go_on: bool = False) -> int:
    """Simulate and print what it came to."""
    ends: Counter[str] = Counter()
    processes = events = finds = 0
    began, cpu = time.monotonic(), time.process_time()
    for seed in range(first, first + runs):
        try:
            story = simulate(seed)
        except Found as found:
            sys.stdout.write(f"seed {seed}: {found}\n")
            finds += 1
            if not go_on:
                return 1
            continue
        ends += story.ends
        processes, events = processes + story.processes, events + story.events
    wall, cpu = time.monotonic() - began, time.process_time() - cpu
    sys.stdout.write(
        f"{runs} seeds, {processes} processes, {events} events, {finds} finds"
        f" in {wall:.1f} s ({cpu:.1f} s CPU):"
        f" {runs / wall * 60:.0f} a minute ({runs / cpu * 60:.0f} a minute of CPU)\n"
    )
    sys.stdout.write("".join(f"  {count:7} {end}\n" for end, count in ends.most_common()))
    return 1 if finds else 0


if __name__ == "__main__":
    arguments = [item for item in sys.argv[1:] if item != "--all"]
    sys.exit(main(*map(int, arguments), go_on="--all" in sys.argv))
