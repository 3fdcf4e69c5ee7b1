"""Nodes whose texts are equal are looked at together, and what is found is found for each of them."""

from dataclasses import is_dataclass
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from maestro_dsl.app import lint
from maestro_dsl.lang.decode import decode
from maestro_dsl.lang.model import Kind, Need, NodeSpec

HEAD = "apiVersion: maestro/v1\nkind: "
FILES = {
    "plan.yaml": "Plan\nid: p\nblueprint: b\nteam: {m: {use: ./m.persona.yaml}}\n",
    "m.persona.yaml": "Persona\nid: m\n",
}
INPUTS = "inputs: {n: {type: integer, default: 7}, any: {type: string, default: a}, token: {default: b}}\n"
BODIES = {
    'action: command, with: {run: [echo, "{{ inputs.n + 1 }}th"]}, when: inputs.n > 2': {"RUN001"},
    'action: command, with: {run: [echo, "{{ inputs.nope }}"]}': {"EXP002", "RUN001"},
    'action: command, with: {run: [echo, "{{ inputs.n"]}': {"EXP001", "RUN001"},
    "action: command, with: {run: [echo, 1, 1.0, true]}": {"SCH003", "RUN001"},
    'action: command, with: {run: "{{ inputs.n }}"}': {"SCH003", "RUN001"},
    'action: command, with: {run: ["{{ inputs.any }}"]}': {"SEC002", "RUN001"},
    'action: command, with: {run: [echo, "{{ inputs.token }}"]}': {"EXP003", "RUN001", "SEC003"},
    'action: command, with: {run: [echo, "{{ 1 // 0 }}"]}': {"EXP003", "RUN001"},
    "action: command, with: {run: [a]}, when: 1 == 1": {"EXP004", "RUN001"},
    'action: command, with: {run: [a]}, when: "{{ inputs.n > 1 }}"': {"EXP005", "RUN001"},
    'action: command, persona: "{{ inputs.any }}", with: {run: [a]}': {"REF002", "RUN001"},
    'action: command, with: {run: [echo, "{{ nodes.first.outputs.exit_code }}"]}': {"GRF003", "RUN001"},
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        Path(name).write_text(HEAD + text)


def findings(bodies: dict[str, str]) -> dict[str, set[tuple[str, int, str]]]:
    """Return what is found in each node, its name taken out."""
    nodes = "".join(f"  {name}: {{{body}}}\n" for name, body in bodies.items())
    head = f"{HEAD}Blueprint\nid: b\n{INPUTS}nodes:\n  first: {{action: command, with: {{run: [a]}}}}\n"
    Path("b.blueprint.yaml").write_text(head + nodes)
    found = [item for item in lint([], environ={}).diagnostics if item.span.file == "b.blueprint.yaml"]
    first = head.count("\n") + 1
    return {
        name: {
            (item.code, item.span.column, item.message.replace(name, "NODE"))
            for item in found
            if item.span.line == first + place
        }
        for place, name in enumerate(bodies)
    }


@pytest.mark.parametrize("body", BODIES)
def test_each_of_several_is_told_of_what_one_alone_is(body):
    alone = findings({"one": body})["one"]
    assert {code for code, _, _ in alone} == BODIES[body]
    together = findings({"one": body, "two": body, "mid": next(iter(BODIES)), "six": body})
    assert together["one"] == together["two"] == together["six"] == alone


def test_equal_parameters_are_one_value_and_what_only_compares_equal_is_not():
    values = [1, 1.0, True, "1", None, -0.0, 0.0, [1], {"a": 1}]
    nodes = {
        f"n{place}_{again}": {"action": "command", "with": {"run": ["a", value]}}
        for place, value in enumerate(values)
        for again in range(2)
    }
    found = decode(Kind.BLUEPRINT, {"nodes": nodes}).nodes
    for place, value in enumerate(values):
        first, second = found[f"n{place}_0"].params, found[f"n{place}_1"].params
        assert first is second
        assert repr(first["run"][1]) == repr(value)
    assert len({id(node.params) for node in found.values()}) == len(values)


def test_parameters_with_a_hole_are_not_shared():
    nodes = {name: {"action": "command", "with": {"run": ["a", 5]}} for name in ("one", "two")}
    found = decode(Kind.BLUEPRINT, {"nodes": nodes}, (("nodes", "one", "with", "run", 1),)).nodes
    assert found["two"].params == {"run": ["a", 5]}
    assert found["one"].params is not found["two"].params


def test_no_part_of_a_node_has_required_keys():
    parts = [kind for hint in get_type_hints(NodeSpec).values() for kind in (hint, *get_args(hint))]
    known = [kind for kind in parts if isinstance(kind, type) and is_dataclass(kind) and kind is not Need]
    assert [kind.__name__ for kind in known] == ["RetrySettings"]
    assert all(kind() for kind in known)
