"""Validators for the schemas of one API, compiled on first use and kept with it.

Patterns run with a limit on backtracking, references stay inside the document, and what cannot be compiled
at all accepts everything: a mistake in a description is for `parse` and `lint`, never a crash here.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

import jsonschema_rs

from maestro_dsl.interfaces.openapi.dialect import Dialect, Direction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from maestro_dsl.interfaces.openapi.model import Api, Schema
    from maestro_dsl.lang.model import Json

Place: TypeAlias = "tuple[str | int, ...]"
"""The way into a value."""

_BACKTRACK_LIMIT = 100_000
_MAX_ERRORS = 20
_MAX_PLACES = 60
_MAX_MESSAGE = 300
_PATTERNS = jsonschema_rs.FancyRegexOptions(backtrack_limit=_BACKTRACK_LIMIT)


def errors(api: Api, schema: Schema, value: Json, direction: Direction = "response") -> list[str]:
    """Return what is wrong with `value`, each as "<JSON pointer>: <sentence>"; empty where it is valid."""
    found = []
    for pointer, message in findings(api, schema, value, direction):
        where = "/" + "/".join(str(step) for step in pointer) if pointer else "the value"
        found.append(f"{where}: {message}")
    return found


def is_valid(api: Api, schema: Schema, value: Json, direction: Direction = "response") -> bool:
    """Return whether `value` is valid; cheaper than `errors`."""
    return bool(_validator(api, schema, direction).is_valid(value))


def findings(
    api: Api, schema: Schema, value: Json, direction: Direction = "response"
) -> list[tuple[Place, str]]:
    """Return the way into `value` and a sentence for each thing that is wrong, at most twenty."""
    validator = _validator(api, schema, direction)
    if validator.is_valid(value):
        return []
    return [(tuple(error.instance_path), _short(error.message)) for error in _first_errors(validator, value)]


def places(api: Api, schema: Schema, value: Json, direction: Direction = "response") -> list[Place]:
    """Return the ways into `value` to everything that is wrong, also to what is wrong for an alternative."""
    found: dict[Place, None] = {}
    waiting = list(_first_errors(_validator(api, schema, direction), value))
    while waiting and len(found) < _MAX_PLACES:
        error = waiting.pop()
        found[tuple(error.instance_path)] = None
        waiting += [inner for branch in getattr(error.kind, "context", ()) for inner in branch]
    return list(found)


def _first_errors(validator: Any, value: Json) -> Iterator[Any]:
    return islice(validator.iter_errors(value), _MAX_ERRORS)


def dialect(api: Api, direction: Direction) -> Dialect:
    """Return the converter that all validators of this API and direction share."""
    key = ("dialect", direction)
    if key not in api.memo:
        api.memo[key] = Dialect(api, direction, usable_pattern=is_usable_pattern)
    found: Dialect = api.memo[key]
    return found


@lru_cache(maxsize=4096)
def is_usable_pattern(pattern: str) -> bool:
    """Return whether the engine can run `pattern`."""
    try:
        jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=_PATTERNS)
    except (ValueError, jsonschema_rs.ValidationError):
        return False
    return True


def _validator(api: Api, schema: Schema, direction: Direction) -> Any:
    key = (id(schema), direction)
    kept = api.memo.get(key)
    if kept is None:  # the schema is kept too: its id stays its own as long as the entry lives
        kept = api.memo[key] = (schema, _compile(dialect(api, direction).bundle(schema)))
    return kept[1]


def _compile(bundle: Any) -> Any:
    try:
        return jsonschema_rs.Draft202012Validator(bundle, validate_formats=True, pattern_options=_PATTERNS)
    except (ValueError, jsonschema_rs.ValidationError):
        return jsonschema_rs.Draft202012Validator(schema=True)


def _short(message: str) -> str:
    return message if len(message) <= _MAX_MESSAGE else message[: _MAX_MESSAGE - 1] + "…"
