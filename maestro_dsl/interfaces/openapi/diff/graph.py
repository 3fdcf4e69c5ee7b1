"""Pairs of schemas and what differs in each, found out once a pair, whatever cycle it is met in.

A pair knows its own differences and its inner pairs; walking from a pair gives every one below it once.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from maestro_dsl.interfaces.openapi.diff.shape import Shape, shape_of
from maestro_dsl.interfaces.openapi.diff.values import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from maestro_dsl.interfaces.openapi.diff.nodes import Conj, Node
    from maestro_dsl.interfaces.openapi.diff.rules import Flow
    from maestro_dsl.lang.sourcemap import Pointer

_MAX_NESTING: Final = 32
_MAX_LOOK: Final = 5_000
_MAX_EFFORT: Final = 100_000
"""How many pairs are looked at in all to tell alternatives apart; large documents in the wild need 500."""


class Context(NamedTuple):
    """How a value travels: who sends it, and whether as text, in which numbers and texts look alike."""

    flow: Flow
    is_text: bool = False
    repeats: bool = False
    """True for a query parameter that may stand several times, of which one is also a list of one."""


class Pair(NamedTuple):
    """Schemas of both documents that describe the same value."""

    old: Conj
    new: Conj
    context: Context


class Delta(NamedTuple):
    """One difference: name of its rule, sentence, and both places."""

    rule: str
    message: str
    old: Pointer | None
    new: Pointer | None


@dataclass(slots=True)
class Local:
    """The own differences of a pair, and its inner pairs, each with the step that leads there."""

    context: Context
    deltas: list[Delta] = field(default_factory=list)
    inner: list[tuple[str, Pair]] = field(default_factory=list)

    def add(self, rule: str, message: str, old: Pointer | None, new: Pointer | None) -> None:
        """Note a difference."""
        self.deltas.append(Delta(rule, message, old, new))

    def follow(self, step: str, old: Conj, new: Conj, *, keep: bool = False) -> None:
        """Note an inner pair; `keep` leaves the context as it is, where no step is made."""
        if old or new:
            context = self.context if keep else self.context._replace(repeats=False)
            self.inner.append((step, Pair(old, new, context)))


class Graph:
    """All pairs of one comparison; `compare` finds the own differences of one."""

    def __init__(self, compare: Callable[[Graph, Pair], Local]) -> None:
        self._compare = compare
        self._shapes: dict[Conj, Shape] = {}
        self._locals: dict[Pair, Local] = {}
        self._clean: set[Pair] = set()
        self._open: set[Pair] = set()
        self._effort = 0

    def shape(self, conj: Conj) -> Shape:
        """Return the normal form of schemas."""
        plain = _targets(conj)
        found = self._shapes.get(plain)
        if found is None:
            found = self._shapes[plain] = shape_of(plain)
        return found

    def local(self, pair: Pair) -> Local:
        """Return the own differences of a pair and its inner pairs."""
        found = self._locals.get(pair)
        if found is None:
            self._open.add(pair)
            found = self._locals[pair] = self._compare(self, pair)
            self._open.discard(pair)
        return found

    def walk(self, pair: Pair) -> Iterator[tuple[str, Delta, Context]]:
        """Yield every difference below a pair once, with the shortest way to it."""
        start = _plain(pair)
        seen = {start}
        waiting = deque([("", start)])
        is_clean = True
        while waiting:
            path, current = waiting.popleft()
            if current in self._clean:
                continue
            local = self.local(current)
            is_clean = is_clean and not local.deltas
            for delta in local.deltas:
                yield path, delta, current.context
            for step, raw in local.inner:
                inner = _plain(raw)
                if inner not in seen:
                    seen.add(inner)
                    waiting.append((_joined(path, step), inner))
        if is_clean:
            self._clean |= seen

    def is_equal(self, pair: Pair) -> bool:
        """Return whether nothing differs below a pair; of large ones, whether they are the same text."""
        start = _plain(pair)
        if len(self._open) > _MAX_NESTING:
            return _is_verbatim(pair)
        seen, waiting, is_assumed = {start}, [start], False
        while waiting:
            current = waiting.pop()
            is_assumed = is_assumed or current in self._open
            if current in self._clean or current in self._open:
                continue
            self._effort += 1
            if len(seen) > _MAX_LOOK or self._effort > _MAX_EFFORT:
                return _is_verbatim(pair)
            if self.local(current).deltas:
                return False
            found = {_plain(inner) for _, inner in self.local(current).inner}
            waiting += found - seen
            seen |= found
        if not is_assumed:
            self._clean |= seen
        return True


def _is_verbatim(pair: Pair) -> bool:
    return [canonical(node.value) for node in pair.old] == [canonical(node.value) for node in pair.new]


def _joined(path: str, step: str) -> str:
    return path + step if step.startswith("[") or not path else f"{path}.{step}" if step else path


def _plain(pair: Pair) -> Pair:
    """Return a pair whose schemas are no mere references, so that every way to a schema gives one pair."""
    return Pair(_targets(pair.old), _targets(pair.new), pair.context)


def _targets(conj: Conj) -> Conj:
    if len(conj) == 1:
        return (_target(conj[0]),)
    return tuple(dict.fromkeys(map(_target, conj)))


def _target(node: Node) -> Node:
    if not isinstance(node.value, dict) or len(node.value) != 1 or "$ref" not in node.value:
        return node
    return node.side.follow(node) or node
