"""Schemas as a template needs them: the fields of an object with all of its parts merged.

Follows references and `allOf`; of alternatives (`oneOf`, `anyOf`) it takes the first that says more, because
a form or an example needs one shape. Checks keep all alternatives: see `checks.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from maestro_dsl.interfaces.openapi.model import Api, Schema

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_DEPTH = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One property of an object."""

    name: str
    schema: Schema
    kind: str
    required: bool = False
    read_only: bool = False
    write_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """An object's fields in the order of the document; `is_closed` where no others may be there."""

    fields: tuple[Field, ...] = ()
    is_closed: bool = False
    is_open: bool = False
    """True where the schema states that other fields are welcome."""

    def field(self, name: str) -> Field | None:
        """Return the field with this name, if there is one."""
        return next((item for item in self.fields if item.name == name), None)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all fields."""
        return tuple(item.name for item in self.fields)

    @property
    def required(self) -> tuple[str, ...]:
        """The names of the fields that must be there."""
        return tuple(item.name for item in self.fields if item.required)


def resolved(api: Api, schema: object) -> dict[str, Any]:
    """Return `schema` with its reference followed; keys beside a reference win. Empty for none."""
    if not isinstance(schema, dict):
        return {}
    target = api.deref(schema)
    if not isinstance(target, dict):
        return {}
    beside = {key: value for key, value in schema.items() if key != "$ref"} if "$ref" in schema else {}
    return {**target, **beside}


def kind_of(api: Api, schema: object, depth: int = 0) -> str:
    """Return the JSON type of a schema: object, array, string, integer, number, boolean, null or any."""
    node = resolved(api, schema)
    types = [item for item in _types(node) if item != "null"]
    if types:
        return types[0] if len(types) == 1 else "any"
    if depth > _MAX_DEPTH:
        return "any"
    if "properties" in node or "additionalProperties" in node:
        return "object"
    if "items" in node:
        return "array"
    values = node.get("enum") or ([node["const"]] if "const" in node else [])
    if isinstance(values, list) and values:
        kinds = {_kind_of_value(value) for value in values if value is not None}
        return kinds.pop() if len(kinds) == 1 else "any"
    for key in ("allOf", "oneOf", "anyOf"):
        kinds = {kind_of(api, part, depth + 1) for part in _parts(node, key)} - {"any", "null"}
        if len(kinds) == 1:
            return kinds.pop()
    return "any"


def is_nullable(api: Api, schema: object) -> bool:
    """Return whether null is a value of the schema."""
    node = resolved(api, schema)
    if node.get("nullable") is True or "null" in _types(node):
        return True
    alternatives = [*_parts(node, "oneOf"), *_parts(node, "anyOf")]
    return any(_types(resolved(api, part)) == ["null"] for part in alternatives)


def shape_of(api: Api, schema: object) -> Shape:
    """Return the fields of an object schema; no fields where it is none."""
    return _shape(api, schema, 0)


def items_of(api: Api, schema: object) -> Schema | None:
    """Return the schema of an array's items, or None where the schema is no array."""
    node = resolved(api, schema)
    if kind_of(api, schema) != "array":
        return None
    items = node.get("items")
    if items is None:
        items = next((found for part in _parts(node, "allOf") if (found := items_of(api, part))), None)
    return items if isinstance(items, (dict, bool)) else {}


def _shape(api: Api, schema: object, depth: int) -> Shape:
    node = resolved(api, schema)
    if depth > _MAX_DEPTH:
        return Shape()
    fields: dict[str, Field] = {}
    is_closed = node.get("additionalProperties") is False or node.get("unevaluatedProperties") is False
    extra = node.get("additionalProperties")
    is_open = extra is True or isinstance(extra, dict)
    for part, is_certain in _merged_parts(api, node):
        inner = _shape(api, part, depth + 1)
        is_closed = is_closed or (inner.is_closed and is_certain)
        is_open = is_open or inner.is_open or not is_certain
        for item in inner.fields:
            found = item if is_certain else replace(item, required=False)
            fields[item.name] = _joined(fields.get(item.name), found)
    properties = node.get("properties")
    for name, raw in properties.items() if isinstance(properties, dict) else ():
        if isinstance(raw, (dict, bool)) and raw is not False:
            fields[name] = _joined(fields.get(name), _field(api, name, raw))
    required = node.get("required")
    for name in required if isinstance(required, list) else ():
        if name in fields:
            fields[name] = replace(fields[name], required=True)
    return Shape(fields=tuple(fields.values()), is_closed=is_closed, is_open=is_open)


def _merged_parts(api: Api, node: dict[str, Any]) -> Iterator[tuple[object, bool]]:
    yield from ((part, True) for part in _parts(node, "allOf"))
    for key in ("oneOf", "anyOf"):
        alternatives = [part for part in _parts(node, key) if kind_of(api, part) == "object"]
        if alternatives:
            yield alternatives[0], False


def _field(api: Api, name: str, schema: Schema) -> Field:
    node = resolved(api, schema)
    return Field(
        name=name,
        schema=schema,
        kind=kind_of(api, schema),
        read_only=node.get("readOnly") is True,
        write_only=node.get("writeOnly") is True,
    )


def _joined(before: Field | None, now: Field) -> Field:
    if before is None:
        return now
    says_more = now if now.kind != "any" else before
    return replace(
        says_more,
        required=before.required or now.required,
        read_only=before.read_only or now.read_only,
        write_only=before.write_only or now.write_only,
    )


def _types(node: dict[str, Any]) -> list[str]:
    raw = node.get("type")
    if isinstance(raw, str):
        return [raw]
    return [item for item in raw if isinstance(item, str)] if isinstance(raw, list) else []


def _parts(node: dict[str, Any], key: str) -> list[object]:
    raw = node.get(key)
    return raw if isinstance(raw, list) else []


def _kind_of_value(value: object) -> str:
    for kind, name in (
        (bool, "boolean"),
        (int, "integer"),
        (float, "number"),
        (str, "string"),
        (list, "array"),
    ):
        if isinstance(value, kind):
            return name
    return "object"
