"""Values that could not be read, such as one with a tag that nobody knows: they are None, and holes.

Which they are is known by where they start, so that keys may be renamed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.lang.sourcemap import START, AliasPlace, places_inside

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from maestro_dsl.lang.model import Json
    from maestro_dsl.lang.sourcemap import Place, Pointer
    from maestro_dsl.lang.validators import Violation

_OF_CONTENT: Final = frozenset({"uniqueItems", "allOf", "anyOf", "oneOf", "not", "const", "enum"})
"""Keywords that look at what stands inside a mapping or a list."""


def without_unknown(data: Json, place: Place | None, starts: Collection[int]) -> Json:
    """Return `data` with None for every value that starts at one of `starts`, or is an alias of one."""
    for pointer in unknown_in(data, place, starts):
        if not pointer:
            return None
        inner: Any = data
        for step in pointer[:-1]:
            inner = inner[step]
        inner[pointer[-1]] = None
    return data


def unknown_in(data: Json, place: Place | None, starts: Collection[int]) -> tuple[Pointer, ...]:
    """Return the way to every such value in `data`, aliases included."""
    return tuple(_unknown(data, place, starts, ()))


def _unknown(data: Any, place: Place | None, starts: Collection[int], at: Pointer) -> Iterator[Pointer]:
    if isinstance(place, AliasPlace) and _start(place) not in starts:
        place = place.target
    if _start(place) in starts:
        yield at
    elif isinstance(place, list) and isinstance(data, (dict, list)):
        steps = data if isinstance(data, dict) else range(len(data))
        for step, inner in zip(steps, places_inside(place), strict=False):
            yield from _unknown(data[step], inner, starts, (*at, step))


def _start(place: Place | None) -> int:
    if place is None:
        return -1
    if isinstance(place, AliasPlace):
        place = place.token
    start: int = place[START]  # of a token too
    return start


def speaks_of(unknown: Collection[Pointer]) -> Callable[[Violation], bool]:
    """Return what tells whether a violation follows from an unknown value, its own or one inside."""
    inside = set(unknown)
    around = {pointer[:length] for pointer in unknown for length in range(len(pointer))}

    def follows(item: Violation) -> bool:
        pointer = item.pointer
        if any(pointer[:length] in inside for length in range(len(pointer) + 1)):
            return True
        return pointer in around and item.keyword in _OF_CONTENT

    return follows
