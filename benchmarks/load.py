"""Rows 1 and 2: loading a generated blueprint with positions, against libyaml's events alone (CPU time).

python benchmarks/load.py [ROUNDS]
"""

from __future__ import annotations

import gc
import sys

from measure import Row, cpu_ms, print_rows, turns

from maestro_dsl.lang.parsing import parser_of
from maestro_dsl.lang.source import load

ROUNDS = 11
GOAL = 0.6
GROWTH = 0.8
NODE = """  node_{number}:
    action: fulfil
    description: Work item number {number} of the big plan
    persona: backend_developer
    contract: backend_api
    needs: [node_{before}]
    timeout: 15m
"""


def blueprint(nodes: int) -> str:
    body = "".join(NODE.format(number=number, before=max(number - 1, 0)) for number in range(nodes))
    return "apiVersion: maestro/v1\nkind: Blueprint\nid: big\nnodes:\n" + body


def events(text: str) -> None:
    next_event = parser_of(text)
    gc.disable()
    while type(next_event()).__name__ != "StreamEndEvent":
        pass
    gc.enable()


def rows(rounds: int = ROUNDS) -> list[Row]:
    """Return the rate beside the events alone, for two sizes, and how the rate grows."""
    found, rates = [], []
    for nodes in (1_000, 10_000):
        text = blueprint(nodes)
        floor, ours = turns(
            rounds,
            lambda text=text: cpu_ms(lambda: events(text)),
            lambda text=text: cpu_ms(lambda: load(text, "f")),
        )
        size = len(text) / 1e6
        rates.append(size / ours * 1e3)
        found.append(
            Row(
                number=1,
                what=f"YAML with positions, {nodes:,} nodes, {size:.2f} MB",
                floor=f"events alone {size / floor * 1e3:.1f} MB/s",
                ours=f"{rates[-1]:.1f} MB/s",
                ratio=floor / ours,
                goal=f"≥ {GOAL:g} of events alone",
                is_met=floor / ours >= GOAL,
            )
        )
    growth = rates[1] / rates[0]
    found.append(
        Row(
            number=2,
            what="linear loading: rate at 10,000 nodes over rate at 1,000",
            ours=f"{rates[1]:.1f} over {rates[0]:.1f} MB/s",
            ratio=growth,
            goal=f"≥ {GROWTH:g}",
            is_met=growth >= GROWTH,
        )
    )
    return found


if __name__ == "__main__":
    print_rows(rows(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
