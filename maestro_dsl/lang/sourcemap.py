"""Where every key and value of a document stands in its text.

Holds the parser's own marks and turns them into spans only when somebody asks, so that a document without
findings pays almost nothing. Lines break at LF, CRLF and CR only. Knows nothing of schemas or diagnostics.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from maestro_dsl.diagnostics import Span
from maestro_dsl.lang.model import Json
from maestro_dsl.lang.scalars import content_start, decoded_offsets
from maestro_dsl.records import dataclass

Pointer: TypeAlias = tuple[str | int, ...]
"""The way from the root of a document to one of its values: keys and list indexes."""

_LINE_END: Final = re.compile(r"\r\n|\r|\n")


POSITION_BITS: Final = 30
_END_MASK: Final = (1 << POSITION_BITS) - 1

Token: TypeAlias = int
"""A stretch of the text as one integer, start << POSITION_BITS | end: small, and fast to keep."""


@dataclass(slots=True)
class MapPlace:
    """Place of the mapping `value`; `marks` holds key, place, key, place … in the order of `value`.

    `end` is 0 in block style, where the parser only knows what comes next: it ends with its last value.
    """

    start: int
    end: int
    value: dict[str, Json]
    marks: list[Any]
    later: dict[str, tuple[Token, Place]] | None = None
    """Key and place of what stands once more further down, where the last counts."""
    _index: dict[str, int] | None = None

    def entry(self, name: str | int) -> tuple[Token, Place] | None:
        """Return the key token of `name` and the place of its value."""
        if self.later is not None and name in self.later:
            return self.later[str(name)]
        if self._index is None or len(self._index) != len(self.value):
            self._index = {key: 2 * number for number, key in enumerate(self.value)}
        at = self._index.get(str(name))
        return None if at is None else (self.marks[at], self.marks[at + 1])

    def forget(self) -> None:
        """Forget where names stand: `value` has others now, in the same order."""
        self._index = None


@dataclass(slots=True)
class ListPlace:
    """Place of the list `value`; `marks` holds the places of its items, `end` is as in `MapPlace`."""

    start: int
    end: int
    value: list[Json]
    marks: list[Any]


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

    A pointer that does not exist is answered with its nearest existing ancestor. `root` may be a function
    that finds the places on first use.
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
        found = self._find(pointer)
        return self.token_span(found.key) if found.key is not None else self._place_span(found.place)

    def value_span(self, pointer: Pointer) -> Span:
        """Return the span of the value at `pointer`; of an empty value, its key."""
        found = self._find(pointer)
        if not found.is_complete and found.key is not None:
            return self.token_span(found.key)
        span = self._place_span(found.place)
        is_empty = (span.line, span.column) == (span.end_line, span.end_column)
        return self.token_span(found.key) if is_empty and found.key is not None else span

    def has(self, pointer: Pointer) -> bool:
        """Return whether something stands at `pointer`."""
        return self._find(pointer).is_complete

    def raw(self, pointer: Pointer) -> str:
        """Return the text of the value at `pointer` as written, quotes included."""
        start, end = _extent(_target(self._find(pointer).place))
        return self._text[start + content_start(self._text[start:end]) : end]

    def scalar_offsets(self, pointer: Pointer) -> ScalarOffsets:
        """Return the map from offsets inside the decoded scalar at `pointer` to places in the file."""
        found = self._find(pointer)
        place = _target(found.place)
        start, end = _extent(place)
        value = found.value if isinstance(found.value, str) else self._text[start:end]
        return ScalarOffsets(self, decoded_offsets(self._text[start:end], value, start))

    def renamed(self, pointer: Pointer) -> None:
        """Take note that keys of the mapping at `pointer` have other names now, in the same order."""
        place = _target(self._find(pointer).place)
        if isinstance(place, MapPlace):
            place.forget()

    def span(self, start: int, end: int) -> Span:
        """Return the span of the text from code point `start` up to `end`."""
        line, column = self.position(start)
        end_line, end_column = self.position(max(start, end))
        return Span(self._file, line, column, end_line, end_column)

    def token_span(self, token: Token) -> Span:
        """Return the span of a token without its anchor and tag."""
        start, end = _extent(token)
        return self.span(start + content_start(self._text[start:end]), end)

    def position(self, index: int) -> tuple[int, int]:
        """Return line and column, from 1, of the code point `index`."""
        starts = self._starts()
        index = min(max(index, 0), len(self._text))
        line = bisect_right(starts, index)
        return line, index - starts[line - 1] + 1

    def index(self, line: int) -> int:
        """Return the index at which `line`, from 1, starts."""
        return self._starts()[line - 1]

    def _starts(self) -> list[int]:
        if self._line_starts is None:
            self._line_starts = line_starts(self._text)
        return self._line_starts

    @property
    def root(self) -> Place | None:
        """The place of the whole document."""
        if self._load is not None:
            self._root, self._load = self._load(), None
        return self._root

    def _find(self, pointer: Pointer) -> _Found:
        key: Token | None = None
        place = self.root
        value: Json = None
        for step in pointer:
            inner = _target(place)
            if isinstance(inner, MapPlace) and (entry := inner.entry(step)) is not None:
                (key, place), value = entry, inner.value[str(step)]
            elif isinstance(inner, ListPlace) and isinstance(step, int) and 0 <= step < len(inner.marks):
                key, place, value = None, inner.marks[step], inner.value[step]
            else:
                return _Found(key, place, value, is_complete=False)
        return _Found(key, place, value, is_complete=place is not None)

    def _place_span(self, place: Place | None) -> Span:
        if place is None:
            return Span(self._file)
        return self.token_span(place) if isinstance(place, int) else self.span(*_extent(place))


def line_starts(text: str) -> list[int]:
    """Return the index at which each line of `text` starts."""
    return [0, *(match.end() for match in _LINE_END.finditer(text))]


@dataclass(frozen=True, slots=True)
class _Found:
    """The nearest existing key and place on the way to a pointer."""

    key: Token | None
    place: Place | None
    value: Json
    is_complete: bool


def _target(place: Place | None) -> Place | None:
    return place.target if isinstance(place, AliasPlace) else place


def _extent(place: Place | None) -> tuple[int, int]:
    """Return where a place starts and ends; a block collection ends with its last value."""
    if place is None:
        return 0, 0
    if isinstance(place, AliasPlace):
        place = place.token
    if isinstance(place, int):
        return place >> POSITION_BITS, place & _END_MASK
    if place.end or not place.marks:
        return place.start, max(place.start, place.end)
    return place.start, max(place.start, _extent(place.marks[-1])[1])
