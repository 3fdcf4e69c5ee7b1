"""The two documents as nodes that know their place; references are followed one by one, never expanded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from maestro_dsl.lang.sourcemap import Pointer

_MAX_REFS: Final = 64
_MOST_DIGITS: Final = 9


class Node:
    """A value of a document and the way to it; the same place is always the same node."""

    __slots__ = ("pointer", "side", "value")

    def __init__(self, side: Side, pointer: Pointer, value: Any) -> None:
        self.side = side
        self.pointer = pointer
        self.value = value

    def child(self, key: str | int) -> Node | None:
        """Return what stands under `key`, as it is written; None where nothing does."""
        value = self.value
        if isinstance(value, dict):
            return self.side.node((*self.pointer, key), value[key]) if key in value else None
        if isinstance(value, list) and isinstance(key, int) and 0 <= key < len(value):
            return self.side.node((*self.pointer, key), value[key])
        return None

    def get(self, key: str | int) -> Node | None:
        """Return what stands under `key`, references followed; None where nothing does."""
        found = self.child(key)
        return None if found is None else self.side.follow(found)

    def raw(self, key: str) -> Any:
        """Return the value under `key` as it is written; None where there is none."""
        return self.value.get(key) if isinstance(self.value, dict) else None

    def text(self, key: str) -> str | None:
        """Return the text under `key`; None where there is none."""
        value = self.raw(key)
        return value if isinstance(value, str) else None

    def flag(self, key: str) -> bool:
        """Return whether `key` is true."""
        return self.raw(key) is True

    def entries(self, key: str) -> Iterator[tuple[str, Node]]:
        """Yield the entries of the mapping under `key` by name, references followed."""
        inner = self.get(key)
        if inner is not None and isinstance(inner.value, dict):
            for name in inner.value:
                found = inner.get(name)
                if found is not None:
                    yield str(name), found

    def listed(self, key: str) -> Iterator[Node]:
        """Yield the items of the list under `key`, references followed."""
        inner = self.get(key)
        if inner is not None and isinstance(inner.value, list):
            for number in range(len(inner.value)):
                found = inner.get(number)
                if found is not None:
                    yield found


Conj: TypeAlias = tuple[Node, ...]
"""Schemas that hold together; empty where anything goes."""


class Side:
    """One of the two documents."""

    __slots__ = ("_nodes", "root", "version")

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._nodes: dict[Pointer, Node] = {}
        self.root = self.node((), document)
        self.version = str(document.get("openapi"))

    def node(self, pointer: Pointer, value: Any) -> Node:
        """Return the one node of a place."""
        found = self._nodes.get(pointer)
        if found is None:
            found = self._nodes[pointer] = Node(self, pointer, value)
        return found

    def follow(self, node: Node) -> Node | None:
        """Return `node`, or what its chain of `$ref` ends at; None where that leads nowhere."""
        current: Node | None = node
        for _ in range(_MAX_REFS):
            if current is None:
                return None
            ref = current.value.get("$ref") if isinstance(current.value, dict) else None
            if not isinstance(ref, str):
                return current
            current = self.target(ref)
        return None

    def target(self, ref: str) -> Node | None:
        """Return what a reference inside this document points to, one step."""
        if not ref.startswith("#"):
            return None
        pointer: list[str | int] = []
        value: Any = self.root.value
        for raw in ref[1:].split("/")[1:]:
            key = unquote(raw).replace("~1", "/").replace("~0", "~")
            if isinstance(value, dict) and key in value:
                pointer.append(key)
                value = value[key]
            elif isinstance(value, list) and _index(key) < len(value):
                pointer.append(_index(key))
                value = value[_index(key)]
            else:
                return None
        return self.node(tuple(pointer), value)


def place_of(node: Node | None) -> Pointer | None:
    """Return where a node stands; None where there is none."""
    return None if node is None else node.pointer


def _index(text: str) -> int:
    is_index = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    return int(text) if is_index else 10**_MOST_DIGITS
