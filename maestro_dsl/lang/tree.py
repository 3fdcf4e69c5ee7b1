"""The parts of a YAML text with their comments and blank lines: what `fmt` moves and prints.

Unlike `SourceMap` it keeps everything a person wrote beside the data. Reading is `tree_reader`, printing is
`layout`. Knows no kinds of document.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

BLANK: Final = ""
"""Stands between comments for one blank line or several."""


@dataclass(slots=True)
class Scalar:
    """A scalar as written, without its anchor and tag; `style` is "", ', ", | or >."""

    value: str
    raw: str
    style: str
    props: str = ""
    """Its anchor and tag, such as "&name !!str"."""
    column: int = 0
    """Where the collection around it starts in its line; a block scalar may count its indent from there."""


@dataclass(slots=True)
class Alias:
    """`*name`."""

    raw: str
    props: str = ""


@dataclass(slots=True)
class Collection:
    """A mapping or a list, in block or flow style; `end` holds comments after its last entry."""

    is_map: bool
    is_flow: bool
    props: str = ""
    entries: list[Entry] = field(default_factory=list)
    end: list[str] = field(default_factory=list)
    head: list[str] = field(default_factory=list)
    """Comments above the first entry that stay on top, whichever entry is first."""


Node: TypeAlias = "Scalar | Alias | Collection"


@dataclass(slots=True)
class Entry:
    """A key with its value, or an item of a list, with the comments that go where it goes."""

    key: Scalar | Alias | None
    value: Node
    before: list[str] = field(default_factory=list)
    """Comments on their own lines, and blank lines."""
    header: list[str] = field(default_factory=list)
    """Comments between the key and the value."""
    trailing: list[str] = field(default_factory=list)
    """Comments behind the value."""

    @property
    def is_bare(self) -> bool:
        """Whether it has no comments of its own."""
        return not (self.header or self.trailing or any(self.before))


@dataclass(slots=True)
class Tree:
    """One document: what stands before `---`, the root, and whether it holds anchors."""

    root: Entry
    preamble: list[str] = field(default_factory=list)
    has_anchors: bool = False


def comments(tree: Tree) -> Iterator[str]:
    """Yield every comment of a document."""
    yield from (line[line.index("#") :] for line in tree.preamble if "#" in line)
    yield from _of_entry(tree.root)


def _of_entry(entry: Entry) -> Iterator[str]:
    yield from filter(None, (*entry.before, *entry.header))
    if isinstance(entry.value, Collection):
        for inner in entry.value.entries:
            yield from _of_entry(inner)
        yield from filter(None, entry.value.end)
    yield from entry.trailing
