"""References inside a blueprint, and between a plan and its blueprint: nodes, inputs, literal ids.

Reports REF001, REF002, REF003, REF005, REF006, REF007, and SCH003 about inputs. Expressions
are checked elsewhere; a name inside `{{ }}` is none of this module's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Fix, Severity, Span
from maestro_dsl.lang.edits import respell
from maestro_dsl.lang.model import Kind
from maestro_dsl.lang.suggest import closest, listed
from maestro_dsl.lang.validators import validator_for
from maestro_dsl.lang.values import check_input

if TYPE_CHECKING:
    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import Blueprint, Plan


_READ: Final = re.compile(r"inputs(?<!\winputs)\s*(?:\.\s*(\w+)|\[\s*['\"]([^'\"]*)['\"]\s*\])")
"""A word first, since that is looked for ten times as quickly as a border between words."""


def check_needs(blueprint: Document[Blueprint]) -> Iterator[Diagnostic]:
    """Yield REF001 for every `needs` that names no node of the blueprint."""
    written = blueprint.data.get("nodes", {}) if isinstance(blueprint.data, dict) else {}
    names = dict.fromkeys(written) if isinstance(written, dict) else {}
    for node_id, node in blueprint.value.nodes.items():
        pointer = ("nodes", node_id, "needs")
        body = written[node_id].get("needs") if isinstance(written, dict) else None  # type: ignore[union-attr]
        for need in node.needs:
            if need.node in names:
                continue
            if isinstance(body, list):
                span = blueprint.map.value_span((*pointer, body.index(need.node)))
            else:
                span = blueprint.map.key_span((*pointer, need.node))
            message = f'node "{node_id}" needs "{need.node}", which is no node'
            yield undefined(
                "REF001", "undefined-node", span, message, need.node, names, "nodes", text=blueprint.text
            )


def check_unused_inputs(blueprint: Document[Blueprint]) -> Iterator[Diagnostic]:
    """Yield REF007 for every input that no text of the blueprint reads."""
    unread = set(blueprint.value.inputs)
    for match in _READ.finditer(blueprint.text) if unread else ():
        unread.difference_update(match.groups())
        if not unread:
            return
    for name in blueprint.value.inputs:
        if name in unread:
            yield Diagnostic(
                code="REF007",
                name="unused-definition",
                severity=Severity.WARNING,
                span=blueprint.map.key_span(("inputs", name)),
                message=f'input "{name}" is never read',
                help=f"use {{{{ inputs.{name} }}}} in a node, or remove it",
            )


def check_inputs(plan: Document[Plan], blueprint: Document[Blueprint]) -> Iterator[Diagnostic]:
    """Yield REF005 for inputs that the blueprint does not declare, REF006 for those it misses."""
    if plan.is_hole(("inputs",)) or blueprint.is_hole(("inputs",)):
        return
    declared = blueprint.value.inputs
    for name in plan.value.inputs:
        if name not in declared:
            span = plan.map.key_span(("inputs", name))
            message = f'blueprint "{blueprint.value.id}" has no input "{name}"'
            yield undefined(
                "REF005", "unknown-input", span, message, name, declared, "inputs", text=plan.text
            )
    for name, schema in declared.items():
        if _is_missing(plan, name, schema):
            span = plan.map.key_span(("inputs",) if plan.map.has(("inputs",)) else ("blueprint",))
            meaning = schema.get("description") if isinstance(schema, Mapping) else None
            yield Diagnostic(
                code="REF006",
                name="missing-input",
                severity=Severity.ERROR,
                span=span,
                message=f'blueprint "{blueprint.value.id}" needs the input "{name}"',
                help=f"{name}: {meaning}" if isinstance(meaning, str) else None,
            )


def has_inputs(plan: Document[Plan], blueprint: Document[Blueprint]) -> bool:
    """Return whether `plan` gives all that `blueprint` needs, so that REF006 says nothing."""
    if plan.is_hole(("inputs",)) or blueprint.is_hole(("inputs",)):
        return True
    return not any(_is_missing(plan, name, schema) for name, schema in blueprint.value.inputs.items())


def _is_missing(plan: Document[Plan], name: str, schema: object) -> bool:
    has_default = isinstance(schema, Mapping) and "default" in schema
    return not has_default and name not in plan.value.inputs


def check_input_values(plan: Document[Plan], blueprint: Document[Blueprint]) -> Iterator[Diagnostic]:
    """Yield SCH003 and its like for inputs of a plan that do not meet the blueprint's schema."""
    given = plan.data.get("inputs") if isinstance(plan.data, dict) else None
    if not isinstance(plan.data, dict) or not isinstance(given, dict):
        return
    for name in plan.value.inputs:
        schema = blueprint.value.inputs.get(name)
        if schema is None:
            continue
        with suppress(ValueError):  # reported where the schema stands
            yield from check_input(Kind.PLAN, schema, plan.data, ("inputs", name), plan.map)


