"""The graph of a plan as text, Mermaid, DOT and JSON; the picture is in `maestro_dsl.reporters.svg`.

Labels come from documents, so each format escapes them for itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.compiler.plan import CompiledPlan, EdgeKind, PlanNode
from maestro_dsl.reporters.text import FORMAT_VERSION, safe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def subtitle(node: PlanNode) -> str:
    """Return what stands under a node's address: its action, and who does it."""
    return f"{node.action} · {node.persona_id}" if node.persona_id else node.action


def text(plan: CompiledPlan) -> str:
    """Return the nodes wave by wave, each with what it waits for."""
    lines = []
    nodes = {node.address: node for node in plan.nodes}
    for number, wave in enumerate(plan.waves, start=1):
        lines.append(f"Wave {number}")
        for address in wave:
            node = nodes[address]
            lines.append(f"  {safe(address)}  ({safe(subtitle(node))})")
            for edge in node.edges:
                mark = " (mock)" if edge.kind is EdgeKind.MOCK else ""
                lines.append(f"    <- {safe(edge.source)}{mark}")
    return "\n".join(lines) + "\n"


def mermaid(plan: CompiledPlan) -> str:
    """Return a Mermaid flowchart; waves are subgraphs, mock edges are dotted."""
    ids = _ids(plan)
    nodes = {node.address: node for node in plan.nodes}
    lines = ["flowchart LR"]
    for number, wave in enumerate(plan.waves, start=1):
        lines.append(f'  subgraph wave{number}["Wave {number}"]')
        for address in wave:
            label = f"{_mermaid(address)}<br/>{_mermaid(subtitle(nodes[address]))}"
            lines.append(f'    {ids[address]}["{label}"]')
        lines.append("  end")
    for node in plan.nodes:
        for edge in node.edges:
            arrow = "-. mock .->" if edge.kind is EdgeKind.MOCK else "-->"
            lines.append(f"  {ids[edge.source]} {arrow} {ids[node.address]}")
    return "\n".join(lines) + "\n"


def _ids(plan: CompiledPlan) -> dict[str, str]:
    return {node.address: f"n{index}" for index, node in enumerate(plan.nodes)}


def _mermaid(label: str) -> str:
    """Write every character that Mermaid or HTML could read as markup as a character code."""
    return "".join(char if char.isalnum() or char in " _-./·" else f"#{ord(char)};" for char in safe(label))


def dot(plan: CompiledPlan) -> str:
    """Return a Graphviz document; waves share a rank, mock edges are dashed."""
    nodes = {node.address: node for node in plan.nodes}
    lines = [
        f"digraph {_dot(plan.id)} {{",
        "  rankdir=LR;",
        '  node [shape=box, style="rounded,filled", fillcolor="#f6f8fa", fontname="Helvetica"];',
        '  edge [color="#57606a"];',
    ]
    for wave in plan.waves:
        lines.append("  { rank=same;")
        for address in wave:
            label = f"{_dot_text(address)}\\n{_dot_text(subtitle(nodes[address]))}"
            lines.append(f'    {_dot(address)} [label="{label}"];')
        lines.append("  }")
    for node in plan.nodes:
        for edge in node.edges:
            style = ' [style=dashed, label="mock"]' if edge.kind is EdgeKind.MOCK else ""
            lines.append(f"  {_dot(edge.source)} -> {_dot(node.address)}{style};")
    return "\n".join([*lines, "}"]) + "\n"


def _dot(name: str) -> str:
    return f'"{_dot_text(name)}"'


def _dot_text(name: str) -> str:
    return safe(name).replace("\\", "\\\\").replace('"', '\\"')


def json_document(plan: CompiledPlan) -> dict[str, Any]:
    """Return nodes, edges and waves as JSON."""
    return {
        "format_version": FORMAT_VERSION,
        "plan": {"id": plan.id, "name": plan.name, "digest": plan.digest},
        "waves": [list(wave) for wave in plan.waves],
        "nodes": [
            {
                "address": node.address,
                "action": node.action,
                "persona": node.persona_id,
                "contract": node.contract_id,
            }
            for node in plan.nodes
        ],
        "edges": [
            {
                "from": edge.source,
                "to": node.address,
                "kind": edge.kind.value,
                "contract": edge.contract_id,
                "states": list(edge.states),
            }
            for node in plan.nodes
            for edge in node.edges
        ],
    }


FORMATS: Final[Mapping[str, Callable[[CompiledPlan], str]]] = {"text": text, "mermaid": mermaid, "dot": dot}
"""Formats written here; "svg" and "json" have their own functions."""
