"""Places as an editor counts them: lines from 0, columns from 0 in the code units that were agreed on.

Ours count from 1 in code points. Knows no documents.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lsprotocol import types

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maestro_dsl.diagnostics import Span

_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_WIDE: Final = 0xFFFF


def lines_in(text: str) -> list[str]:
    """Return the lines of a text without their ends; they break where the protocol and YAML break them."""
    return _LINE_END.split(text)


class Positions:
    """Converts places of one text between code points and the encoding that client and server agreed on."""

    def __init__(self, text: str, encoding: str = types.PositionEncodingKind.Utf16) -> None:
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
