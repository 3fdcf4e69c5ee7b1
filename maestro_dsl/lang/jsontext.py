"""JSON texts: fast data from the standard decoder, and positions only when somebody asks for one.

A text that is not plain JSON, states a key twice or nests too deep is left to the YAML reader, which can say
where and why.
"""

from __future__ import annotations

import json
import re
from math import isinf
from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.lang.sourcemap import END, Place, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from maestro_dsl.lang.model import Json

_TOKEN: Final = re.compile(r'[\s,:]*("(?:[^"\\]|\\.)*"|[\[\]{}]|[^\s,:\[\]{}"]+)')
_SURROGATE: Final = re.compile(r"\\u[dD][89abAB]|\\u[dD][c-fC-F]")


class _NotPlainError(ValueError):
    """The text is not what other readers of JSON agree on."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _NotPlainError
    return value


def _no_constant(name: str) -> float:
    raise _NotPlainError(name)


def _finite(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise _NotPlainError(text)
    return number


def decode(text: str, *, depth: int, nodes: int) -> tuple[bool, Json]:
    """Return (True, data) where `text` is plain JSON within the limits, else (False, None)."""
    try:
        data: Json = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite
        )
    except (ValueError, RecursionError):
        return False, None
    if not _fits(data, depth, nodes) or (_SURROGATE.search(text) and _has_half_characters(data)):
        return False, None
    return True, data


def _has_half_characters(data: Json) -> bool:
    """Return whether a text holds half of a surrogate pair, which no encoding can write."""
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _fits(data: Json, depth: int, nodes: int) -> bool:
    level: list[Any] = [data] if isinstance(data, (dict, list)) else []
    for _ in range(depth):
        if not level:
            return True
        deeper: list[Any] = []
        for container in level:
            nodes -= len(container)
            items = container.values() if container.__class__ is dict else container
            deeper += [item for item in items if item.__class__ is dict or item.__class__ is list]
        if nodes < 0:
            return False
        level = deeper
    return not level


def places(text: str, data: Json) -> Place | None:
    """Return the positions of everything in `text`, which is the JSON of `data`."""
    tokens = _TOKEN.finditer(text)
    return place_of(*_marks(next(tokens), tokens, data))


def _marks(token: re.Match[str], tokens: Iterator[re.Match[str]], data: Json) -> tuple[Any, int]:
    start, end = token.span(1)
    if not isinstance(data, (dict, list)):
        return start, end - start
    place: list[Any] = [start, 0, data, None]
    if isinstance(data, dict):
        for value in data.values():
            key = next(tokens).span(1)
            place += (key[0], key[1] - key[0], *_marks(next(tokens), tokens, value))
    else:
        for value in data:
            place += _marks(next(tokens), tokens, value)
    place[END] = next(tokens).end(1)
    return place, 0
