"""Asks a validator about data that may be wrong in tens of thousands of places, and stops asking in time.

A validator tells all breaches at once, at some twenty microseconds each. So the long mappings and lists at
the top of invalid data are handed to it a piece at a time, until what it says is more than anybody reads.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import limit
from maestro_dsl.lang.sourcemap import Pointer
from maestro_dsl.lang.validators import Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from maestro_dsl.lang.model import Json
    from maestro_dsl.lang.validators import Validator

_LONG: Final = 1_000
"""Entries of a mapping or list that are looked at together."""
_RULES: Final = 4
"""A breach is a finding of one of so many rules; so many times the limit fill at least one of them."""


_ABOUT_KEYS: Final = frozenset({"additionalProperties", "propertyNames"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaches:
    """What is wrong; of what is `unseen`, nobody knows whether more is."""

    found: tuple[Violation, ...] = ()
    unseen: tuple[Pointer, ...] = ()


def breaches_of(validator: Validator, data: dict[str, Json]) -> Breaches:
    """Return all breaches in `data`, or enough of them."""
    long = {
        key: value for key, value in data.items() if isinstance(value, (dict, list)) and len(value) > _LONG
    }
    if not long:
        return Breaches(found=tuple(validator.violations(data)))
    if validator.is_valid(data):
        return Breaches()
    enough = _RULES * (limit() + 1)
    rest: dict[str, Json] = {
        name: item if name not in long else [] if isinstance(item, list) else {}
        for name, item in data.items()
    }
    found: dict[Violation, None] = {}
    for key, value in long.items():
        for start, piece in _pieces(value):
            found |= dict.fromkeys(_in_piece(validator.violations({**rest, key: piece}), key, start))
            if len(found) >= enough:
                others = [
                    item for item in validator.violations(rest) if long.keys().isdisjoint(item.pointer[:1])
                ]
                return Breaches(found=(*others, *found), unseen=tuple((name,) for name in long))
    return Breaches(found=tuple(validator.violations(data)))


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
        elif len(breach.pointer) > 1 or breach.keyword in _ABOUT_KEYS:
            yield breach  # anything else about the whole is about a piece here
