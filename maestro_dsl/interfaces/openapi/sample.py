"""Deterministic realistic values for a schema: make, validate, repair.

The same API, schema, seed and direction give the same value everywhere. Examples of the document win where
they are valid. A schema that nothing can satisfy still gets a value, the one with the fewest findings;
whoever sends it asks `validate` first.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from maestro_dsl.interfaces.openapi.generate import Generator, Mode, without_hidden
from maestro_dsl.interfaces.openapi.validate import findings, is_valid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from maestro_dsl.interfaces.openapi.dialect import Direction
    from maestro_dsl.interfaces.openapi.model import Api, Schema
    from maestro_dsl.lang.model import Json

_MODES = (
    Mode(),
    Mode(salt="b", shift=1),
    Mode(salt="c", examples=False),
    Mode(salt="d", examples=False, shift=2),
    Mode(salt="e", optional=False),
    *(Mode(salt=f"f{turn}", optional=False, examples=False, shift=turn) for turn in range(8)),
)
_MAX_REPAIRS = 40


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
    for mode in _MODES:
        value = Generator(api, direction, str(seed), mode).value(schema, name)
        value = _repair(api, schema, value, direction)
        problems = len(findings(api, schema, value, direction))
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


def _repair(api: Api, schema: Schema, value: Any, direction: Direction) -> Any:
    """Leave out what does not fit, as long as that brings the number of findings down."""
    found = findings(api, schema, value, direction)
    for _ in range(_MAX_REPAIRS):
        if not found:
            return value
        for pointer in _removable(found):
            candidate = copy.deepcopy(value)
            if not _remove(candidate, pointer):
                continue
            after = findings(api, schema, candidate, direction)
            if len(after) < len(found):
                value, found = candidate, after
                break
        else:
            return value
    return value


def _removable(found: Iterable[tuple[tuple[str | int, ...], str]]) -> list[tuple[str | int, ...]]:
    pointers: dict[tuple[str | int, ...], None] = {}
    for pointer, _ in found:
        for length in range(len(pointer), 0, -1):
            pointers[pointer[:length]] = None
    return list(pointers)


def _remove(value: Any, pointer: tuple[str | int, ...]) -> bool:
    *way, last = pointer
    try:
        for step in way:
            value = value[step]
        del value[last]
    except (KeyError, IndexError, TypeError):
        return False
    return True
