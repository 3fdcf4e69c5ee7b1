"""The first values of fields that no client sends: keys, times, defaults, and the neutral value of a type.

Nothing is made up: a field that must be in an answer and has no such value makes its operation impossible.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from maestro_dsl.providers.scaffold.names import words
from maestro_dsl.providers.scaffold.pysource import show
from maestro_dsl.providers.scaffold.samples import bounds
from maestro_dsl.providers.scaffold.service import Resource, Step, Verb
from maestro_dsl.providers.scaffold.shapes import is_nullable, kind_of, resolved, shape_of

if TYPE_CHECKING:
    from maestro_dsl.interfaces.openapi.model import Api, Schema

NOW, TODAY, NEW_UUID = "now()", "today()", "str(uuid4())"
_MAX_DEPTH = 4
NOTHING = object()
"""No value is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Starts:
    """`values`: field → Python expression; `impossible`: fields that must be shown and have no value."""

    values: Mapping[str, str] = field(default_factory=dict)
    impossible: frozenset[str] = frozenset()


def first_values(api: Api, resource: Resource, steps: Mapping[Verb, Step]) -> Starts:
    """Return the first value of every field that answers promise, or defaults give, and clients may omit."""
    maker = steps.get(Verb.CREATE) or steps.get(Verb.REPLACE) or steps.get(Verb.PATCH)
    if maker is None:
        return Starts()
    sent = shape_of(api, maker.body)
    always_sent = {item.name for item in sent.fields if item.required and not item.read_only}
    promised = _promised(api, steps)
    values: dict[str, str] = {}
    impossible: set[str] = set()
    for item in (*sent.fields, *resource.shape.fields):
        if item.name in always_sent or item.name == resource.key or item.name in values:
            continue
        if item.write_only and item.name not in promised:
            continue
        declared = sent.field(item.name)
        schema = item.schema if declared is None or declared.read_only else declared.schema
        is_time = _is_own_time(api, item.name, item.schema) and (declared is None or declared.read_only)
        has_default = resolved(api, schema).get("default") is not None
        if item.name not in promised and not has_default and not is_time:
            continue
        value = first_value(api, schema)
        if value is not None:
            values[item.name] = value
        elif item.name in promised:
            impossible.add(item.name)
    # what a single lacks stays as it was at first
    return Starts(values=values, impossible=frozenset(() if resource.is_single else impossible))


def first_value(api: Api, schema: Schema) -> str | None:
    """Return the Python expression of a field's first value, or None where nothing says what it is."""
    node = resolved(api, schema)
    if node.get("format") in {"date-time", "date"} and "default" not in node:
        return NOW if node["format"] == "date-time" else TODAY
    if node.get("format") == "uuid" and "default" not in node:
        return NEW_UUID
    value = neutral(api, schema)
    return None if value is NOTHING else show(value)


def _is_own_time(api: Api, name: str, schema: Schema) -> bool:
    """Return whether the service knows this time by itself: when the thing was made or last changed."""
    is_time = resolved(api, schema).get("format") in {"date-time", "date"}
    return is_time and ((words(name) or [""])[0] in {"created", "creation", "added"} or is_changing(name))


def is_changing(name: str) -> bool:
    """Return whether the field holds the time of the last change."""
    return bool(re.match(r"(updated?|modified|modification|changed)$", (words(name) or [""])[0]))


def _promised(api: Api, steps: Mapping[Verb, Step]) -> set[str]:
    shapes = [shape_of(api, step.item or step.answer or {}) for step in steps.values()]
    return {name for shape in shapes for name in shape.required}


def neutral(api: Api, schema: object, depth: int = 0) -> Any:
    """Return the default of a schema, else its first choice or empty value; `NOTHING` where it has none."""
    node = resolved(api, schema)
    if "default" in node:
        return node["default"]
    if "const" in node:
        return node["const"]
    if isinstance(node.get("enum"), list) and node["enum"]:
        return node["enum"][0]
    if is_nullable(api, schema):
        return None
    kind = kind_of(api, schema)
    if kind in {"integer", "number"}:
        low, high = bounds(node)
        return low if low is not None and low > 0 else high if high is not None and high < 0 else 0
    if kind == "object":
        return _neutral_object(api, schema, depth)
    simple: dict[str, Any] = {"boolean": False, "null": None}
    if kind == "array" and not node.get("minItems"):
        return []
    if kind == "string" and not node.get("minLength") and not {"pattern", "format"} & node.keys():
        return ""
    return simple.get(kind, NOTHING)


def _neutral_object(api: Api, schema: object, depth: int) -> Any:
    shape = shape_of(api, schema)
    if depth > _MAX_DEPTH:
        return NOTHING
    made = {name: neutral(api, shape.field(name).schema, depth + 1) for name in shape.required}  # type: ignore[union-attr]
    return NOTHING if any(value is NOTHING for value in made.values()) else made
