"""Documents that the benchmarks read: one big blueprint, a library of many documents, a plan to compile."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "apiVersion: maestro/v1\nkind: "
_NODE = """  step_{number}:
    action: command
    description: Step {number} of pattern {document}
    {needs}: {before}
    when: inputs.level > {number}
    timeout: 15m
    with: {{run: [echo, "{{{{ inputs.level + {number} }}}}th level"]}}
"""


def blueprint(document: int, nodes: int) -> str:
    """Return a blueprint of a chain of nodes, seven lines a node."""
    steps = [
        _NODE.format(
            number=number,
            document=document,
            needs="needs",
            before=f"[step_{number - 1}]" if number else "[]",
        )
        for number in range(nodes)
    ]
    return (
        f"{HEAD}Blueprint\nid: pattern-{document}\nversion: 1.0.0\n"
        f"description: Pattern {document} of a library\n"
        f"inputs: {{level: {{type: integer, default: {document % 9}}}}}\nnodes:\n{''.join(steps)}"
    )


def library(folder: Path, documents: int) -> list[Path]:
    """Write `documents` blueprints of about 100 lines into `folder`."""
    files = []
    for number in range(documents):
        files.append(folder / f"group_{number // 100:02}" / f"pattern-{number}.blueprint.yaml")
        files[-1].parent.mkdir(exist_ok=True)
        files[-1].write_text(blueprint(number, 13))
    return files


_PLAN = {
    "plan.yaml": "Plan\nid: big\nblueprint: big\nteam: {maker: {use: ./maker.persona.yaml}}\n"
    "contracts: [api.contract.yaml]\n",
    "maker.persona.yaml": "Persona\nid: maker\n",
    "api.contract.yaml": "Contract\nid: api\nname: API\nprovider_persona_id: maker\n"
    "deliverables: [{name: all, artifacts: ['*.py']}]\n",
}


def plan_beside(folder: Path, blueprint_text: str) -> Path:
    """Write a project of one persona and one contract around a blueprint called "big"; return its plan."""
    for name, text in _PLAN.items():
        (folder / name).write_text(HEAD + text)
    (folder / "big.blueprint.yaml").write_text(blueprint_text)
    return folder / "plan.yaml"


def compile_project(folder: Path, nodes: int, needs: int) -> Path:
    """Write a plan of steps over a range, each of whose nodes needs `needs` others; return its file."""
    steps = 4 * needs
    lines = []
    for step in range(steps):
        needed = ", ".join(f"step_{before}" for before in range(max(0, step - needs), step))
        run = '"{{ key }}"' if step % 4 == 1 else "b"
        lines.append(
            f"  step_{step}: {{action: command, foreach: range({nodes // steps}), as: n, "
            f"needs: [{needed}], with: {{run: [echo, {run}]}}}}\n"
        )
    return plan_beside(folder, f"{HEAD}Blueprint\nid: big\nnodes:\n{''.join(lines)}")


_BIG_NODE = """  node_{number}:
    action: command
    description: Work item number {number} of the big plan
    needs: [{before}]
    when: inputs.level > {level}
    timeout: 15m
    with: {{run: [echo, "{{{{ inputs.level + {level} }}}}th level"]}}
"""


def big_blueprint(nodes: int) -> str:
    """Return a blueprint of a chain of nodes with at most 100 distinct expressions."""
    steps = [
        _BIG_NODE.format(number=number, before=f"node_{number - 1}" if number else "", level=number % 50)
        for number in range(nodes)
    ]
    inputs = "inputs: {level: {type: integer, default: 7}}\n"
    return f"{HEAD}Blueprint\nid: big\n{inputs}nodes:\n{''.join(steps)}"
