"""Where every key and value of a document stands in its text.

Holds the parser's own marks and turns them into spans only when somebody asks, so that a document without
findings pays almost nothing. Lines break at LF, CRLF and CR only. Knows nothing of schemas or diagnostics.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias, overload

from maestro_dsl.diagnostics import Span
from maestro_dsl.lang.model import Json
from maestro_dsl.lang.scalars import content_start, decoded_offsets
from maestro_dsl.records import dataclass

Pointer: TypeAlias = tuple[str | int, ...]
"""The way from the root of a document to one of its values: keys and list indexes."""

_LINE_END: Final = re.compile(r"\r\n|\r|\n")


Token: TypeAlias = tuple[int, int]
"""A stretch of the text: where it starts and ends."""

Collected: TypeAlias = list[Any]
"""Place of a mapping or a list: a plain list, which is made six times as quickly as an object with fields.

First its own `START`, `END`, `VALUE` and `INDEX`. Then, of a mapping, four marks for each key in the order
of its value: start and size of the key, start and size of what stands there; of a list the last two for each
item. In place of a start stands the place itself where that is no scalar.
"""
START: Final = 0
END: Final = 1
"""0 in block style, where the parser only knows what comes next: it ends with its last value."""
VALUE: Final = 2
INDEX: Final = 3
"""None, or the marks of keys: of all once somebody has asked, before that where the last place counts."""
MARKS: Final = 4
"""Here the marks begin."""
OF_KEY: Final = 4
OF_ITEM: Final = 2


@dataclass(slots=True)
class AliasPlace:
    """Place of an alias (`*name`): its own token, and the place that the anchor marks."""

    token: Token
    target: Place


Place: TypeAlias = "Collected | AliasPlace | Token"


def place_of(mark: Any, size: int) -> Place:
    """Return the place that two marks tell."""
    place: Place = (mark, mark + size) if isinstance(mark, int) else mark
    return place


@overload
def target_of(place: Place) -> Place: ...
@overload
def target_of(place: None) -> None: ...
def target_of(place: Place | None) -> Place | None:
    """Return the place itself, or of an alias that of its anchor."""
    return place.target if isinstance(place, AliasPlace) else place


def places_inside(place: Collected) -> Iterator[Place]:
    """Yield the places of the values of a mapping or a list, in order."""
    is_map = isinstance(place[VALUE], dict)
    for at in range(MARKS + OF_KEY - OF_ITEM if is_map else MARKS, len(place), OF_KEY if is_map else OF_ITEM):
        yield place_of(place[at], place[at + 1])


def one_or_items(place: Place) -> Iterator[Place]:
    """Yield a place, or of a list those of its items; for aliases, what they stand for."""
    inner = target_of(place)
    if isinstance(inner, list) and isinstance(inner[VALUE], list):
        yield from map(target_of, places_inside(inner))
    else:
        yield inner


def key_token(place: Collected, name: str) -> Token:
    """Return where a mapping states a key, for the first time."""
    at = MARKS + OF_KEY * list(place[VALUE]).index(name)
    return place[at], place[at] + place[at + 1]


def marks_of(place: Collected) -> Iterator[tuple[str, Collected]]:
    """Yield the keys of a mapping, each with its four marks."""
    known = place[INDEX] or {}
    for number, name in enumerate(place[VALUE]):
        at = MARKS + OF_KEY * number
        yield name, known.get(name) or place[at : at + OF_KEY]


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
        start, end = _extent(target_of(self._find(pointer).place))
        return self._text[start + content_start(self._text[start:end]) : end]

    def scalar_offsets(self, pointer: Pointer) -> ScalarOffsets:
        """Return the map from offsets inside the decoded scalar at `pointer` to places in the file."""
        found = self._find(pointer)
        place = target_of(found.place)
        start, end = _extent(place)
        value = found.value if isinstance(found.value, str) else self._text[start:end]
        return ScalarOffsets(self, decoded_offsets(self._text[start:end], value, start))

    def renamed(self, pointer: Pointer) -> None:
        """Take note that keys of the mapping at `pointer` have other names now, in the same order."""
        place = target_of(self._find(pointer).place)
        if isinstance(place, list):
            place[INDEX] = None

    def span(self, start: int, end: int) -> Span:
        """Return the span of the text from code point `start` up to `end`."""
        line, column = self.position(start)
        end_line, end_column = self.position(max(start, end))
        return Span(self._file, line, column, end_line, end_column)

    def token_span(self, token: Token) -> Span:
        """Return the span of a token without its anchor and tag."""
        start, end = token
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
            found = self._inside(target_of(place), step)
            if found is None:
                return _Found(key, place, value, is_complete=False)
            key, place, value = found
        return _Found(key, place, value, is_complete=place is not None)

    @staticmethod
    def _inside(place: Place | None, step: str | int) -> tuple[Token | None, Place, Json] | None:
        """Return the key, the place and the value of what stands in a mapping or a list, if it does."""
        if not isinstance(place, list):
            return None
        if isinstance(place[VALUE], dict):
            if place[INDEX] is None or len(place[INDEX]) != len(place[VALUE]):
                place[INDEX] = dict(marks_of(place))
            marks = place[INDEX].get(str(step))
            if not marks:  # nor where a key was added to the value
                return None
            start, size, *inner = marks
            return (start, start + size), place_of(*inner), place[VALUE][str(step)]
        if isinstance(step, int) and 0 <= step < len(place[VALUE]):
            at = MARKS + OF_ITEM * step
            return None, place_of(place[at], place[at + 1]), place[VALUE][step]
        return None

    def _place_span(self, place: Place | None) -> Span:
        if place is None:
            return Span(self._file)
        return self.token_span(place) if isinstance(place, tuple) else self.span(*_extent(place))


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


def _extent(place: Place | None) -> tuple[int, int]:
    """Return where a place starts and ends; a block collection ends with its last value."""
    if place is None:
        return 0, 0
    if isinstance(place, AliasPlace):
        place = place.token
    if isinstance(place, tuple):
        return place
    start, end = place[START], place[END]
    if not end and len(place) > MARKS:
        end = _extent(place_of(place[-2], place[-1]))[1]
    return start, max(start, end)
