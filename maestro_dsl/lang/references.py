"""References inside a blueprint, and between a plan and its blueprint: nodes, inputs, literal ids.

Reports REF001, REF002, REF003, REF005, REF006, REF007, and SCH003 about inputs. Expressions
are checked elsewhere; a name inside `{{ }}` is none of this module's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Fix, Related, Severity, Span
from maestro_dsl.lang.edits import respell
from maestro_dsl.lang.model import Kind
from maestro_dsl.lang.quoting import written
from maestro_dsl.lang.suggest import closest, guessed, listed
from maestro_dsl.lang.validators import SchemaProblem, validator_for
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
        for need in node.needs:
            if need.node in names:
                continue
            pointer = ("nodes", node_id, "needs")
            body = written[node_id].get("needs") if isinstance(written, dict) else None  # type: ignore[union-attr]
            if isinstance(body, list):
                span = blueprint.map.value_span((*pointer, body.index(need.node)))
            else:
                span = blueprint.map.key_span((*pointer, need.node))
            message = f'node "{node_id}" needs "{need.node}", which is no node'
            yield undefined(
                "REF001", "undefined-node", span, message, need.node, names, "nodes", text=blueprint.text
            )


def check_unused_inputs(blueprint: Document[Blueprint]) -> Iterator[Diagnostic]:
    """Yield REF007 for every input that no text of the blueprint reads, nor reads misspelt (EXP002)."""
    declared = blueprint.value.inputs
    unread, others = set(declared), set[str]()
    for match in _READ.finditer(blueprint.text) if unread else ():
        name = match[1] or match[2]
        unread.discard(name)
        if not unread:
            return
        if name not in declared:
            others.add(name)
    meant = {closest(name, declared) for name in others}
    for name in declared:
        if name in unread and name not in meant:
            yield Diagnostic(
                code="REF007",
                name="unused-definition",
                severity=Severity.WARNING,
                span=blueprint.map.key_span(("inputs", name)),
                message=f'input "{name}" is never read',
                help=f"use {{{{ inputs.{name} }}}} in a node, or remove it",
            )


def check_inputs(plan: Document[Plan], blueprint: Document[Blueprint]) -> Iterator[Diagnostic]:
    """Yield REF005 for inputs that the blueprint does not declare, REF006 for those it misses.

    An input that is misspelt is one mistake: it is not missing too.
    """
    if plan.is_hole(("inputs",)) or blueprint.is_hole(("inputs",)):
        return
    declared = blueprint.value.inputs
    meant = set[str | None]()
    for name in plan.value.inputs:
        if name not in declared and not blueprint.is_hole(("inputs", name)):
            meant.add(closest(name, declared))
            span = plan.map.key_span(("inputs", name))
            message = f'blueprint "{blueprint.value.id}" has no input "{name}"'
            yield undefined(
                "REF005", "unknown-input", span, message, name, declared, "inputs", text=plan.text
            )
    for name, schema in declared.items():
        if _is_missing(plan, name, schema) and name not in meant and not plan.is_hole(("inputs", name)):
            has_some = plan.map.has(("inputs",))
            yield Diagnostic(
                code="REF006",
                name="missing-input",
                severity=Severity.ERROR,
                span=plan.map.key_span(("inputs",) if has_some else ("blueprint",)),
                message=f'blueprint "{blueprint.value.id}" needs the input "{name}"',
                help=f"add {name} to inputs{_meaning(schema)}",
                related=(Related(span=blueprint.map.key_span(("inputs", name)), message="declared here"),),
            )


def _meaning(schema: object) -> str:
    """Return what may stand in an input, as far as its schema says so in few words."""
    if not isinstance(schema, Mapping):
        return ""
    allowed, kind, meaning = (schema.get(key) for key in ("enum", "type", "description"))
    words = [meaning] if isinstance(meaning, str) else []
    if isinstance(allowed, list):
        words.append(f"one of {listed([written(item) for item in allowed if isinstance(item, str)])}")
    elif isinstance(kind, str):
        words.append(kind)
    return f": {'; '.join(words)}" if words else ""


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


def is_schema(schema: object) -> bool:
    """Return whether an input's schema is a JSON Schema; where it is none, that is reported with it."""
    try:
        validator_for(schema if isinstance(schema, dict) else True)
    except SchemaProblem:
        return False
    return True


def check_input_schemas(blueprint: Document[Blueprint]) -> Iterator[Diagnostic]:
    """Yield SCH003 for inputs whose schema is none, and for defaults that do not meet it."""
    if not isinstance(blueprint.data, dict):
        return
    for name, schema in blueprint.value.inputs.items():
        pointer = ("inputs", name)
        try:
            validator_for(schema if isinstance(schema, dict) else True)
        except SchemaProblem as problem:
            yield _no_schema(blueprint, name, schema, problem)
            continue
        if isinstance(schema, dict) and "default" in schema:
            place = (*pointer, "default")
            yield from check_input(Kind.BLUEPRINT, schema, blueprint.data, place, blueprint.map)


_TYPES: Final = ("array", "boolean", "integer", "null", "number", "object", "string")
_TAKES: Final = {
    "enum": "a list of values",
    "items": "a schema",
    "pattern": "a regular expression",
    "properties": "a mapping of names to schemas",
    "required": "a list of names",
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), "a whole number"),
    **dict.fromkeys(("minimum", "maximum", "multipleOf"), "a number"),
}


def _no_schema(
    blueprint: Document[Blueprint], name: str, schema: object, problem: SchemaProblem
) -> Diagnostic:
    """Return SCH003 for an input whose schema is none, on the part that is wrong."""
    pointer, value = ("inputs", name, *problem.path), schema
    for step in problem.path:
        value = value[step] if isinstance(value, (dict, list)) else None  # type: ignore[index]
    keyword = next((step for step in reversed(problem.path) if isinstance(step, str)), "")
    wanted = _TAKES.get(keyword, "")
    message = f'the schema of input "{name}" is no JSON Schema'
    hint = f"{keyword} takes {wanted}" if wanted else None
    fix = None
    span = blueprint.map.value_span(pointer)
    if keyword == "type" and isinstance(value, str):
        near = closest(value, _TYPES)
        message = f'"{value}" is no type of a JSON Schema'
        hint = guessed(near) + f"types: {', '.join(_TYPES)}"
        if near:
            fix = Fix(title=f'change to "{near}"', edits=(respell(blueprint.text, span, near),), safe=False)
    return Diagnostic(
        code="SCH003",
        name="wrong-type",
        severity=Severity.ERROR,
        span=span,
        message=message,
        help=hint,
        fix=fix,
    )


def check_literal_ids(
    blueprint: Document[Blueprint], team: Iterable[str] | None, contracts: Iterable[str] | None
) -> Iterator[Diagnostic]:
    """Yield REF002 and REF003 for nodes that name a persona or a contract that the plan does not have.

    None says that nobody knows what the plan has.
    """
    members = None if team is None else dict.fromkeys(team)
    promised = None if contracts is None else dict.fromkeys(contracts)
    for node_id, node in blueprint.value.nodes.items():
        if members is not None and node.persona and "{{" not in node.persona and node.persona not in members:
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
        if promised is None or not node.contract:
            continue
        if "{{" not in node.contract and node.contract not in promised:
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
    guess = guessed(close)
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
