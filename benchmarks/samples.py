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
_DELIVERABLE = """  - name: part_{number}
    description: Part {number} of interface {document}, with all that belongs to it
    artifacts: ["part_{number}/**/*.py", "part_{number}/README.md"]
    expected_files: 4
    estimate: 30m
    acceptance_criteria:
      - check: command
        run: [python, -m, unittest, discover, part_{number}]
      - Errors name the field that was wrong
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


def contract(document: int, deliverables: int) -> str:
    """Return a contract, nine lines a deliverable."""
    parts = "".join(_DELIVERABLE.format(number=number, document=document) for number in range(deliverables))
    return (
        f"{HEAD}Contract\nid: contract_{document}\nname: Contract {document}\nversion: 1.0.0\n"
        f"description: What team {document} promises\nprovider_persona_id: maker\nestimate: 4h\n"
        f"deliverables:\n{parts}"
    )


def library(folder: Path, documents: int) -> list[Path]:
    """Write `documents` documents of about 100 lines into `folder`: as many blueprints as contracts."""
    files = []
    for number in range(documents):
        if number % 2:
            name, text = f"pattern-{number}.blueprint.yaml", blueprint(number, 13)
        else:
            name, text = f"contract_{number}.contract.yaml", contract(number, 10)
        files.append(folder / f"group_{number // 100:02}" / name)
        files[-1].parent.mkdir(exist_ok=True)
        files[-1].write_text(text)
    return files
