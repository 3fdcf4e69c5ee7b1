"""Row 3: lint of a plan whose blueprint has 1,000 nodes, beside loading that text with positions (CPU time).

Every rule runs, and nothing is taken from a cache.

    python benchmarks/lint.py [ROUNDS]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from measure import Row, cpu_ms, print_rows, turns
from samples import big_blueprint, plan_beside

from maestro_dsl.app import lint
from maestro_dsl.lang.read import read_content
from maestro_dsl.lang.source import load

GOAL = 1.5
ROUNDS = 9


def rows(rounds: int = ROUNDS) -> list[Row]:
    """Return one row."""
    text = big_blueprint(1_000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plan_beside(folder, text)
        errors = [item.message for item in lint([folder], environ={}).diagnostics if item.severity == "error"]
        if errors:
            sys.exit("\n".join(errors))
        floor, values, whole = turns(
            rounds,
            lambda: cpu_ms(lambda: load(text, "f")),
            lambda: cpu_ms(lambda: read_content(text.encode(), Path("f"), "f")),
            lambda: cpu_ms(lambda: lint([folder], environ={})),
        )
    return [
        Row(
            number=3,
            what=f"lint of a plan of 1,000 nodes, {len(text) / 1e3:.0f} kB, 50 distinct expressions",
            floor=f"load with positions {floor:.0f} ms; with grammar and values {values:.0f} ms",
            ours=f"{whole:.0f} ms",
            ratio=whole / floor,
            goal=f"≤ {GOAL:g} of load",
            is_met=whole / floor <= GOAL,
        )
    ]


if __name__ == "__main__":
    print_rows(rows(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
