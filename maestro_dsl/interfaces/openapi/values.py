"""Whether a value of an OpenAPI document has the type that its field takes, and what to write: for `lint`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.interfaces.openapi.fields import FIELDS, LATER_METHODS, PLAIN, TYPES
from maestro_dsl.lang.schema import type_of
from maestro_dsl.lang.suggest import closest, guessed
from maestro_dsl.lang.ways_out import way_out

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.lang.model import Json

_STATUS: Final = re.compile(r"[1-5](?:[0-9]{2}|XX)")
_ALIKE: Final = str.maketrans("OoIlx", "0011X")
"""Letters that are taken for digits, and the letter that stands for one."""

_SCHEMA: Final = frozenset({dict, bool})
_WORDS: Final = {
    ":text": "text",
    ":flag": "true or false",
    ":number": "a number",
    ":list": "a list",
    "schema": "a schema",
}
_TYPES: Final = {":text": "string", ":flag": "boolean", ":number": "number", ":list": "array"}
"""What stands for them in JSON Schema."""
EXCLUSIVE: Final = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}


def _types_of(holds: str) -> frozenset[type]:
    if holds in PLAIN:
        return PLAIN[holds]
    if holds[0] == "[":
        return PLAIN[":list"]
    return _SCHEMA if holds == "schema" else PLAIN[":map"]


_ALLOWED: Final = {
    kind: {field: _types_of(holds) for field, holds in fields.items()} for kind, fields in FIELDS.items()
}
_ALLOWED["path"] |= dict.fromkeys((*LATER_METHODS, "additionalOperations"), PLAIN[":map"])


def wrong_values(kind: str, node: Mapping[str, Any]) -> list[str]:
    """Return the fields of an object whose values are of no type that they take."""
    allowed = _ALLOWED[kind]
    return [key for key, value in node.items() if key in allowed and type(value) not in allowed[key]]


def wrong_type(kind: str, field: str, value: Json) -> tuple[str, str | None]:
    """Return what is wrong with such a value, and what to write instead."""
    holds = FIELDS[kind].get(field, "operation")
    wanted = _WORDS.get(holds, "a list" if holds[0] == "[" else "a mapping")
    message = f'"{field}" must be {wanted}, not {type_of(value)}'
    if field == "required" and kind == "schema" and isinstance(value, bool):
        return message, "list the names in the schema that has these properties: required: [name, …]"
    return message, _way(holds, value)


def _way(holds: str, value: Json) -> str | None:
    if holds == "schema" and value is not None:
        return no_schema(value)
    if holds[0] == "[" and isinstance(value, dict):
        return "begin each of its parts with a dash"
    if holds == ":text" and isinstance(value, float):
        return "write it in quotes"  # 1.10 is read as 1.1: what stands there is not known any more
    wanted = {"type": _TYPES[holds]} if holds in _TYPES else {}
    return way_out(value, wanted, "type", json.dumps(value, ensure_ascii=False, default=str))


def no_schema(value: object) -> str:
    """Return what to write where something else stands in a schema's place."""
    if isinstance(value, str) and value in TYPES:
        return f"write {{type: {value}}}"
    return "write {type: …}, or {} where anything is allowed"


def no_status(key: str) -> str | None:
    """Return what to write instead of a key of `responses`; None where it is a status."""
    if key == "default" or _STATUS.fullmatch(key):
        return None
    digits = key.strip().translate(_ALIKE)
    near = digits if _STATUS.fullmatch(digits) else closest(key, ("default",))
    guess = guessed(near)
    return f"{guess}allowed: 100 to 599, 1XX to 5XX, default"


def wrong_exclusive(field: str, node: Mapping[str, Any], *, is_30: bool) -> tuple[str, str] | None:
    """Return what is wrong with an exclusive limit that is written as another version does, and a way out."""
    value = node[field]
    if type(value) in PLAIN[":flag" if is_30 else ":number"]:
        return None
    wanted = "true or false in OpenAPI 3.0" if is_30 else "a number from OpenAPI 3.1 on"
    message = f'"{field}" must be {wanted}, not {type_of(value)}'
    limit = EXCLUSIVE[field]
    if is_30:
        return message, f"write {limit}: {value} and {field}: true"
    return message, f"write {field}: {node.get(limit, '…')} alone, without {limit}"
