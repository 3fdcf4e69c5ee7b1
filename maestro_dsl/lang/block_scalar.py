"""Block scalars (| and >) taken apart: their lines without indentation, to be written at another one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_HEADER: Final = re.compile(r"([|>])([0-9+-]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockText:
    """A block scalar: `style` is | or >, `chomp` is "", - or +, and `lines` lack their indentation."""

    style: str
    chomp: str
    lines: tuple[str, ...]
    ends_blank: bool
    """Whether blank lines follow that are no part of the text."""

    def printed(self, indent: int, step: int) -> list[str]:
        """Return header and lines for an indentation that is `step` deeper than the collection around it."""
        visible = next((at for at, text in enumerate(self.lines) if text.strip(" ")), len(self.lines))
        needs_digit = any(text.startswith((" ", "\t")) for text in self.lines[: visible + 1])
        header = f"{self.style}{step if needs_digit else ''}{self.chomp}"
        return [header, *(" " * indent + text if text else "" for text in self.lines)]


def block_text(raw: str, column: int) -> BlockText:
    """Return the parts of the block scalar `raw`, which stands in a collection that starts at `column`."""
    head, _, body = raw.partition("\n")
    match = _HEADER.match(head)
    style, marks = match.groups() if match is not None else ("|", "")
    chomp = "".join(mark for mark in marks if mark in "+-")
    if body and not body.endswith("\n"):
        chomp = "-"  # the text ends with the file, without a line end of its own
    lines = body.removesuffix("\n").split("\n") if body else []
    indent = _indent(lines, next((int(mark) for mark in marks if mark.isdigit()), 0), column)
    texts = [line[indent:] if line.strip(" ") or len(line) > indent else "" for line in lines]
    count = len(texts)
    if chomp != "+":
        while texts and texts[-1] == "":
            texts.pop()
    return BlockText(style=style, chomp=chomp, lines=tuple(texts), ends_blank=len(texts) < count)


def _indent(lines: list[str], digit: int, column: int) -> int:
    """Return how many columns of `lines` are indentation."""
    if digit:
        return max(column, 0) + digit
    first = next((line for line in lines if line.strip(" ")), None)
    if first is None:
        return max(map(len, lines), default=0)
    return len(first) - len(first.lstrip(" "))
