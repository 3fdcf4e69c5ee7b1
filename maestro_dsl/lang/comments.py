"""Comments of a text that say something to the tool: found where the parser sees no value.

YAML keeps no comments, so they are looked for in the gaps between its tokens; a text that does not scan is
searched up to its end as if the rest had no values with a # in them. Prompt templates have `{# … #}`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import yaml

from maestro_dsl.lang.late import pattern
from maestro_dsl.lang.parsing import tokens_of
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

_YAML: Final = pattern(r"(?:(?<=[ \t\r\n])|^)#[^\r\n]*", re.MULTILINE)
_TEMPLATE: Final = pattern(r"\{#.*?#\}", re.DOTALL)
_BLOCK_HEADER: Final = pattern(r"[|>][^\r\n]*")
_LINE: Final = pattern(r"[^\r\n]*(?:\r\n|\r|\n)?")
TEMPLATE_SUFFIX: Final = ".j2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """One comment; `start` and `end` are indexes in the text, marks included, `body` is what stands in it."""

    start: int
    end: int
    body: str
    body_start: int


def comments(text: str, file: str, word: str) -> Iterator[Comment]:
    """Yield the comments of `text` that hold `word`, in order; `file` tells templates by their name."""
    if word not in text:
        return
    if file.endswith(TEMPLATE_SUFFIX):
        for match in _TEMPLATE.finditer(text):
            if word in match[0]:
                body = match[0][2:-2]
                yield Comment(start=match.start(), end=match.end(), body=body, body_start=match.start() + 2)
        return
    starts, ends = _values(text)
    for match in _YAML.finditer(text):
        if word not in match[0]:
            continue
        place = bisect_right(starts, match.start()) - 1
        if place < 0 or ends[place] <= match.start():
            body = match[0][1:]
            yield Comment(start=match.start(), end=match.end(), body=body, body_start=match.start() + 1)


def long_values(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each scalar of more than one line starts and ends; the line of a `|` is its first."""
    for start, end in zip(*_values(text), strict=True):
        if "\n" in text[start:end] or "\r" in text[start:end]:
            yield start, end


@lru_cache(maxsize=1)
def _values(text: str) -> tuple[list[int], list[int]]:
    """Return where the scalars of `text` start and end, as far as it scans.

    A block scalar starts where the line of its `|` ends: a comment may stand there.
    """
    starts: list[int] = []
    ends: list[int] = []
    try:
        for token in tokens_of(text):
            if isinstance(token, yaml.ScalarToken):
                start = token.start_mark.index
                header = _BLOCK_HEADER.match(text, start)
                starts.append(header.end() if header is not None and token.style in {"|", ">"} else start)
                ends.append(_end_of(token, text))
    except (yaml.YAMLError, ValueError, RecursionError):
        pass
    return starts, ends


def _end_of(token: Any, text: str) -> int:
    """Return where a scalar ends; comments behind a block scalar are no part of it."""
    start, end = token.start_mark.index, token.end_mark.index
    if text[start : start + 1] not in {"|", ">"}:
        return int(end)
    first, *lines = _LINE.findall(text, start, end)
    last: int = start + len(first)
    indent: int | None = None
    for line in lines:
        depth = len(line) - len(line.lstrip(" "))
        if line.strip():
            indent = depth if indent is None else indent
            if depth < indent:
                break
        last += len(line)
    return last
