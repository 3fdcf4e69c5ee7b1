"""Lint of a plan whose blueprint has 1,000 nodes, beside loading it with positions alone (CPU time)."""

from __future__ import annotations

import gc
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_dsl.app import lint
from maestro_dsl.lang.read import read_content
from maestro_dsl.lang.source import load

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD = "apiVersion: maestro/v1\nkind: "
NODE = """  node_{number}:
    action: command
    description: Work item number {number} of the big plan
    needs: [{before}]
    when: inputs.level > {level}
    timeout: 15m
    with: {{run: [echo, "{{{{ inputs.level + {level} }}}}th level"]}}
"""
FILES = {
    "plan.yaml": "Plan\nid: big\nblueprint: big\nteam: {maker: {use: ./maker.persona.yaml}}\n"
    "contracts: [api.contract.yaml]\n",
    "maker.persona.yaml": "Persona\nid: maker\n",
    "api.contract.yaml": "Contract\nid: api\nname: API\nprovider_persona_id: maker\n"
    "deliverables: [{name: all, artifacts: ['*.py']}]\n",
}


def blueprint(nodes: int) -> str:
    """Return a blueprint of a chain of nodes with at most 100 distinct expressions."""
    steps = [
        NODE.format(number=number, before=f"node_{number - 1}" if number else "", level=number % 50)
        for number in range(nodes)
    ]
    inputs = "inputs: {level: {type: integer, default: 7}}\n"
    return f"{HEAD}Blueprint\nid: big\n{inputs}nodes:\n{''.join(steps)}"


def median_ms(work: Callable[[], object], rounds: int) -> float:
    took = []
    for _ in range(rounds):
        gc.collect()
        start = time.process_time()
        work()
        took.append(time.process_time() - start)
    return statistics.median(took) * 1000


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    text = blueprint(1_000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, body in FILES.items():
            (folder / file).write_text(HEAD + body)
        (folder / "big.blueprint.yaml").write_text(text)
        found = [item.message for item in lint([folder], environ={}).diagnostics]
        if found:
            sys.exit("\n".join(found))
        whole = median_ms(lambda: lint([folder], environ={}), rounds)
    floor = median_ms(lambda: load(text, "f"), rounds)
    values = median_ms(lambda: read_content(text.encode(), Path("f"), "f"), rounds)
    print(
        f"1,000 nodes, {len(text) / 1e3:.0f} kB: load {floor:.0f} ms, with grammar and values "
        f"{values:.0f} ms, lint {whole:.0f} ms, ratio {whole / floor:.2f} to load (goal: at most 1.5)"
    )


if __name__ == "__main__":
    main()
