"""Prints a `Tree` in canonical form: two spaces a level, LF, as few quotes as possible, every comment kept.

What was written as a flow collection stays one where it fits on a line and holds no comments. The order of
entries is taken as it comes.
"""

from __future__ import annotations

import re
from typing import Final

from maestro_dsl.lang.block_scalar import block_text
from maestro_dsl.lang.parsing import has_separators
from maestro_dsl.lang.quoting import can_be_plain, double_quoted, is_misread, quoted, written
from maestro_dsl.lang.scalars import resolve
from maestro_dsl.lang.tree import BLANK, Alias, Collection, Entry, Node, Scalar, Tree

WIDTH: Final = 100
"""A flow collection that ends beyond this column is written as a block."""

_STEP: Final = 2
_ANY_WIDTH: Final = 1_000_000
_IGNORE: Final = "maestro: ignore"
_ESCAPE: Final = re.compile(r'\\[^"\\]')
_LONGEST_KEY: Final = 1000
"""libyaml takes a key without "? " up to 1,024 characters."""


def print_tree(tree: Tree) -> str:
    """Return the text of a document; it ends with one LF."""
    printer = _Printer()
    for line in tree.preamble:
        printer.line(0, line)
    printer.root(tree.root)
    return printer.text()


class _Printer:
    """Collects lines; a list item's "- " waits for the first line of what it holds."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._lead = ""
        self._no_blank = True
        """A blank line here would be taken for text, or stands at the start of something."""

    def text(self) -> str:
        """Return everything that was printed."""
        return "\n".join(self._lines) + "\n" if self._lines else ""

    def line(self, indent: int, text: str) -> None:
        """Print one line."""
        start = " " * (indent - len(self._lead)) + self._lead
        self._lines.append((start + text).rstrip(" \t") if not text.endswith("\\ ") else start + text)
        self._lead = ""
        self._no_blank = False

    def comments(self, indent: int, lines: list[str]) -> None:
        """Print comments on their own lines, and blank lines where they may stand.

        No comment fits between "- " and the first key behind it: it goes above the item.
        """
        for text in lines:
            if text != BLANK:
                self._lines.append(" " * (indent - len(self._lead)) + text)
                self._no_blank = False
            elif self._lead:
                continue
            elif not self._no_blank and self._lines[-1] != "":
                self._lines.append("")

    def root(self, entry: Entry) -> None:
        """Print the root of the document."""
        value = entry.value
        if isinstance(value, Collection) and value.entries and _flow_text(value, WIDTH) is None:
            said = [*entry.header, *entry.trailing]
            if value.props:
                self.comments(0, [*entry.before, *said[1:]])
                self.line(0, "  ".join((value.props, *said[:1])))
            else:
                self.comments(0, [*entry.before, *said])
            self._entries(value, 0)
        else:
            self._entry(entry, 0, "")
        while self._lines and self._lines[-1] == "" and not self._no_blank:
            self._lines.pop()

    def _entries(self, collection: Collection, indent: int) -> None:
        self._no_blank = True
        self.comments(indent, collection.head)
        for entry in collection.entries:
            self._entry(entry, indent, _head(entry, collection, indent))
        self.comments(indent, collection.end)

    def _entry(self, entry: Entry, indent: int, head: str) -> None:
        """Print one entry; `head` is "key:", "-", or "" for the root."""
        value = entry.value
        room = WIDTH - indent - len(head.rpartition("\n")[2]) - 1
        if any(_IGNORE in text for text in (*entry.before, *entry.header, *entry.trailing)):
            room = _ANY_WIDTH  # the comment speaks for one line, so all of it stays on one
        if isinstance(value, Collection) and (value.entries or not value.is_flow):
            flow = _flow_text(value, room)
            if flow is None:
                self._block(entry, value, indent, head)
                return
            texts = [flow]
        else:
            texts = _inline(value, indent)
        self._leaf(entry, indent, head, texts)

    def _leaf(self, entry: Entry, indent: int, head: str, texts: list[str]) -> None:
        """Print an entry whose value starts on the line of its key."""
        value = entry.value
        inner = [text for text in value.end if text] if isinstance(value, Collection) else []
        said = [*entry.header, *inner, *entry.trailing]
        behind = entry.trailing[0] if entry.trailing else said[0] if said else None
        if behind is not None:
            said.remove(behind)
        self.comments(indent, [*entry.before, *said])
        first = " ".join(part for part in (head, value.props, texts[0]) if part)
        is_block = isinstance(value, Scalar) and value.style in {"|", ">"} and not texts[0].startswith('"')
        if is_block or len(texts) == 1:
            self._head_lines(indent, f"{first}  {behind}" if behind else first)
            self._raw_lines(texts[1:])
            self._no_blank = is_block and "+" in texts[0]
        else:
            self._head_lines(indent, first)
            self._raw_lines(texts[1:-1])
            self._raw_lines([f"{texts[-1]}  {behind}" if behind else texts[-1]])

    def _block(self, entry: Entry, value: Collection, indent: int, head: str) -> None:
        """Print an entry whose value is a block collection."""
        said = [*entry.header, *entry.trailing]
        behind = said[0] if said else None
        self.comments(indent, [*entry.before, *said[1:]])
        first = " ".join(part for part in (head, value.props) if part)
        is_compact = head == "-" and not value.props and behind is None
        if is_compact:
            self._lead += "- "
        else:
            self._head_lines(indent, f"{first}  {behind}" if behind else first)
        self._entries(value, indent + _STEP)

    def _head_lines(self, indent: int, text: str) -> None:
        for line in text.split("\n"):
            self.line(indent, line)

    def _raw_lines(self, texts: list[str]) -> None:
        self._lines += texts
        self._no_blank = False


def _head(entry: Entry, collection: Collection, indent: int) -> str:
    if not collection.is_map:
        return "-"
    key = _key(entry.key, in_flow=False)
    if len(key) > _LONGEST_KEY:
        return f"? {key}\n:"
    return f"{key}:" if indent >= 0 else ""


def _key(key: Scalar | Alias | None, *, in_flow: bool) -> str:
    if key is None:
        return "?"
    if isinstance(key, Alias):
        return f"{key.raw} "
    if "\n" in key.raw or key.style in {"|", ">"}:
        text = written(key.value, in_flow=in_flow)
    else:
        text = _scalar(key, in_flow=in_flow) or '""'
    return f"{key.props} {text}" if key.props else text


# ---------------------------------------------------------------- values on one line


def _flow_text(node: Node, room: int) -> str | None:
    """Return a flow collection on one line of at most `room` characters, or None where it must be a block."""
    if not isinstance(node, Collection) or not node.is_flow:
        return None
    parts = []
    for entry in node.entries:
        text = _flow_entry(entry, node, room)
        if text is None:
            return None
        parts.append(text)
    if any(node.end):
        return None
    text = ", ".join(parts)
    text = f"{{{text}}}" if node.is_map else f"[{text}]"
    return text if len(text) + len(node.props) <= room else None


def _flow_entry(entry: Entry, parent: Collection, room: int) -> str | None:
    value = entry.value
    if not entry.is_bare:
        return None
    text: str | None
    if isinstance(value, Collection):
        text = _flow_text(value, room) if value.entries else _empty(value)
    elif isinstance(value, Alias):
        text = value.raw
    elif value.style in {"|", ">"} or "\n" in value.raw:
        return None
    else:
        text = _scalar(value, in_flow=True) or ("" if value.props else "null")
    if text is None:
        return None
    if value.props:
        text = f"{value.props} {text}".rstrip()
        text += " " if text == value.props else ""
    if not parent.is_map:
        return text
    key = _key(entry.key, in_flow=True)
    return f"{key}: {text}" if len(key) <= _LONGEST_KEY else None


def _empty(collection: Collection) -> str | None:
    return None if any(collection.end) else "{}" if collection.is_map else "[]"


def _inline(value: Node, indent: int) -> list[str]:
    """Return the lines of a value that starts on the line of its key; all but the first are indented."""
    if isinstance(value, Alias):
        return [value.raw]
    if isinstance(value, Collection):
        return ["{}" if value.is_map else "[]"]
    if "\n" not in value.raw or has_separators(value.raw):
        return [_scalar(value, in_flow=False)]
    if value.style in {"|", ">"}:
        return block_text(value.raw, value.column).printed(indent + _STEP, _STEP)
    first, *rest = _folded(value)
    return [first, *(" " * (indent + _STEP) + line if line else "" for line in rest)]


def _scalar(scalar: Scalar, *, in_flow: bool) -> str:
    """Return a scalar on one line with as few quotes as its value allows."""
    if "\n" in scalar.raw or has_separators(scalar.raw):
        return double_quoted(scalar.value)
    if "!" in scalar.props:
        return scalar.raw
    if scalar.style == "":
        is_text = isinstance(resolve(scalar.value), str)
        return quoted(scalar.value) if is_text and is_misread(scalar.value) else scalar.raw
    if can_be_plain(scalar.value, in_flow=in_flow):
        return scalar.value
    if scalar.style == '"' and _ESCAPE.search(scalar.raw.replace("\\\\", "")):
        return scalar.raw
    return quoted(scalar.value)


def _folded(scalar: Scalar) -> list[str]:
    """Return the lines of a plain or quoted scalar without their indentation; blank lines stay."""
    lines = []
    for line in scalar.raw.split("\n"):
        kept = line.rstrip(" \t")
        slashes = len(kept) - len(kept.rstrip("\\"))
        if scalar.style == '"' and slashes % 2 and len(kept) < len(line):
            kept = line[: len(kept) + 1]  # an escaped blank
        lines.append(kept)
    return [lines[0], *(line.lstrip(" \t") for line in lines[1:])]
