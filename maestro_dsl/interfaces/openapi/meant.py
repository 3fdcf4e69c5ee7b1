"""What a schema means that no value can satisfy as it is written, where only one reading makes sense.

Documents in the wild list `[10, 20]` for a string (their YAML lacks the quotes), the values of a list's items
for the list, `type: null` beside alternatives, patterns as JavaScript writes them, and require what they
forbid. Taken at its word such a schema allows nothing: the mock could not answer, and would refuse all.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int, float),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}
_READERS: dict[str, Callable[[str], Any]] = {"integer": int, "number": float, "boolean": json.loads}
_LITERAL = re.compile(r"/(\^.*|.*\$)/[a-z]*", re.DOTALL)


def meant(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a tidy schema, or the one it stands for where its keywords exclude each other."""
    kind = schema.get("type")
    if kind == "null" and ("oneOf" in schema or "anyOf" in schema):
        return {**{key: value for key, value in schema.items() if key != "type"}, "nullable": True}
    if "enum" in schema and isinstance(kind, str):
        found = _by_values(schema, kind, schema["enum"])
        is_told = kind == "string" and "format" in found and "enum" in found
        return {key: value for key, value in found.items() if key != "format"} if is_told else found
    if schema.get("additionalProperties") is False and "required" in schema:
        return _without_forbidden(schema)
    literal = _LITERAL.fullmatch(schema["pattern"]) if "pattern" in schema else None
    return schema if literal is None else {**schema, "pattern": literal[1]}


def _by_values(schema: dict[str, Any], kind: str, values: list[Any]) -> dict[str, Any]:
    """Return the schema with type and values brought together, where no value has the type."""
    if kind not in _KINDS or any(_has_type(kind, value) for value in values):
        return schema
    stated = [value for value in values if value is not None]
    if not stated:
        return schema
    if kind == "array":
        rest = {key: value for key, value in schema.items() if key != "enum"}
        items = schema.get("items")
        is_free = isinstance(items, dict) and not {"enum", "const", "$ref"} & items.keys()
        return {**rest, "items": {**items, "enum": stated}} if is_free and isinstance(items, dict) else rest
    read = [_converted(kind, value) for value in stated]
    if all(_has_type(kind, value) for value in read):
        return {**schema, "enum": read}
    return {key: value for key, value in schema.items() if key not in {"type", "format"}}


def _without_forbidden(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema without required names that it allows nowhere: they were removed or renamed."""
    if "patternProperties" in schema:
        return schema
    allowed = schema.get("properties", {})
    kept = [name for name in schema["required"] if name in allowed]
    return schema if len(kept) == len(schema["required"]) else {**schema, "required": kept}


def _has_type(kind: str, value: Any) -> bool:
    return isinstance(value, _KINDS[kind]) and (kind == "boolean") == isinstance(value, bool)


def _converted(kind: str, value: Any) -> Any:
    """Return `value` written as `kind`, or as it is where that is not possible."""
    if kind == "string" and isinstance(value, (bool, int, float)):
        return json.dumps(value)
    read = _READERS.get(kind)
    if read is None or not isinstance(value, str):
        return value
    try:
        return read(value)
    except ValueError:
        return value
