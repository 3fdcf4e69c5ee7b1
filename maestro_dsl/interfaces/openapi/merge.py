"""One flat schema from a schema's reference, its `allOf` parts and a chosen alternative, for making values.

Approximate on purpose (patterns and negations of several parts are not combined): what is made from the
result is validated against the real schema afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maestro_dsl.interfaces.chance import hash32
from maestro_dsl.interfaces.openapi.dialect import discriminator_values
from maestro_dsl.interfaces.openapi.meant import meant
from maestro_dsl.interfaces.openapi.tidy import tidy

if TYPE_CHECKING:
    from maestro_dsl.interfaces.openapi.model import Api

MADE = "x-maestro-made"
"""Marks a schema that is not part of the document, so nobody keeps a validator for it."""

_MAX_DEPTH = 16
_LOWER = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains"}
_UPPER = {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains"}


def flatten(api: Api, schema: Any, seed: str, *, shift: int = 0, depth: int = 0) -> dict[str, Any]:
    """Return what holds for a value of `schema`; alternatives are chosen by `seed`, others by `shift`."""
    if not isinstance(schema, dict) or depth > _MAX_DEPTH:
        return {}
    schema = meant(tidy(schema))
    target = api.deref(schema) if "$ref" in schema else schema
    result: dict[str, Any] = {}
    if target is not schema:
        if api.is_31:
            result = {key: value for key, value in schema.items() if key != "$ref"}
        result = combine(result, flatten(api, target, seed, shift=shift, depth=depth + 1))
        return _choose(api, result, seed, shift, depth)
    result = {key: value for key, value in schema.items() if key not in {"allOf", "oneOf", "anyOf"}}
    for part in _list(schema.get("allOf")):
        result = combine(result, flatten(api, part, seed, shift=shift, depth=depth + 1))
    kept = {key: schema[key] for key in ("oneOf", "anyOf") if _list(schema.get(key))}
    return _choose(api, {**result, **kept}, seed, shift, depth)


def _choose(api: Api, schema: dict[str, Any], seed: str, shift: int, depth: int) -> dict[str, Any]:
    for key in ("oneOf", "anyOf"):
        options = [option for option in _list(schema.pop(key, None)) if not _is_null(api, option)]
        if options:
            chosen = options[(hash32(seed + key) + shift) % len(options)]
            mapped = _discriminated(api, schema, chosen)
            schema = combine(schema, flatten(api, chosen, seed, shift=shift, depth=depth + 1))
            schema = combine(schema, mapped)
    return schema


def _discriminated(api: Api, schema: dict[str, Any], chosen: Any) -> dict[str, Any]:
    discriminator = schema.get("discriminator")
    name = discriminator.get("propertyName") if isinstance(discriminator, dict) else None
    ref = chosen.get("$ref") if isinstance(chosen, dict) else None
    if not isinstance(discriminator, dict) or not isinstance(name, str) or not isinstance(ref, str):
        return {}
    value = discriminator_values(schema, chosen)[0]
    own = flatten(api, chosen, "", depth=1).get("properties", {}).get(name)
    own = flatten(api, own, "", depth=1)
    if "enum" in own and value not in own["enum"]:
        return {}
    return {"type": "object", "properties": {name: {MADE: True, "const": value}}, "required": [name]}


def combine(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:  # noqa: C901 - a table of rules
    """Return a schema for what both allow; of keywords that cannot be joined, the first counts."""
    result = dict(one)
    for key, value in other.items():
        if key not in result:
            result[key] = value
        elif key in _LOWER and _numbers(result[key], value):
            result[key] = max(result[key], value)
        elif key in _UPPER and _numbers(result[key], value):
            result[key] = min(result[key], value)
        elif key == "properties":
            result[key] = _properties(result[key], value)
        elif key == "required":
            result[key] = list(dict.fromkeys([*_list(result[key]), *_list(value)]))
        elif key == "enum":
            result[key] = [item for item in _list(result[key]) if item in _list(value)] or result[key]
        elif key == "type":
            result[key] = _types(result[key], value)
        elif key == "additionalProperties" and isinstance(value, dict):
            result[key] = value if result[key] is True else result[key]
        elif key in {"example", "examples", "default"}:
            result.pop(key)  # each describes its own part only
    return result


def _properties(one: Any, other: Any) -> dict[str, Any]:
    first, second = (item if isinstance(item, dict) else {} for item in (one, other))
    result = dict(first)
    for name, schema in second.items():
        same = name not in result or result[name] == schema
        result[name] = schema if same else {MADE: True, "allOf": [schema, result[name]]}
    return result


def _types(one: Any, other: Any) -> Any:
    first, second = (item if isinstance(item, list) else [item] for item in (one, other))
    if "integer" in second and "number" in first and "integer" not in first:
        return "integer"
    both = [item for item in first if item in second]
    return both if len(both) > 1 else both[0] if both else one


def _is_null(api: Api, option: Any) -> bool:
    target = api.deref(option)
    return isinstance(target, dict) and (target.get("type") == "null" or target.get("enum") == [None])


def _numbers(*values: Any) -> bool:
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
