"""Finds the line of a consumer's file that makes a call, from the words of the call's path.

A guess from text alone, made to be right for literal paths and template strings; None where nothing fits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from maestro_dsl.interfaces.consumers import is_test_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_CODE = frozenset(
    {".py", ".js", ".mjs", ".cjs", ".ts", ".jsx", ".tsx", ".html", ".vue", ".svelte", ".sh", ".go"}
)
_VALUE = re.compile(r"^(\d+|[0-9a-fA-F-]{16,}|\{.*\}|.*%.*)$")
_NEAR_LINES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A line of a consumer's file, counted from 1."""

    file: str
    line: int


def find_call(
    method: str, path: str, files: Mapping[str, str], *, operation_id: str | None = None
) -> Place | None:
    """Return the line that most likely makes the call `method path`; `files` is path → text.

    `path` is a template or a path as called; parts that look like values are passed over.
    """
    patterns = [_literal(word) for word in path.split("/") if word and not _VALUE.match(word)]
    patterns = [pattern for pattern in patterns if any(pattern.search(text) for text in files.values())]
    if not patterns:
        return None
    best: tuple[float, str, int] | None = None
    for file, text in sorted(files.items()):
        for line, score in _scores(method, patterns, operation_id, text):
            ranked = (-(score + _liking(file)), file, line)
            if best is None or ranked < best:
                best = ranked
    return None if best is None else Place(file=best[1], line=best[2])


def _literal(word: str) -> re.Pattern[str]:
    return re.compile(r"/" + re.escape(word) + r"(?![\w-])")


def _liking(file: str) -> float:
    """Prefer code to prose, and the code that calls to the test that makes it call."""
    return (2.0 if PurePosixPath(file).suffix in _CODE else 0.0) + (0.0 if is_test_file(file) else 1.0)


def _scores(
    method: str, patterns: list[re.Pattern[str]], operation_id: str | None, text: str
) -> Iterator[tuple[int, float]]:
    lines = text.splitlines()
    called = re.compile(rf"\b{method}\b", re.IGNORECASE)
    for number, line in enumerate(lines, 1):
        found = [pattern.search(line) for pattern in patterns]
        if found[-1] is None or line.lstrip().startswith(("#", "//", "*", '"""')):
            continue
        score = 4.0 * sum(match is not None for match in found) / len(found)
        last = found[-1].end()
        score += 1.0 if re.match(r"/?[\"'`?]|$", line[last:]) else 0.0
        near = lines[max(0, number - 1 - _NEAR_LINES) : number + _NEAR_LINES]
        score += 2.0 if called.search(line) else 1.0 if any(called.search(item) for item in near) else 0.0
        if operation_id and any(operation_id.lower() in item.replace("_", "").lower() for item in near):
            score += 1.0
        yield number, score
