"""Places as an editor counts them: lines from 0, columns from 0 in the code units that were agreed on.

Ours count from 1 in code points. Knows no documents.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from lsprotocol import types

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from maestro_dsl.diagnostics import Span

_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_WIDE: Final = 0xFFFF
_MOST_COMPARED: Final = 2_000
"""Lines that are compared one by one; where more differ, they are one difference."""


def lines_in(text: str) -> list[str]:
    """Return the lines of a text without their ends; they break where the protocol and YAML break them."""
    return _LINE_END.split(text)


class Positions:
    """Converts places of one text between code points and the encoding that client and server agreed on."""

    def __init__(self, text: str, encoding: str = types.PositionEncodingKind.Utf16) -> None:
        self._text = text
        self.lines: Sequence[str] = lines_in(text)
        self._encoding = str(getattr(encoding, "value", encoding))

    def units(self, text: str) -> int:
        """Return how many code units `text` has."""
        if text.isascii() or self._encoding == "utf-32":
            return len(text)
        if self._encoding == "utf-8":
            return len(text.encode("utf-8", "surrogatepass"))
        return len(text) + sum(ord(letter) > _WIDE for letter in text)

    def position(self, line: int, column: int) -> types.Position:
        """Return the place of `line` and `column`, which count from 1 in code points."""
        number = max(line - 1, 0)
        text = self.lines[number] if number < len(self.lines) else ""
        return types.Position(line=number, character=self.units(text[: max(column - 1, 0)]))

    def range(self, span: Span) -> types.Range:
        """Return where a span stands."""
        return types.Range(
            start=self.position(span.line, span.column), end=self.position(span.end_line, span.end_column)
        )

    def on_line(self, line: int, start: int, end: int) -> types.Range:
        """Return the range from `start` to `end` of a line, all from 0 in code points."""
        return types.Range(start=self.position(line + 1, start + 1), end=self.position(line + 1, end + 1))

    def whole(self) -> types.Range:
        """Return the range of the whole text."""
        last = len(self.lines)
        return types.Range(
            start=types.Position(line=0, character=0),
            end=self.position(last, len(self.lines[-1]) + 1),
        )

    def edits_to(self, text: str) -> list[types.TextEdit]:
        """Return edits of whole lines that make another text of this one; equal lines stay untouched."""
        before, after = _with_ends(self._text), _with_ends(text)
        edits = []
        for first, last, start, end in _differences(before, after):
            area = types.Range(start=self._start_of(first), end=self._start_of(last))
            edits.append(types.TextEdit(range=area, new_text="".join(after[start:end])))
        return edits

    def _start_of(self, line: int) -> types.Position:
        """Return where a line begins; behind the last one it is the end of the text."""
        return types.Position(line=line, character=0) if line < len(self.lines) else self.whole().end

    def column(self, position: types.Position) -> int:
        """Return the column, from 0 in code points, of a place; beyond the end of its line it is the end."""
        text = self.lines[position.line] if position.line < len(self.lines) else ""
        if text.isascii():
            return min(position.character, len(text))
        units = 0
        for index, letter in enumerate(text):
            if units >= position.character:
                return index
            units += self.units(letter)
        return len(text)


def _with_ends(text: str) -> list[str]:
    """Return the lines of a text with their ends, as many as `lines_in` gives."""
    starts = [0, *(found.end() for found in _LINE_END.finditer(text))]
    return [text[start:end] for start, end in pairwise((*starts, len(text)))]


def _differences(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """Yield the lines of `before` that differ, from and up to, and the lines of `after` in their place."""
    shorter = min(len(before), len(after))
    head = next((number for number in range(shorter) if before[number] != after[number]), shorter)
    same = (number for number in range(shorter - head) if before[-1 - number] != after[-1 - number])
    tail = next(same, shorter - head)
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    if max(len(old), len(new)) > _MOST_COMPARED:
        yield head, head + len(old), head, head + len(new)
        return
    for kind, first, last, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            yield head + first, head + last, head + start, head + end
