"""Compiling a blueprint whose `foreach` gives 10,000 nodes, beside networkx alone on its graph (CPU time)."""

from __future__ import annotations

import gc
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import networkx as nx

from maestro_dsl.compiler.compile import compile_workspace
from maestro_dsl.lang.settings import Overrides
from maestro_dsl.lang.workspace import load_workspace

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD = "apiVersion: maestro/v1\nkind: "
FILES = {
    "plan.yaml": "Plan\nid: big\nblueprint: big\nteam: {maker: {use: ./maker.persona.yaml}}\n"
    "contracts: [api.contract.yaml]\n",
    "maker.persona.yaml": "Persona\nid: maker\n",
    "api.contract.yaml": "Contract\nid: api\nname: API\nprovider_persona_id: maker\n"
    "deliverables: [{name: all, artifacts: ['*.py']}]\n",
}
STEPS = """\
  first:  {action: command, foreach: range(%(width)d), as: n, with: {run: [echo, a]}}
  second: {action: command, foreach: range(%(width)d), as: n, needs: [first], with: {run: ["{{ key }}"]}}
  third:  {action: command, foreach: range(%(width)d), as: n, needs: [second], with: {run: [echo, b]}}
  fourth: {action: command, foreach: range(%(width)d), as: n, needs: [third], with: {run: [echo, b]}}
"""


def project(folder: Path, nodes: int) -> Path:
    blueprint = "Blueprint\nid: big\nnodes:\n" + STEPS % {"width": nodes // 4}
    for name, text in {**FILES, "big.blueprint.yaml": blueprint}.items():
        (folder / name).write_text(HEAD + text)
    return folder / "plan.yaml"


def median_ms(work: Callable[[], object], rounds: int) -> float:
    took = []
    for _ in range(rounds):
        gc.collect()
        start = time.process_time()
        work()
        took.append(time.process_time() - start)
    return statistics.median(took) * 1000


def networkx_alone(sources: dict[str, list[str]]) -> list[list[str]]:
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(sources)
    graph.add_edges_from((source, node) for node, needed in sources.items() for source in needed)
    return [list(generation) for generation in nx.topological_generations(graph)]


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    for nodes in (1_000, 10_000):
        with tempfile.TemporaryDirectory() as name:
            plan_file = project(Path(name), nodes)
            workspace, found = load_workspace(plan_file, overrides=Overrides(), environ={})
            if workspace is None:
                sys.exit("\n".join(item.message for item in found))
        plan, found = compile_workspace(workspace)
        if plan is None:
            sys.exit("\n".join(item.message for item in found))
        sources = {node.address: [edge.source for edge in node.edges] for node in plan.nodes}
        floor = median_ms(lambda sources=sources: networkx_alone(sources), rounds)
        ours = median_ms(lambda workspace=workspace: compile_workspace(workspace), rounds)
        print(
            f"{len(plan.nodes):>6} nodes: networkx alone {floor:.1f} ms, compile {ours:.1f} ms, "
            f"ratio {ours / floor:.2f} (goal: at most 3)"
        )


if __name__ == "__main__":
    main()
