"""Building blocks of text output: safe text, colour, aligned tables, figures with units.

Nothing here prints. Text that comes from documents, models or specs passes `safe` before it is shown, so that
it cannot steer a terminal; colour is only ever an addition to words.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FORMAT_VERSION: Final = 1
"""Version of every JSON document that the command line writes."""

WIDTH: Final = 100
"""Columns of text output."""

_LONGEST: Final = 600
"""Characters of a message; what documents hold may be millions."""

_CODES: Final = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "cyan": "36",
}
_BAD_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
_ASCII: Final = 0x7F
HARMLESS: Final = frozenset(" \u200c\u200d\u3000\ufe0f")
"""Of those categories: the space, that of East Asian texts, and what joins letters and emoji."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """Adds colour where it is wanted, and nothing where not."""

    colour: bool = False

    def __call__(self, name: str, text: str) -> str:
        """Return `text` in the style `name` (bold, dim, red, green, yellow, blue, cyan)."""
        return f"\x1b[{_CODES[name]}m{text}\x1b[0m" if self.colour and text else text


PLAIN: Final = Style()


def safe(text: str, *, multiline: bool = False) -> str:
    """Return `text` with control, bidirectional and invisible characters and foreign spaces as escapes.

    Newline and tab stay where `multiline` is set; elsewhere they are escaped too.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_safe_character(char, multiline=multiline) for char in text)


def _safe_character(char: str, *, multiline: bool) -> str:
    if multiline and char in "\n\t":
        return char
    if char in HARMLESS or unicodedata.category(char) not in _BAD_CATEGORIES:
        return char
    names = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
    code = ord(char)
    if char in names:
        return names[char]
    return char.encode("ascii", "backslashreplace").decode() if code > _ASCII else f"\\x{code:02x}"


def cells(text: str) -> int:
    """Return how many terminal columns `text` takes (wide characters take two, combining ones none)."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) > 0 for char in text)


def cut(text: str, width: int) -> str:
    """Return `text` cut to `width` columns, with an ellipsis where something is missing."""
    if cells(text) <= width:
        return text
    kept = text[: max(width - 1, 0)]
    while kept and cells(kept) > width - 1:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"


def clipped(text: str) -> str:
    """Return a sentence with its middle left out where a document makes it endless."""
    if len(text) <= _LONGEST:
        return text
    return f"{text[: _LONGEST // 2]} … {text[-_LONGEST // 2 :]}"


def cut_middle(text: str, width: int) -> str:
    """Return `text` cut to `width` columns in its middle, so that its beginning and end can be told."""
    if cells(text) <= width:
        return text
    tail = max((width - 1) // 2, 0)
    while tail and cells(text[-tail:]) > (width - 1) // 2:
        tail -= 1
    end = text[len(text) - tail :]
    head = cut(text, width - cells(end)).removesuffix("…")
    return f"{head}…{end}"


def table(
    rows: Sequence[Sequence[str]],
    *,
    indent: int = 2,
    gap: int = 2,
    right: Iterable[int] = (),
    width: int = WIDTH,
) -> list[str]:
    """Return lines with aligned columns; columns in `right` are right-aligned, the last is cut to `width`."""
    if not rows:
        return []
    rights = frozenset(right)
    columns = max(len(row) for row in rows)
    widths = [max((cells(row[i]) for row in rows if i < len(row)), default=0) for i in range(columns)]
    return [_line(row, widths, rights, " " * indent, " " * gap, width) for row in rows]


def _line(
    row: Sequence[str], widths: Sequence[int], rights: frozenset[int], indent: str, gap: str, width: int
) -> str:
    parts = []
    for index, text in enumerate(row):
        padding = " " * (widths[index] - cells(text))
        parts.append(padding + text if index in rights else text + padding)
    return cut((indent + gap.join(parts)).rstrip(), width)


def duration(seconds: float | None) -> str:
    """Return a duration for people: "unknown", "0.4 s", "12 s", "3m 05s", "2h 15m"."""
    if seconds is None:
        return "unknown"
    if seconds < 0.95:  # noqa: PLR2004 - below this "0.x s" says more than "1 s"
        return f"{seconds:.1f} s"
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours}h {minutes:02d}m" if minutes else f"{hours}h"
    if minutes:
        return f"{minutes}m {left:02d}s" if left else f"{minutes}m"
    return f"{whole} s"


def tokens(count: int | None) -> str:
    """Return a count of tokens for people: "unknown", "950", "12.4k", "1.2M"."""
    if count is None:
        return "unknown"
    if count < 1_000:  # noqa: PLR2004 - kilo
        return str(count)
    if count < 999_950:  # noqa: PLR2004 - would round to 1000.0k
        return f"{count / 1_000:.1f}k"
    return f"{count / 1_000_000:.1f}M"


def standing(status: str, *, live: bool) -> str:
    """Return what stands behind the status of a run: a process is at work, or none is although it goes on."""
    if live:
        return " (live)"
    return " (interrupted)" if status in {"running", "pending"} else ""


def percent(fraction: float | None) -> str:
    """Return a fraction as whole per cent, or "unknown"."""
    return "unknown" if fraction is None else f"{fraction * 100:.0f}%"


def plural(count: int, noun: str) -> str:
    """Return "1 node", "3 nodes"."""
    if count == 1:
        return f"1 {noun}"
    ending = "ies" if noun.endswith("y") and noun[-2] not in "aeiou" else "s"
    return f"{count} {noun[:-1] if ending == 'ies' else noun}{ending}"
