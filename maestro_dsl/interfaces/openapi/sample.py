"""Deterministic realistic values for a schema: make, validate, repair.

The same API, schema, seed and direction give the same value everywhere. Examples of the document win where
they are valid. A schema that nothing can satisfy still gets a value, the one with the fewest findings;
whoever sends it asks `validate` first.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from maestro_dsl.interfaces.openapi.generate import Generator, Mode, without_hidden
from maestro_dsl.interfaces.openapi.validate import findings, is_valid, places

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from maestro_dsl.interfaces.openapi.dialect import Direction
    from maestro_dsl.interfaces.openapi.model import Api, Schema
    from maestro_dsl.interfaces.openapi.validate import Place
    from maestro_dsl.lang.model import Json

_MODES = (
    Mode(),
    Mode(salt="b", shift=1),
    Mode(salt="c", examples=False),
    Mode(salt="d", examples=False, shift=2),
    Mode(salt="e", optional=False),
    *(Mode(salt=f"f{turn}", optional=False, examples=False, shift=turn) for turn in range(8)),
)
_MAX_CHECKS = 200


def sample(
    api: Api,
    schema: Schema,
    *,
    seed: int | str = 0,
    direction: Direction = "response",
    name: str = "",
) -> Json:
    """Return a value for `schema`; `name` is what holds it, e.g. the name of a parameter."""
    best: Json = None
    fewest: int | None = None
    repair = _Repair(api, schema, direction)
    for mode in _MODES:
        value = Generator(api, direction, str(seed), mode).value(schema, name)
        value, problems = repair.repaired(value)
        if not problems:
            good: Json = value
            return good
        if fewest is None or problems < fewest:
            best, fewest = value, problems
    return best


def example(
    api: Api, schema: Schema | None, examples: Mapping[str, Json], *, direction: Direction = "response"
) -> tuple[bool, Json]:
    """Return whether a declared example is usable, and the first that is, hidden parts left out."""
    for value in examples.values():
        if schema is None:
            return True, copy.deepcopy(value)
        stripped = without_hidden(api, schema, value, direction)
        if is_valid(api, schema, stripped, direction):
            return True, stripped
    return False, None


class _Repair:
    """Leaves out of one value what does not fit, as long as that brings the number of findings down."""

    def __init__(self, api: Api, schema: Schema, direction: Direction) -> None:
        self._api, self._schema, self._direction = api, schema, direction
        self.checks = 0
        """How many values were tried; the work for one sample is bounded by it."""

    def repaired(self, value: Any) -> tuple[Any, int]:
        """Return the value with fewer findings, and how many are left."""
        fewest = self._count(value)
        while fewest and self.checks < _MAX_CHECKS:
            better = self._better(value, fewest)
            if better is None:
                break
            value, fewest = better
        return value, fewest

    def _better(self, value: Any, fewest: int) -> tuple[Any, int] | None:
        for pointer in _removable(places(self._api, self._schema, value, self._direction)):
            if self.checks >= _MAX_CHECKS:
                return None
            candidate = copy.deepcopy(value)
            if not _remove(candidate, pointer):
                continue
            self.checks += 1
            left = self._count(candidate)
            if left < fewest:
                return candidate, left
        return None

    def _count(self, value: Any) -> int:
        return len(findings(self._api, self._schema, value, self._direction))


def _removable(found: Iterable[Place]) -> list[Place]:
    """Return what could be left out, the smallest parts first."""
    ways = {pointer[:length]: None for pointer in found for length in range(1, len(pointer) + 1)}
    return sorted(ways, key=lambda way: -len(way))


def _remove(value: Any, pointer: tuple[str | int, ...]) -> bool:
    *way, last = pointer
    try:
        for step in way:
            value = value[step]
        del value[last]
    except (KeyError, IndexError, TypeError):
        return False
    return True
