"""Keywords and values in the form in which they are compared: limits, patterns, canonical texts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from maestro_dsl.interfaces.openapi.tidy import is_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from maestro_dsl.lang.sourcemap import Pointer

ANNOTATIONS: Final = frozenset(
    {"title", "description", "example", "examples", "externalDocs", "xml", "$comment", "deprecated"}
)
"""Keywords that allow and forbid nothing."""

OPAQUE: Final = (
    "not",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
    "dependentSchemas",
    "dependentRequired",
    "unevaluatedItems",
    "contentSchema",
    "contentMediaType",
    "contentEncoding",
)
"""Keywords that are only compared as a whole: equal, there, or gone."""

LIMITS: Final = {
    "minimum": "lower",
    "maximum": "upper",
    "minLength": "lower",
    "maxLength": "upper",
    "minItems": "lower",
    "maxItems": "upper",
    "minProperties": "lower",
    "maxProperties": "upper",
    "minContains": "lower",
    "maxContains": "upper",
    "multipleOf": "step",
}
"""Keyword → which way it limits."""

_ANY_TEXT: Final = frozenset({"", ".*", "^.*$", "^.*", ".*$", "^", "$", "(.*)", "^(.*)$"})
_MINIMA: Final = frozenset({"minLength", "minItems", "minProperties"})


class Fact(NamedTuple):
    """What a document says, and where."""

    value: Any
    pointer: Pointer


def canonical(value: Any) -> str:
    """Return one text for equal JSON values; 1 and 1.0 are equal, 1 and true are not."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def is_any_text(pattern: str) -> bool:
    """Return whether a pattern plainly allows every text."""
    return pattern in _ANY_TEXT


def _number(value: Any) -> float | None:
    return value if is_number(value) else None


def limits_of(schema: dict[str, Any]) -> Iterator[tuple[str, str, tuple[float, bool]]]:
    """Yield the limits that a schema states: keyword, as written, and (value, whether that value is out).

    Both ways to exclude a limit give the keyword without "exclusive".
    """
    for key in LIMITS:
        value = _number(schema.get(key))
        stated = schema.get(_strict(key)) if key in {"minimum", "maximum"} else None
        strict = _number(stated)
        if value is not None and not (key in _MINIMA and value <= 0):
            yield key, key, (value, stated is True)
        if strict is not None:
            yield key, _strict(key), (strict, True)


def _strict(key: str) -> str:
    return "exclusive" + key[0].upper() + key[1:]


def tighter(key: str, one: Fact | None, other: Fact) -> Fact:
    """Return the stricter of two limits of one keyword."""
    if one is None:
        return other
    return other if is_tighter(key, one.value, other.value) else one


def is_tighter(key: str, old: tuple[float, bool], new: tuple[float, bool]) -> bool:
    """Return whether the limit `new` refuses something that `old` allows."""
    direction = LIMITS[key]
    if direction == "step":
        return not _is_multiple(old[0], new[0])
    if old[0] == new[0]:
        return new[1] and not old[1]
    return new[0] > old[0] if direction == "lower" else new[0] < old[0]


def whole(key: str, limit: tuple[float, bool]) -> tuple[float, bool]:
    """Return a limit of whole numbers without an excluded value: more than 0 is at least 1."""
    value, is_strict = limit
    if not is_strict or not float(value).is_integer():
        return limit
    return (value + 1 if key == "minimum" else value - 1), False


def _is_multiple(value: float, step: float) -> bool:
    try:
        return abs(value / step - round(value / step)) < 1e-9  # noqa: PLR2004 - rounding of floats only
    except (ZeroDivisionError, OverflowError):
        return False


def show(value: Any) -> str:
    """Return a value as messages write it, cut where it is long."""
    text = value if isinstance(value, str) else canonical(value)
    most = 60
    quoted = json.dumps(text, ensure_ascii=False) if isinstance(value, str) else text
    return quoted if len(quoted) <= most else quoted[: most - 1] + "…"
