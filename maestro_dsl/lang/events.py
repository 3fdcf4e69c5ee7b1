"""Builds data and positions from a stream of YAML events, and stops as soon as a limit is passed.

One builder reads one document. Everything is counted while events arrive, so that a bomb is left before it
is parsed. Turning the parser's own errors into findings is not done here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import yaml

from maestro_dsl.diagnostics import Quota
from maestro_dsl.lang import scalars
from maestro_dsl.lang.limits import MOST_UNKNOWN
from maestro_dsl.lang.model import Json
from maestro_dsl.lang.refusals import (
    CORE_TAG,
    KEY_NOT_TEXT,
    NO_MERGE,
    StopReading,
    ambiguous,
    duplicate_key,
    refuse,
    tag_refused,
    written_tag,
)
from maestro_dsl.lang.sourcemap import (
    END,
    INDEX,
    START,
    VALUE,
    AliasPlace,
    Place,
    key_token,
    marks_of,
    one_or_items,
    place_of,
)
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from maestro_dsl.diagnostics import Diagnostic, Span
    from maestro_dsl.lang.limits import Limits
    from maestro_dsl.lang.sourcemap import Collected, SourceMap, Token

Event: TypeAlias = Any
"""An event of PyYAML; its C parser has no types."""

_TYPES_OF_TAG: Final[dict[str, tuple[type, ...]]] = {
    "null": (type(None),),
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
}


@dataclass(slots=True)
class _Anchor:
    value: Json
    place: Place
    text: str | None
    """The text of a scalar, which can stand as a key; None for a collection."""
    nodes: int
    size: int


_Anchored: TypeAlias = tuple[str, int, int]
"""The anchor of an open collection, and the counts of values and characters before it."""

_Open: TypeAlias = "tuple[Collected | None, Any, bool, str, bool, _Anchored | None]"
"""What to go back to when a collection ends: place and value of the collection around it (None = it is the
root) and whether that is a mapping; the key it stands at and whether that is special; its anchor."""


class Builder:
    """Reads the first document of a stream; afterwards `value`, `place` and `findings` hold it."""

    def __init__(self, source: SourceMap, limits: Limits) -> None:
        self.value: Json = None
        self.place: Place | None = None
        self.findings: list[Diagnostic] = []
        self.second_document: int | None = None
        """Where a second document starts in the text, if there is one."""
        self.unknown: set[int] = set()
        """Where the values start that could not be read; the rest was."""
        self._source = source
        self._limits = limits
        self._expanded = 0
        self._anchors: dict[str, _Anchor] = {}
        self._pending: set[str] = set()
        self._plain: dict[str, Json] = {}
        self._known_keys: dict[str, str] = {}
        self._merges: list[tuple[Collected, Place]] = []
        self._quota = Quota()

    def read(self, next_event: Callable[[], Event]) -> None:  # noqa: C901, PLR0912, PLR0915 - see the comment
        """Consume the events of one document.

        Raises:
            StopReading: a limit is passed, or something stands there that our YAML does not have.
        """
        # One long loop over local names: at a million events a second each call and attribute counts, and
        # each byte that is kept. Of an event, only integers are: where it starts, and its size, which is
        # small and so an integer that exists already. Text as long as what is written has no quotes, tag or
        # anchor, so that nobody has to ask for them. Rare cases are in the methods below.
        scalar, alias = yaml.ScalarEvent, yaml.AliasEvent
        mapping_start, mapping_end = yaml.MappingStartEvent, yaml.MappingEndEvent
        sequence_start, sequence_end = yaml.SequenceStartEvent, yaml.SequenceEndEvent
        document_start, stream_end = yaml.DocumentStartEvent, yaml.StreamEndEvent
        plain, known_keys = self._plain, self._known_keys
        starts, numbers, words = scalars.INTERESTING_STARTS, scalars.NUMBER_STARTS, scalars.INTERESTING_WORDS
        max_nodes, max_depth = self._limits.nodes, self._limits.depth
        stack: list[_Open] = []
        parent: Any = None
        container: Any = None
        name = ""
        nodes = documents = size = 0
        wants_key = in_map = special = False
        while True:
            event = next_event()
            kind = event.__class__
            value: Any
            place: Any
            if wants_key and kind is scalar:
                value = event.value
                start = event.start_mark.index
                size = event.end_mark.index - start
                if size != len(value) or value in container:
                    name, special = value, self._check_key(event, parent)
                elif value in known_keys:
                    name = known_keys[value]
                elif not value or (value[0] in starts and (value[0] in numbers or value in words)):
                    name, special = value, self._check_key(event, parent)
                else:
                    name = known_keys[value] = value
                parent.append(start)
                parent.append(size)
                event = next_event()
                kind = event.__class__
                wants_key = False
            if kind is scalar:
                value = event.value
                place = event.start_mark.index
                size = event.end_mark.index - place
                if size == len(value):
                    if not value or (value[0] in starts and (value[0] in numbers or value in words)):
                        value = plain[value] if value in plain else self._plain_value(event)
                else:
                    value = self._dressed(event, (place, place + size))
                nodes += 1
                if nodes > max_nodes:
                    raise self._too_many(event)
            elif kind is mapping_end or kind is sequence_end:
                place, value, size = parent, container, 0
                at = event.end_mark.index
                if at > event.start_mark.index:
                    place[END] = at
                if self._merges and in_map:
                    nodes += self._merge(place)
                parent, container, in_map, name, special, anchored = stack.pop()
                wants_key = False
                if anchored is not None:
                    self._close_anchor(anchored, place, nodes, at)
            elif kind is mapping_start or kind is sequence_start:
                if wants_key:
                    raise self._stop(event, "SYN001", "yaml-syntax", *KEY_NOT_TEXT)
                nodes += 1
                if nodes > max_nodes:
                    raise self._too_many(event)
                anchored = None
                if event.anchor or event.tag or len(stack) >= max_depth:
                    anchored = self._check_start(event, nodes - 1, is_too_deep=len(stack) >= max_depth)
                stack.append((parent, container, in_map, name, special, anchored))
                special = False
                in_map = wants_key = kind is mapping_start
                container = {} if in_map else []
                parent = [event.start_mark.index, 0, container, None]
                continue
            elif kind is alias:
                known = self._expand(event, is_key=wants_key)
                start, end = event.start_mark.index, event.end_mark.index
                if wants_key:
                    name, special = self._alias_key(event, known, parent)
                    parent += start, end - start
                    wants_key = False
                    continue
                nodes += known.nodes
                if nodes > max_nodes:
                    raise self._expands_too_far(event)
                value, place, size = known.value, AliasPlace((start, end), known.place), 0
            elif kind is document_start:
                documents += 1
                if documents > 1:
                    self.second_document = event.start_mark.index
                    return
                continue
            elif kind is stream_end:
                return
            else:
                continue
            if in_map:
                wants_key = True
                if special:
                    special = False
                    if not self._is_kept(name, parent, value, (place, size)):
                        del parent[-2:]  # the key that stands twice
                        continue
                container[name] = value
                parent.append(place)
                parent.append(size)
            elif container is None:
                self.value, self.place = value, place_of(place, size)
            else:
                container.append(value)
                parent.append(place)
                parent.append(size)

    # ---------------------------------------------------------------- scalars and keys

    def _plain_value(self, event: Event) -> Json:
        """Return the value of plain text; what is unambiguous is remembered."""
        text: str = event.value
        value = scalars.resolve(text)
        if self._limits.strict and scalars.is_ambiguous(text):
            self._ambiguous(event, value)
        else:
            self._plain[text] = value
        return value

    def _dressed(self, event: Event, place: Token) -> Json:
        """Return the value of a scalar in quotes, in several lines, or with a tag or an anchor."""
        value: Json = event.value
        if event.implicit[0]:
            value = self._plain_value(event)
        elif event.tag:
            value = self._tagged(event)
        if event.anchor:
            self._anchors[event.anchor] = _Anchor(value, place, event.value, 1, len(event.value))
        return value

    def _tagged(self, event: Event) -> Json:
        """Return the value of a scalar with a tag of the core schema; with any other it is unknown."""
        tag, text = str(event.tag), str(event.value)
        if tag in {"!", CORE_TAG + "str"}:
            return text
        wanted = _TYPES_OF_TAG.get(tag.removeprefix(CORE_TAG)) if tag.startswith(CORE_TAG) else None
        value = scalars.resolve(text)
        if wanted is None or type(value) not in wanted:
            self._leave_out_tagged(event, text)
            return None
        return value

    def _check_key(self, event: Event, parent: Any) -> bool:
        """Report a key that is ambiguous or stands twice; return whether its value needs `_is_kept`."""
        name: str = event.value
        is_plain = event.implicit[0]
        if event.tag:
            self._tagged(event)
            self.unknown.discard(event.start_mark.index)  # the text of a key counts whatever its tag is
        if event.anchor:
            token = event.start_mark.index, event.end_mark.index
            self._anchors[event.anchor] = _Anchor(name, token, name, 1, len(name))
        if name == "<<" and is_plain:
            if self._limits.strict:
                raise self._stop(event, "SYN005", "alias-limit", *NO_MERGE)
            return True
        if self._limits.strict and scalars.is_ambiguous(name):
            if is_plain:
                self._ambiguous(event, name)
        elif name != "<<":
            self._known_keys[name] = name
        if name in parent[VALUE]:
            self._duplicate(event, name, parent)
            return True
        return False

    def _is_kept(self, name: str, parent: Any, value: Json, marks: tuple[Any, int]) -> bool:
        """Return whether the value of a key that stands twice, or of a merge key, goes into the mapping.

        Of a key that stands twice the first value counts in our documents, the last in others'.
        """
        if name in parent[VALUE]:
            if not self._limits.strict:
                parent[VALUE][name] = value
                parent[INDEX] = parent[INDEX] or {}
                parent[INDEX][name] = [*parent[-2:], *marks]
            return False
        self._merges.append((parent, place_of(*marks)))
        return False

    # ---------------------------------------------------------------- collections

    def _check_start(self, event: Event, nodes: int, *, is_too_deep: bool) -> _Anchored | None:
        """Refuse what goes too deep or has a tag, and return what is to be known when an anchor ends."""
        if is_too_deep:
            message = f"nested deeper than {self._limits.depth} levels"
            raise self._stop(event, "SYN005", "alias-limit", message, "split the file, or flatten it")
        tag = event.tag
        kind = "map" if event.__class__ is yaml.MappingStartEvent else "seq"
        if tag and tag not in {"!", CORE_TAG + kind}:
            self._leave_out_tagged(event, None)
        if not event.anchor:
            return None
        self._pending.add(event.anchor)
        return event.anchor, nodes, self._expanded

    def _close_anchor(self, anchored: _Anchored, place: Any, nodes: int, end: int) -> None:
        name, nodes_before, size_before = anchored
        size = end - place[START] + self._expanded - size_before
        self._anchors[name] = _Anchor(place[VALUE], place, None, nodes - nodes_before, size)
        self._pending.discard(name)

    # ---------------------------------------------------------------- aliases and merge keys

    def _expand(self, event: Event, *, is_key: bool) -> _Anchor:
        """Return what an alias stands for, after counting its size."""
        anchor = self._anchors.get(event.anchor)
        if event.anchor in self._pending:
            message = f'alias "*{event.anchor}" stands inside its own anchor, which never ends'
            raise self._stop(event, "SYN005", "alias-limit", message, "write the value out")
        if anchor is None:
            message = f'alias "*{event.anchor}" has no anchor "&{event.anchor}" before it'
            hint = "put text that starts with * in quotes"
            self._leave_out(event, self._event_span(event), message, hint, is_key=is_key)
            return _Anchor(None, (event.start_mark.index, event.end_mark.index), None, 1, 0)
        self._expanded += anchor.size
        if self._expanded > self._limits.size:
            raise self._expands_too_far(event)
        return anchor

    def _alias_key(self, event: Event, anchor: _Anchor, parent: Any) -> tuple[str, bool]:
        if anchor.text is None:
            raise self._stop(event, "SYN001", "yaml-syntax", *KEY_NOT_TEXT)
        if anchor.text in parent[VALUE]:
            self._duplicate(event, anchor.text, parent)
            return anchor.text, True
        return anchor.text, False

    def _merge(self, parent: Collected) -> int:
        """Add the keys that merge keys bring into a mapping; return how many."""
        before = len(parent[VALUE])
        mine = [place for owner, place in self._merges if owner is parent]
        self._merges = [item for item in self._merges if item[0] is not parent]
        for place in mine:
            for inner in one_or_items(place):
                if not isinstance(inner, list) or not isinstance(inner[VALUE], dict):
                    message = 'merge key "<<" needs a mapping or a list of mappings'
                    span = self._source.span(parent[START], parent[START] + 1)
                    raise refuse(span, "SYN005", "alias-limit", message, None)
                for name, marks in marks_of(inner):
                    if name not in parent[VALUE]:
                        parent[VALUE][name] = inner[VALUE][name]
                        parent += marks
        return len(parent[VALUE]) - before

    # ---------------------------------------------------------------- findings

    def _leave_out(self, event: Event, span: Span, message: str, help_text: str, *, is_key: bool) -> None:
        """Report a value that cannot be read and go on; what is a key, or no document of ours, ends here."""
        stop = refuse(span, "SYN001", "yaml-syntax", message, help_text)
        self._quota.has_room("SYN001")
        if is_key or not self._limits.strict or self._quota["SYN001"] > MOST_UNKNOWN:
            raise stop
        self.findings.append(stop.diagnostic)
        self.unknown.add(event.start_mark.index)

    def _leave_out_tagged(self, event: Event, text: str | None) -> None:
        tag, span = written_tag(event, self._source)
        self._leave_out(event, span, *tag_refused(str(event.tag), tag, text), is_key=False)

    def _stop(self, event: Event, code: str, name: str, message: str, help_text: str | None) -> StopReading:
        return refuse(self._event_span(event), code, name, message, help_text)

    def _too_many(self, event: Event) -> StopReading:
        message = f"more than {self._limits.nodes:,} values in one document"
        return self._stop(event, "SYN005", "alias-limit", message, "split the document")

    def _expands_too_far(self, event: Event) -> StopReading:
        message = f'alias "*{event.anchor}" expands the document beyond the limit'
        hint = f"the limit is {self._limits.nodes:,} values and {self._limits.size:,} characters"
        return self._stop(event, "SYN005", "alias-limit", message, hint)

    def _duplicate(self, event: Event, name: str, parent: Any) -> None:
        if not self._quota.has_room("SYN002"):
            return
        first = self._source.token_span(key_token(parent, name))
        self.findings.append(
            duplicate_key(self._event_span(event), first, name, is_error=self._limits.strict)
        )

    def _ambiguous(self, event: Event, value: Json) -> None:
        if self._quota.has_room("SYN003"):
            self.findings.append(ambiguous(self._event_span(event), event.value, value))

    def _event_span(self, event: Event) -> Span:
        start, end = event.start_mark.index, event.end_mark.index
        return self._source.span(start + scalars.content_start(self._source.text[start:end]), end)
