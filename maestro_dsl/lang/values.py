"""Checks values that are known late: inputs against a blueprint's schemas, rendered parameters of a node.

The grammar of whole documents is checked in `maestro_dsl.lang.schema`, whose words are used here.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from maestro_dsl.lang.model import Kind
from maestro_dsl.lang.schema import Explainer
from maestro_dsl.lang.validators import schema_of, validator_for, validator_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.diagnostics import Diagnostic
    from maestro_dsl.lang.model import Json
    from maestro_dsl.lang.sourcemap import Pointer, SourceMap
    from maestro_dsl.lang.validators import Validator


def check_input(
    kind: Kind, schema: Json, data: dict[str, Json], pointer: Pointer, source: SourceMap
) -> list[Diagnostic]:
    """Return what an input's `schema` says about the value that stands at `pointer` in a document's `data`.

    Raises:
        ValueError: `schema` is no JSON Schema.
    """
    if not isinstance(schema, (dict, bool)):
        return []
    value: Json = data
    for step in pointer:
        value = value[step]  # type: ignore[index]  # the pointer was made from the data
    breaches = list(validator_for(schema).violations(value))
    if not breaches:
        return []
    explain = Explainer(kind, data, source, root=schema if isinstance(schema, dict) else {})
    found: list[Diagnostic] = []
    untyped = {breach.pointer for breach in breaches if breach.keyword == "type"}
    for breach in breaches:
        if breach.keyword in {"enum", "const"} and breach.pointer in untyped:
            continue  # one mistake, one finding
        found += explain.diagnostics(replace(breach, pointer=(*pointer, *breach.pointer)))
    return found


def check_params(
    node_id: str, action: str, params: Mapping[str, Json], source: SourceMap
) -> list[Diagnostic]:
    """Return what the grammar says about the rendered parameters (`with`) of a node of a blueprint."""
    validator = validator_of_params(action)
    if validator is None or validator.is_valid(params if type(params) is dict else dict(params)):
        return []
    whole: dict[str, Json] = {"nodes": {node_id: {"with": dict(params)}}}
    explain = Explainer(Kind.BLUEPRINT, whole, source, is_rendered=True)
    found: list[Diagnostic] = []
    for breach in validator.violations(dict(params)):
        path = ("$defs", f"with_{action}", *breach.schema_path)
        pointer = ("nodes", node_id, "with", *breach.pointer)
        found += explain.diagnostics(replace(breach, pointer=pointer, schema_path=path))
    return found


@cache
def validator_of_params(action: str) -> Validator | None:
    """Return what judges the parameters (`with`) of an action; None where the grammar says nothing."""
    definition = f"with_{action}"
    if definition not in schema_of(Kind.BLUEPRINT)["$defs"]:
        return None
    return validator_of(Kind.BLUEPRINT, definition)
