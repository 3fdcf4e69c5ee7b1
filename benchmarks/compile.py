"""Compiling a blueprint of 10,000 nodes, beside networkx alone on its graph and a plain Kahn (CPU time).

Two shapes: a chain of steps, one need a node, and nodes that need three others. The four take turns in each
round, so that a busy machine slows all.

    python benchmarks/compile.py [ROUNDS]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import networkx as nx
from measure import Row, cpu_ms, print_rows, turns
from samples import compile_project

from maestro_dsl.compiler.compile import compile_workspace
from maestro_dsl.compiler.order import topological
from maestro_dsl.lang.settings import Overrides
from maestro_dsl.lang.workspace import load_workspace

GOAL = 3.0
NODES = 10_000
ROUNDS = 9


def networkx_alone(sources: dict[str, list[str]]) -> list[list[str]]:
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(sources)
    graph.add_edges_from((source, node) for node, needed in sources.items() for source in needed)
    return [list(generation) for generation in nx.topological_generations(graph)]


def rows(rounds: int = ROUNDS) -> list[Row]:
    """Return one row for each shape of graph."""
    found = []
    for needs, shape in ((1, "one need a node"), (3, "three needs a node")):
        with tempfile.TemporaryDirectory() as name:
            plan_file = compile_project(Path(name), NODES, needs)
            workspace, wrong = load_workspace(plan_file, overrides=Overrides(), environ={})
        if workspace is None:
            sys.exit("\n".join(item.message for item in wrong))
        plan, wrong = compile_workspace(workspace)
        if plan is None:
            sys.exit("\n".join(item.message for item in wrong))
        sources = {node.address: [edge.source for edge in node.edges] for node in plan.nodes}
        floor, kahn, ours = turns(
            rounds,
            lambda sources=sources: cpu_ms(lambda: networkx_alone(sources)),
            lambda sources=sources: cpu_ms(lambda: topological(sources)),
            lambda workspace=workspace: cpu_ms(lambda: compile_workspace(workspace)),
        )
        found.append(
            Row(
                number=4,
                what=f"compile {len(plan.nodes):,} nodes, {shape}",
                floor=f"networkx alone {floor:.0f} ms, plain Kahn {kahn:.0f} ms",
                ours=f"{ours:.0f} ms",
                ratio=ours / floor,
                goal=f"≤ {GOAL:g} times that of networkx alone",
                is_met=ours / floor <= GOAL,
            )
        )
    return found


if __name__ == "__main__":
    print_rows(rows(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
