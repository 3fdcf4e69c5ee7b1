from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from maestro_dsl.codec import to_json
from maestro_dsl.lang.model import Against, Contract, Kind, Plan
from maestro_dsl.lang.read import read_content
from maestro_dsl.lang.validators import schema_of

if TYPE_CHECKING:
    from maestro_dsl.diagnostics import Diagnostic

GOLDEN = Path(__file__).parents[2] / "golden" / "err"
HEADER = "apiVersion: maestro/v1\n"


def find(text: str) -> list[Diagnostic]:
    return list(read_content(text.encode(), Path("f.yaml"), "f.yaml").diagnostics)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.yaml")), ids=lambda path: path.stem)
def test_golden_errors(path: Path) -> None:
    found = read_content(path.read_bytes(), path, path.name).diagnostics
    actual = json.dumps([to_json(item) for item in found], indent=2, ensure_ascii=False) + "\n"
    expected = path.with_suffix(".json")
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(actual, "utf-8")
    assert actual == expected.read_text("utf-8")


def test_a_contract_needs_four_keys_only() -> None:
    text = HEADER + (
        "kind: Contract\nid: api\nname: API\nprovider_persona_id: dev\n"
        "deliverables: [{name: api, artifacts: ['*.py']}]\n"
    )
    read = read_content(text.encode(), Path("f"), "f")
    assert read.diagnostics.items == []
    assert read.document is not None
    value = read.document.value
    assert isinstance(value, Contract)
    assert value.deliverables[0].against is Against.MOCK
    assert (value.version, value.start, value.mock_available) == ("1.0.0", ("python", "server.py"), True)


def test_an_error_masks_only_its_own_subtree() -> None:
    text = HEADER + (
        "kind: Plan\nid: p\nblueprint: b\n"
        "team: {a: {use: core/a, max_attempts: x}, b: {}, c: {use: core/c}}\n"
        "contracts: [one, 2, three]\nexecution: {schedule: never, max_concurrency: 3}\n"
    )
    read = read_content(text.encode(), Path("f"), "f")
    assert read.document is not None
    plan = read.document.value
    assert isinstance(plan, Plan)
    assert list(plan.team) == ["a", "c"]
    assert plan.team["a"].max_attempts is None
    assert plan.contracts == ("one", "three")
    assert (plan.execution.schedule, plan.execution.max_concurrency) == (None, 3)
    assert read.document.is_hole(("execution", "schedule"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "an empty file"),
        ("[1]", "a document must be a mapping, not a list"),
        ("kind: Robot\n", 'missing "apiVersion"'),
        ("apiVersion: kyverno.io/v1\nkind: Policy\n", 'unknown apiVersion "kyverno.io/v1"'),
        ("apiVersion: maestro/v2\nkind: Plan\n", 'unknown apiVersion "maestro/v2"'),
        (HEADER + "kind: Robot\n", 'unknown kind "Robot"'),
        (HEADER + "kind: [1]\n", "unknown kind [1]"),
    ],
)
def test_what_is_no_document_is_sch005(text: str, message: str) -> None:
    (found,) = find(text)
    assert (found.code, found.message) == ("SCH005", message)


def test_a_misspelt_kind_hides_nothing_else() -> None:
    found = find(HEADER + "kind: Persna\nid: a\nrole: b\nmodell: d\n")
    assert [item.code for item in found] == ["SCH005", "SCH001", "SCH001"]


@pytest.mark.parametrize(
    "first", ["", "apiVersion: maestro.dev/v1\n", "apiVersion: meastro/v1\n", "apiVersion: 1\n"]
)
def test_a_misspelt_version_hides_nothing_else(first: str) -> None:
    found = find(first + "kind: Persona\nid: a\nrole: b\nprompt: c\nmodell: d\n")
    assert [item.code for item in found][:2] == ["SCH005", "SCH001"]


def walk(schema: Any, where: str) -> list[str]:
    """Return the keys of a schema that lack title, description or examples."""
    lacking = []
    if isinstance(schema, dict):
        for name, key in schema.get("properties", {}).items():
            is_condition = "/if/" in where or "/then/" in where
            if not is_condition and not {"title", "description", "examples"} <= key.keys():
                lacking.append(f"{where}/{name}")
            if not is_condition and not key.get("examples"):
                lacking.append(f"{where}/{name} (no example)")
        for name, part in schema.items():
            lacking += walk(part, f"{where}/{name}/")
    elif isinstance(schema, list):
        for part in schema:
            lacking += walk(part, where)
    return lacking


@pytest.mark.parametrize("kind", [*Kind, "shared"])
def test_every_key_has_title_description_and_example(kind: Kind | str) -> None:
    assert walk(schema_of(kind), str(kind)) == []


def test_every_action_of_the_language_is_accepted() -> None:
    actions = [
        "analyze",
        "design_contracts",
        "mock",
        "fulfil",
        "verify",
        "review",
        "propose",
        "critique",
        "vote",
        "judge",
        "approve",
        "report",
    ]
    nodes = "".join(f"  n_{action}: {{action: {action}}}\n" for action in actions)
    special = (
        "  a: {action: command, with: {run: [x]}}\n  b: {action: render, with: {path: x, text: y}}\n"
        "  c: {action: plan, with: {file: x.plan.yaml}}\n"
    )
    assert find(HEADER + "kind: Blueprint\nid: b\nnodes:\n" + nodes + special) == []
