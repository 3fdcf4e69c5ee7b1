"""Schemas without keywords whose value has the wrong type, so that others need not ask again.

Documents in the wild hold `required: true`, `type: file` or `enum: null`; such a keyword says nothing.
"""

from __future__ import annotations

from typing import Any

_TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")
_TEXTS = frozenset({"format", "pattern", "$ref"})
_LISTS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems", "examples"})
_MAPS = frozenset(
    {"properties", "patternProperties", "dependentSchemas", "dependentRequired", "discriminator"}
)
_SCHEMAS = frozenset(
    {"not", "if", "then", "else", "items", "contains", "propertyNames", "additionalProperties"}
    | {"unevaluatedProperties", "unevaluatedItems"}
)
_COUNTS = frozenset(
    {"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"}
    | {"minContains", "maxContains"}
)
_NUMBERS = frozenset({"minimum", "maximum", "multipleOf"})
_STRICT = frozenset({"exclusiveMinimum", "exclusiveMaximum"})
_LARGEST = 1e300


def tidy(schema: dict[str, Any]) -> dict[str, Any]:
    """Return `schema` without keywords of the wrong type; the same object where there are none."""
    wrong = [key for key, value in schema.items() if not _is_right(key, value)]
    if not wrong:
        return schema
    return {key: value for key, value in schema.items() if key not in wrong}


def _is_right(key: str, value: Any) -> bool:  # noqa: C901 - one line a group of keywords
    if key == "type":
        kinds = value if isinstance(value, list) else [value]
        return bool(kinds) and all(isinstance(kind, str) and kind in _TYPES for kind in kinds)
    if key in _TEXTS:
        return isinstance(value, str)
    if key in _LISTS:
        return isinstance(value, list) and bool(value)
    if key in _MAPS:
        return isinstance(value, dict)
    if key in _SCHEMAS:
        return isinstance(value, (dict, bool))
    if key in _COUNTS:
        return is_number(value) and 0 <= value < _LARGEST
    if key in _NUMBERS:
        return is_number(value) and (key != "multipleOf" or value > 0)
    if key in _STRICT:
        return isinstance(value, bool) or is_number(value)
    if key == "enum":
        return isinstance(value, list) and bool(value)
    if key == "required":
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return True


def is_number(value: Any) -> bool:
    """Return whether `value` is a number that can be compared with."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _LARGEST