def check_input_schemas(blueprint: Document[Blueprint]) -> Iterator[Diagnostic]:
    """Yield SCH003 for inputs whose schema is none, and for defaults that do not meet it."""
    if not isinstance(blueprint.data, dict):
        return
    for name, schema in blueprint.value.inputs.items():
        pointer = ("inputs", name)
        try:
            validator_for(schema if isinstance(schema, dict) else True)
        except ValueError as error:
            yield Diagnostic(
                code="SCH003",
                name="wrong-type",
                severity=Severity.ERROR,
                span=blueprint.map.value_span(pointer),
                message=f'the schema of input "{name}" is no JSON Schema: {error}',
            )
            continue
        if isinstance(schema, dict) and "default" in schema:
            place = (*pointer, "default")
            yield from check_input(Kind.BLUEPRINT, schema, blueprint.data, place, blueprint.map)


def check_literal_ids(
    blueprint: Document[Blueprint], team: Iterable[str], contracts: Iterable[str]
) -> Iterator[Diagnostic]:
    """Yield REF002 and REF003 for nodes that name a persona or a contract that the plan does not have."""
    members, promised = dict.fromkeys(team), dict.fromkeys(contracts)
    for node_id, node in blueprint.value.nodes.items():
        if node.persona is not None and "{{" not in node.persona and node.persona not in members:
            span = blueprint.map.value_span(("nodes", node_id, "persona"))
            message = f'"{node.persona}" is no member of the plan\'s team'
            yield undefined(
                "REF002",
                "undefined-persona",
                span,
                message,
                node.persona,
                members,
                "team",
                text=blueprint.text,
            )
        if node.contract is not None and "{{" not in node.contract and node.contract not in promised:
            span = blueprint.map.value_span(("nodes", node_id, "contract"))
            message = f'"{node.contract}" is no contract of the plan'
            yield undefined(
                "REF003",
                "undefined-contract",
                span,
                message,
                node.contract,
                promised,
                "contracts",
                text=blueprint.text,
            )


def undefined(
    code: str,
    name: str,
    span: Span,
    message: str,
    word: str,
    options: Iterable[str],
    noun: str,
    *,
    text: str | None = None,
) -> Diagnostic:
    """Return a finding about `word`, which is none of `options`, with the closest of them.

    With the text that it stands in, the finding carries the fix.
    """
    valid = list(options)
    close = closest(word, valid)
    guess = f'did you mean "{close}"? ' if close else ""
    fix = None
    if close and text is not None:
        fix = Fix(title=f'change to "{close}"', edits=(respell(text, span, close),), safe=False)
    return Diagnostic(
        code=code,
        name=name,
        severity=Severity.ERROR,
        span=span,
        message=message,
        help=f"{guess}{noun}: {listed(valid) or 'none'}",
        fix=fix,
    )
