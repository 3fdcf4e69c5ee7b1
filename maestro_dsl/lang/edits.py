"""Edits of a text by line and column, and files whose byte order mark and encoding outlive an edit.

Lines break as in `SourceMap`: at LF, CRLF and CR. Knows no rules, and writes nothing to disk.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Edit
from maestro_dsl.lang.quoting import double_quoted, written
from maestro_dsl.lang.source import BYTE_ORDER_MARKS
from maestro_dsl.lang.sourcemap import line_starts
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from maestro_dsl.diagnostics import Span


class EditConflict(ValueError):  # noqa: N818 - the caller asked for what cannot be
    """Two edits touch the same text, or one lies outside of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """The text of a file, with the byte order mark and the encoding that it was written in."""

    text: str
    mark: bytes = b""
    encoding: str = "utf-8"

    def encode(self, text: str) -> bytes:
        """Return `text` as bytes written the way this file is."""
        return self.mark + text.encode(self.encoding, "surrogatepass")


def decode(content: bytes) -> Encoded:
    """Return the text of a file without its byte order mark.

    Raises:
        UnicodeDecodeError: it is not text.
    """
    for mark, encoding in BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return Encoded(text=content[len(mark) :].decode(encoding), mark=mark, encoding=encoding)
    return Encoded(text=content.decode("utf-8"))


class Lines:
    """Finds the index in a text of lines and columns, which count from 1 in code points."""

    __slots__ = ("_length", "_starts")

    def __init__(self, text: str) -> None:
        self._starts: Sequence[int] = line_starts(text)
        self._length = len(text)

    def range(self, span: Span) -> tuple[int, int]:
        """Return the indexes of the start and the end of `span`.

        Raises:
            EditConflict: it lies outside of the text.
        """
        start, end = self._index(span.line, span.column), self._index(span.end_line, span.end_column)
        if start > end:
            raise EditConflict(f"{span} ends before it starts")
        return start, end

    def position(self, index: int) -> tuple[int, int]:
        """Return line and column of the character at `index`."""
        line = bisect_right(self._starts, index)
        return line, index - self._starts[line - 1] + 1

    def _index(self, line: int, column: int) -> int:
        if not 1 <= line <= len(self._starts) or column < 1:
            raise EditConflict(f"no line {line}, column {column}")
        index = self._starts[line - 1] + column - 1
        following = self._starts[line] if line < len(self._starts) else self._length
        if index > following:
            raise EditConflict(f"no line {line}, column {column}")
        return index


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Return `text` with all `edits` made; each speaks of the text as it was.

    Equal edits count once. Edits may touch at their ends, but two insertions at one place do not say which
    is first.

    Raises:
        EditConflict: two of them overlap, or one lies outside of the text.
    """
    claimed = Claims(text)
    for edit in edits:
        if not claimed.claim((edit,)):
            raise EditConflict(f"edits overlap at line {edit.span.line}, column {edit.span.column}")
    return claimed.result()


def respell(text: str, span: Span, word: str) -> Edit:
    """Return the edit that puts `word` in the place of the key or value at `span`, in the quotes it has."""
    lines = lines_of(text)
    start, end = lines.range(span)
    raw = text[start:end].rstrip(" \t\r\n")  # a block scalar reaches up to the next key
    if len(raw) < end - start:
        line, column = lines.position(start + len(raw))
        span = replace(span, end_line=line, end_column=column)
    if raw[:1] not in {'"', "'"} or len(raw) < len('""') or raw[-1] != raw[0]:
        return Edit(span=span, replacement=written(word, in_flow=True))
    inner = replace(span, column=span.column + 1, end_column=span.end_column - 1)
    shown = double_quoted(word)[1:-1] if raw[0] == '"' else word.replace("'", "''")
    return Edit(span=inner, replacement=shown)


@lru_cache(maxsize=8)
def lines_of(text: str) -> Lines:
    """Return the lines of a text that is asked for many places in a row."""
    return Lines(text)


class Claims:
    """Collects edits of one text, all edits of a fix or none, as long as none touches another's range."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = Lines(text)
        self._made: list[tuple[int, int, str]] = []
        self._known: set[tuple[int, int, str]] = set()

    def claim(self, edits: Iterable[Edit]) -> bool:
        """Take `edits` together and return True, or return False where one is in the way of an earlier one.

        Raises:
            EditConflict: one lies outside of the text.
        """
        wanted = [(*self._lines.range(edit.span), edit.replacement) for edit in edits]
        fresh = [item for item in dict.fromkeys(wanted) if item not in self._known]
        for index, item in enumerate(fresh):
            at = bisect_left(self._made, item[:2], key=lambda made: made[:2])
            near = (*self._made[max(0, at - 1) : at + 2], *fresh[:index])
            if any(_overlap(item, other) for other in near):
                return False
        for item in fresh:
            insort(self._made, item)
        self._known.update(fresh)
        return True

    def result(self) -> str:
        """Return the text with everything that was taken."""
        parts, at = [], 0
        for start, end, replacement in self._made:
            parts += [self._text[at:start], replacement]
            at = end
        return "".join((*parts, self._text[at:]))


def _overlap(one: tuple[int, int, str], other: tuple[int, int, str]) -> bool:
    """Return whether two ranges share text, or an insertion stands in or at the edge of the other."""
    (start, end, _), (first, last, _) = one, other
    if start == end or first == last:
        return start <= last and first <= end
    return start < last and first < end
