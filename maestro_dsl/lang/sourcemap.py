"""Where every key and value of a document stands in its text.

Holds the parser's own marks and turns them into spans only when somebody asks, so that a document without
findings pays almost nothing. Lines break at LF, CRLF and CR only. Knows nothing of schemas or diagnostics.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from maestro_dsl.diagnostics import Span
from maestro_dsl.lang.scalars import decoded_offsets

Pointer: TypeAlias = tuple[str | int, ...]
"""The way from the root of a document to one of its values: keys and list indexes."""

ROOT: Final[Pointer] = ()


class Mark(Protocol):
    """A place in the text; `index` counts code points from 0."""

    @property
    def index(self) -> int:
        """Code points before this place."""


class Token(Protocol):
    """A stretch of the text, from `start_mark` up to `end_mark`."""

    @property
    def start_mark(self) -> Mark:
        """Where it starts."""

    @property
    def end_mark(self) -> Mark:
        """Where it ends, exclusive."""


@dataclass(slots=True)
class MapPlace:
    """Place of a mapping: its opening token, the tokens and places of its entries, its closing token."""

    opening: Token
    entries: dict[str, tuple[Token, Place]]
    closing: Token | None = None


@dataclass(slots=True)
class ListPlace:
    """Place of a list: its opening token, the places of its items, its closing token."""

    opening: Token
    items: list[Place]
    closing: Token | None = None


@dataclass(slots=True)
class AliasPlace:
    """Place of an alias (`*name`): its own token, and the place that the anchor marks."""

    token: Token
    target: Place


Place: TypeAlias = "MapPlace | ListPlace | AliasPlace | Token"


@dataclass(frozen=True, slots=True)
class ScalarOffsets:
    """Maps offsets inside one decoded scalar to the file, through quotes, escapes and folds."""

    source: SourceMap
    offsets: Sequence[int]
    """Index in the text of each decoded code point, and one more for the end."""

    def span(self, start: int, end: int | None = None) -> Span:
        """Return where the decoded code points `start` up to `end` (default: one) stand in the file."""
        last = len(self.offsets) - 1
        first = min(max(start, 0), last)
        stop = min(max(first + 1 if end is None else end, first), last)
        return self.source.span(self.offsets[first], max(self.offsets[stop], self.offsets[first]))


class SourceMap:
    """Positions of one text: `key_span`, `value_span` and `scalar_offsets` take a `Pointer`.

    A pointer that does not exist is answered with its nearest existing ancestor.
    """

    __slots__ = ("_file", "_line_starts", "_load", "_root", "_text")

    def __init__(self, file: str, text: str, root: Place | Callable[[], Place | None] | None) -> None:
        self._file = file
        self._text = text
        self._load = root if callable(root) else None
        self._root: Place | None = None if callable(root) else root
        self._line_starts: list[int] | None = None

    @property
    def file(self) -> str:
        """The file as shown to the user."""
        return self._file

    @property
    def text(self) -> str:
        """The decoded text, without a byte order mark."""
        return self._text

    def key_span(self, pointer: Pointer) -> Span:
        """Return the span of the key that leads to `pointer`; of a list item, the item itself."""
        raise NotImplementedError

    def value_span(self, pointer: Pointer) -> Span:
        """Return the span of the value at `pointer`; of an empty value, its key."""
        raise NotImplementedError

    def scalar_offsets(self, pointer: Pointer) -> ScalarOffsets:
        """Return the map from offsets inside the decoded scalar at `pointer` to places in the file."""
        raise NotImplementedError

    def span(self, start: int, end: int) -> Span:
        """Return the span of the text from code point `start` up to `end`."""
        raise NotImplementedError
