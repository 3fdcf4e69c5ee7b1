"""Reads a YAML text into a `Tree`: the parser's events give the parts, the gaps between them the comments.

A gap holds nothing but blanks, indicators (- ? : , [ ] { }) and comments, so every # in a gap starts a
comment. The text must be one that `source.load` accepts, and its lines must end with LF.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import yaml

from maestro_dsl.lang.block_scalar import block_text
from maestro_dsl.lang.parsing import parser_of
from maestro_dsl.lang.tree import BLANK, Alias, Collection, Entry, Node, Scalar, Tree

if TYPE_CHECKING:
    from collections.abc import Callable

Event: TypeAlias = Any
"""An event of PyYAML; its C parser has no types."""

_PROPERTY: Final = re.compile(r"[&!][^\s,\[\]{}]*")
_UNSEEN: Final = re.compile(r"(?:[ \t\n]|#[^\n]*)*")


class SeveralDocuments(ValueError):  # noqa: N818 - the caller turns it into a sentence
    """The text holds more than one document."""


@dataclass(slots=True)
class _Pending:
    """A comment on its own line, or a blank line, that nothing has taken yet."""

    text: str
    column: int


def read_tree(text: str) -> Tree:
    """Return the parts of the first and only document of `text`.

    Raises:
        SeveralDocuments: there are more.
        yaml.YAMLError: it is not valid YAML.
    """
    return _Reader(text).read()


class _Reader:
    """Walks the events once; `_at` is how far the text is used up."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._next: Callable[[], Event] = parser_of(text)
        self._at = 0
        self._line_start = 0
        """Where the line of the next comment starts."""
        self._has_content = False
        """Whether something other than blanks stands on this line before `_at`."""
        self._pending: list[_Pending] = []
        self._lead: list[str] = []
        """Comments behind a "-" or "?" whose value has not come yet."""
        self._dash = 0
        """How many of `_pending` stand before the last "-"."""
        self._slot: list[str] | None = None
        """Where a comment goes that stands behind something on its line."""
        self._has_anchors = False

    def read(self) -> Tree:
        """Read the whole stream."""
        event: Event = self._next()
        while event.__class__ is not yaml.DocumentStartEvent:
            event = self._next()
        preamble = self._preamble(event)
        first: Event = self._next()
        root = Entry(key=None, value=Scalar("", "", ""))
        self._gap(first.start_mark.index)
        root.value = self._node(first, root, -1)
        while event.__class__ is not yaml.StreamEndEvent:
            event = self._next()
            if event.__class__ is yaml.DocumentStartEvent:
                raise SeveralDocuments
            self._gap(event.start_mark.index)
            self._skip(event.end_mark.index)
        self._gap(len(self._text))
        rest = self._take()
        if isinstance(root.value, Collection) and not root.value.is_flow:
            root.value.end += rest
        else:
            root.trailing += filter(None, rest)
        return Tree(root=root, preamble=preamble, has_anchors=self._has_anchors)

    def _preamble(self, event: Event) -> list[str]:
        if not event.explicit:
            return []
        self._skip(event.end_mark.index)
        self._has_content = True
        lines = [line.rstrip() for line in self._text[: self._at].split("\n")]
        self._slot = []
        end = self._text.find("\n", self._at)
        rest = self._text[self._at : len(self._text) if end < 0 else end].lstrip()
        if rest.startswith("#"):
            lines[-1] += f"  {rest.rstrip()}"
        return [line for line in lines if line]

    # ---------------------------------------------------------------- parts

    def _node(self, event: Event, owner: Entry, column: int) -> Node:
        """Return what starts with `event`; `column` is where the collection around it starts in its line."""
        kind = event.__class__
        if kind is yaml.ScalarEvent:
            value: Node = self._scalar(event, owner, column)
        elif kind is yaml.AliasEvent:
            self._skip(event.end_mark.index)
            self._has_anchors = True
            value = Alias(self._text[event.start_mark.index : event.end_mark.index])
        else:
            return self._collection(event, owner, column)
        self._slot = owner.trailing
        return value

    def _scalar(self, event: Event, owner: Entry, column: int) -> Scalar:
        self._slot = owner.header
        props = self._props(event)
        if props:
            self._gap(self._visible(event.end_mark.index))
        owner.before += filter(None, self._take())
        raw = self._text[self._at : max(event.end_mark.index, self._at)]
        self._skip(event.end_mark.index)
        style = event.style or ""
        if style in {"|", ">"}:
            head = raw.partition("\n")[0]
            if "#" in head:
                owner.header.append(head[head.index("#") :].rstrip())
            self._has_content = not raw.endswith("\n")
            if block_text(raw, column).ends_blank:
                self._pending.append(_Pending(BLANK, 0))
        return Scalar(event.value, raw, style, props, column)

    def _collection(self, event: Event, owner: Entry, outer: int) -> Collection:
        """Return a mapping or a list; `outer` is where the collection around it starts in its line."""
        is_map = isinstance(event, yaml.MappingStartEvent)
        made = Collection(is_map=is_map, is_flow=bool(event.flow_style))
        self._slot = owner.header
        if made.is_flow or event.anchor or event.tag:
            owner.before += filter(None, self._take())
        made.props = self._props(event)
        if made.is_flow:
            owner.before += filter(None, self._take())
            if self._text[self._at : self._at + 1] == ("{" if is_map else "["):
                self._skip(self._at + 1)
        first = self._visible(len(self._text))
        column = first - 1 - self._text.rfind("\n", 0, first)
        (self._entries if is_map else self._items)(made, owner, column, outer)
        return made

    def _entries(self, made: Collection, owner: Entry, column: int, outer: int) -> None:
        while True:
            event = self._next()
            self._gap(event.start_mark.index)
            if isinstance(event, yaml.MappingEndEvent):
                self._close(made, event, owner, outer)
                return
            entry = Entry(key=None, value=Scalar("", "", ""), before=[*self._take(), *self._lead])
            self._lead = []
            key = self._node(event, entry, column)
            entry.key = None if isinstance(key, Collection) else key
            self._slot = entry.header
            value = self._next()
            self._gap(value.start_mark.index)
            entry.value = self._node(value, entry, column)
            made.entries.append(entry)

    def _items(self, made: Collection, owner: Entry, column: int, outer: int) -> None:
        while True:
            event = self._next()
            self._gap(event.start_mark.index)
            if isinstance(event, yaml.SequenceEndEvent):
                self._close(made, event, owner, outer)
                return
            if made.is_flow:
                self._dash = len(self._pending)
            before, self._pending = self._pending[: self._dash], self._pending[self._dash :]
            entry = Entry(key=None, value=Scalar("", "", ""), header=self._lead)
            entry.before = [item.text for item in before]
            self._lead = []
            entry.value = self._node(event, entry, column)
            made.entries.append(entry)

    def _close(self, made: Collection, event: Event, owner: Entry, outer: int) -> None:
        """End a collection: comments that are indented deeper than what is around it are its own."""
        if made.is_flow:
            made.end += self._take()
            self._skip(event.end_mark.index)
            self._slot = owner.trailing
            return
        mine = 0
        for index, item in enumerate(self._pending):
            if item.text != BLANK:
                if item.column <= outer:
                    break
                mine = index + 1
        made.end += (item.text for item in self._pending[:mine])
        self._pending = self._pending[mine:]

    def _props(self, event: Event) -> str:
        """Use up the anchor and tag of `event`, with comments between them, and return them."""
        found: list[str] = []
        for _ in range((event.anchor is not None) + (event.tag is not None)):
            if found:
                self._gap(self._visible(len(self._text)))
            match = _PROPERTY.match(self._text, self._at)
            if match is not None:
                found.append(match.group())
                self._skip(match.end())
        self._has_anchors = self._has_anchors or event.anchor is not None
        return " ".join(found)

    def _visible(self, limit: int) -> int:
        """Return where the next character stands that is neither blank nor in a comment."""
        match = _UNSEEN.match(self._text, self._at, limit)
        return match.end() if match is not None else self._at

    # ---------------------------------------------------------------- gaps

    def _skip(self, end: int) -> None:
        """Use the text up to `end`, which is no gap."""
        if end > self._at:
            found = self._text.rfind("\n", self._at, end)
            if found >= 0:
                self._line_start = found + 1
            self._at = end
            self._has_content = True

    def _gap(self, end: int) -> None:
        """Use the text up to `end`, which holds blanks, indicators and comments."""
        gap = self._text[self._at : end]
        if "#" in gap or gap.count("\n") > 1:
            self._gap_by_character(end)
        elif gap:
            self._plain_gap(gap)
            self._at = end

    def _plain_gap(self, gap: str) -> None:
        """Take note of a gap without comments and with at most one line break, as most are."""
        before, line_break, rest = gap.rpartition("\n")
        if line_break:
            if not (self._has_content or before.strip(" \t")):
                self._pending.append(_Pending(BLANK, 0))
            self._line_start = self._at + len(before) + 1
            self._has_content = False
        self._has_content = self._has_content or bool(rest.strip(" \t"))
        if "-" in gap or "?" in gap:
            self._dash = len(self._pending)

    def _gap_by_character(self, end: int) -> None:
        text, at = self._text, self._at
        lead = False
        while at < end:
            char = text[at]
            if char == "\n":
                if not self._has_content:
                    self._pending.append(_Pending(BLANK, 0))
                self._line_start = at + 1
                self._has_content = lead = False
            elif char == "#":
                stop = at
                while stop < end and text[stop] != "\n":
                    stop += 1
                self._comment(text[at:stop].rstrip(), at - self._line_start, is_lead=lead)
                at = stop
                self._has_content = True
                continue
            elif char in "-?":
                lead = self._has_content = True
                self._dash = len(self._pending)
            elif char not in " \t":
                self._has_content = True
            at += 1
        self._at = max(self._at, end)

    def _comment(self, text: str, column: int, *, is_lead: bool) -> None:
        if is_lead:
            self._lead.append(text)
        elif self._has_content and self._slot is not None:
            self._slot.append(text)
        else:
            self._pending.append(_Pending(text, column))

    def _take(self) -> list[str]:
        found = [item.text for item in self._pending]
        self._pending = []
        return found
