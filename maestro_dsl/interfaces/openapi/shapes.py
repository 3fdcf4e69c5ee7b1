"""What a schema looks like from outside: its type, properties, items, through `$ref` and `allOf`.

Answers for reading only, approximate where a schema has alternatives (the first one counts); whether a value
is valid is for `validate`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.interfaces.openapi.model import Api, Schema

_MAX_DEPTH = 12


def properties(api: Api, schema: Schema | None) -> Mapping[str, Schema]:
    """Return the properties of an object schema by name, those of `allOf` parts included."""
    found: dict[str, Schema] = {}
    for part in _parts(api, schema, 0):
        found.update(_dict(part.get("properties")))
    return found


def required(api: Api, schema: Schema | None) -> tuple[str, ...]:
    """Return the names that must be present, in the order they are first named."""
    names: dict[str, None] = {}
    for part in _parts(api, schema, 0):
        listed = part.get("required")
        for name in listed if isinstance(listed, list) else []:
            if isinstance(name, str):
                names[name] = None
    return tuple(names)


def type_of(api: Api, schema: Schema | None) -> str:
    """Return "object", "array", "string", "integer", "number", "boolean", "null" or "" where unsaid."""
    for part in _parts(api, schema, 0):
        kind = part.get("type")
        if isinstance(kind, list):
            kind = next((item for item in kind if item != "null"), "null")
        if isinstance(kind, str):
            return kind
        if "properties" in part or "additionalProperties" in part:
            return "object"
        if "items" in part:
            return "array"
        values = part.get("enum")
        if isinstance(values, list) and values and all(isinstance(item, str) for item in values):
            return "string"
    return ""


def items(api: Api, schema: Schema | None) -> Schema | None:
    """Return the schema of an array's items, None where it is no array with items."""
    for part in _parts(api, schema, 0):
        entry = part.get("items")
        if isinstance(entry, (dict, bool)):
            return entry
    return None


def keyword(api: Api, schema: Schema | None, name: str) -> Any:
    """Return the value of the keyword `name` in the schema or its `allOf` parts, None where unsaid."""
    return next((part[name] for part in _parts(api, schema, 0) if name in part), None)


def ref_name(schema: Schema | None) -> str | None:
    """Return "Pet" for a reference to "#/components/schemas/Pet", else None."""
    ref = schema.get("$ref") if isinstance(schema, dict) else None
    prefix = "#/components/schemas/"
    return ref.removeprefix(prefix) if isinstance(ref, str) and ref.startswith(prefix) else None


def _parts(api: Api, schema: Schema | None, depth: int) -> list[dict[str, Any]]:
    """Return the schema and everything that holds together with it; later parts refine earlier ones."""
    node = api.deref(schema)
    if depth > _MAX_DEPTH or not isinstance(node, dict):
        return []
    found = [node]
    if isinstance(schema, dict) and "$ref" in schema and len(schema) > 1 and api.is_31:
        found.insert(0, {key: value for key, value in schema.items() if key != "$ref"})
    for part in _list(node.get("allOf")):
        found += _parts(api, part, depth + 1)
    if len(found) == 1 and not ({"properties", "items", "type"} & node.keys()):
        for key in ("oneOf", "anyOf"):
            options = [option for option in _list(node.get(key)) if _dict(option).get("type") != "null"]
            if options:
                return found + _parts(api, options[0], depth + 1)
    return found


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
