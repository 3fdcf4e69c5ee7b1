"""Asks a validator about data that may be wrong in tens of thousands of places, and stops asking in time.

A validator tells all breaches at once, at some twenty microseconds each. So the long mappings and lists at
the top of invalid data are handed to it a piece at a time, until what it says is more than anybody reads.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.diagnostics import limit
from maestro_dsl.lang.model import Kind
from maestro_dsl.lang.sourcemap import Pointer
from maestro_dsl.lang.validators import Violation
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from maestro_dsl.lang.grammar import Part
    from maestro_dsl.lang.model import Json
    from maestro_dsl.lang.validators import Validator

_LONG: Final = 1_000
"""Entries of a mapping or list that are looked at together."""
_RULES: Final = 4
"""A breach is a finding of one of so many rules; so many times the limit fill at least one of them."""


_OF_SHAPE: Final = frozenset({"anyOf", "oneOf", "not", "patternProperties", "if", "const", "enum"})
_OF_TEXT: Final = frozenset({*_OF_SHAPE, "pattern", "format", "maxLength"})
_OF_WHOLE: Final = frozenset({"required", "uniqueItems"})
"""Keywords that a piece may breach where the whole does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaches:
    """What is wrong; of what is `unseen`, nobody knows whether more is."""

    found: tuple[Violation, ...] = ()
    unseen: tuple[Pointer, ...] = ()


def breaches_of(validator: Validator, data: dict[str, Json]) -> Breaches:
    """Return all breaches in a document, which states its kind, or enough of them."""
    if validator.is_valid(data):
        return Breaches()
    from maestro_dsl.lang.grammar import grammar_of  # sound documents need none

    data = _light(data, grammar_of(Kind(str(data["kind"]))))
    long = {
        key: value for key, value in data.items() if isinstance(value, (dict, list)) and len(value) > _LONG
    }
    if not long:
        return Breaches(found=tuple(validator.violations(data)))
    enough = _RULES * (limit() + 1)
    rest: dict[str, Json] = {
        name: item if name not in long else [] if isinstance(item, list) else {}
        for name, item in data.items()
    }
    others = [item for item in validator.violations(rest) if long.keys().isdisjoint(item.pointer[:1])]
    found: dict[Violation, None] = {}
    needs_whole = any(isinstance(value, list) for value in long.values())  # items may be held to each other
    for key, value in long.items():
        for start, piece in _pieces(value):
            made = list(validator.violations({**rest, key: piece}))
            needs_whole = needs_whole or any(
                item.keyword == "required" and item.pointer == (key,) for item in made
            )
            found |= dict.fromkeys(_in_piece(made, key, start))
            if len(found) >= enough:
                return Breaches(found=(*others, *found), unseen=tuple((name,) for name in long))
    if needs_whole:
        return Breaches(found=tuple(validator.violations(data)))
    return Breaches(found=(*others, *found))


def _light(value: Any, part: Part) -> Any:
    """Return `value` without what the grammar has no say in; a validator copies what is around a breach."""
    is_map = isinstance(value, dict)
    entries: Any = value.items() if is_map else enumerate(value) if isinstance(value, list) else ()
    siblings = {name: item for name, item in entries if isinstance(item, str)} if part.cases else {}
    lighter: Any = None
    for name, item in entries:
        inner = part.key(name, siblings) if is_map else part.items
        made: Any = item
        if isinstance(item, str):
            if len(item) > _LONG and _is_any(inner, part, _OF_TEXT):
                made = item[:_LONG]
        elif item and isinstance(item, (dict, list)):
            if inner is not None:
                made = _light(item, inner)
            elif _is_any(inner, part, _OF_SHAPE):
                made = type(item)()
        if made is not item:
            lighter = (dict(value) if is_map else list(value)) if lighter is None else lighter
            lighter[name] = made
    return value if lighter is None else lighter


def _is_any(inner: Part | None, around: Part, keywords: frozenset[str]) -> bool:
    """Return whether the grammar asks nothing of a value that a shorter one would not tell."""
    return keywords.isdisjoint((around if inner is None else inner).schema)


def _pieces(value: dict[str, Json] | list[Json]) -> Iterator[tuple[int, Json]]:
    """Yield stretches of a mapping or list, each with where it starts."""
    if isinstance(value, list):
        yield from ((start, value[start : start + _LONG]) for start in range(0, len(value), _LONG))
        return
    items = list(value.items())
    yield from ((start, dict(items[start : start + _LONG])) for start in range(0, len(items), _LONG))


def _in_piece(breaches: Iterable[Violation], key: str, start: int) -> Iterator[Violation]:
    """Yield the breaches inside a piece of the value of `key`, where they stand in the whole."""
    for breach in breaches:
        if breach.pointer[:1] != (key,):
            continue
        if len(breach.pointer) > 1 and isinstance(breach.pointer[1], int):
            yield replace(breach, pointer=(key, breach.pointer[1] + start, *breach.pointer[2:]))
        elif len(breach.pointer) > 1 or breach.keyword not in _OF_WHOLE:
            yield breach
