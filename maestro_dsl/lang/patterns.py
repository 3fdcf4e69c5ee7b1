"""Globs: does one match a path, and can two match the same path, decided on the globs alone.

`*` and `?` stay inside a folder, `**` spans folders (also none), `[a-z]` and `[!a-z]` are sets. Paths are
relative, with `/` between non-empty names. Globs here claim files that do not exist yet, so nothing looks at
a disk.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final, TypeAlias

from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Ranges: TypeAlias = tuple[tuple[int, int], ...]
"""Sorted ranges of code points, both ends included."""

_LAST: Final = 0x10FFFF
_SLASH: Final = ord("/")
_WILD: Final = re.compile(r"[*?\[]")
_NO_SLASH: Final[Ranges] = ((0, _SLASH - 1), (_SLASH + 1, _LAST))
_ONLY_SLASH: Final[Ranges] = ((_SLASH, _SLASH),)
_ANY: Final[Ranges] = ((0, _LAST),)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Automaton:
    """A small automaton: `moves[state]` are (characters, next state); `skips[state]` cost nothing."""

    moves: tuple[tuple[tuple[Ranges, int], ...], ...]
    skips: tuple[tuple[int, ...], ...]

    @property
    def final(self) -> int:
        return len(self.moves) - 1

    def closure(self, states: Iterable[int]) -> frozenset[int]:
        found = set(states)
        queue = list(found)
        while queue:
            for target in self.skips[queue.pop()]:
                if target not in found:
                    found.add(target)
                    queue.append(target)
        return frozenset(found)


def glob_match(glob: str, path: str) -> bool:
    """Return whether `glob` matches `path`; `**/*.py` also matches `a.py`."""
    if not path or path.startswith("/") or path.endswith("/") or "//" in path:
        return False
    automaton = _automaton(glob)
    states = automaton.closure((0,))
    for character in path:
        code = ord(character)
        states = automaton.closure(
            target
            for state in states
            for ranges, target in automaton.moves[state]
            if any(low <= code <= high for low, high in ranges)
        )
        if not states:
            return False
    return automaton.final in states


def globs_overlap(a: str, b: str) -> bool:
    """Return whether some path is matched by both globs."""
    if a == b:
        return _overlap(a, b)
    wild_a, wild_b = _WILD.search(a), _WILD.search(b)
    if wild_a is None and wild_b is None:
        return False
    shared = min(wild_a.start() if wild_a else len(a), wild_b.start() if wild_b else len(b))
    if a[:shared] != b[:shared]:
        return False
    return _overlap(*sorted((a, b)))


@lru_cache(maxsize=8192)
def _overlap(a: str, b: str) -> bool:
    """Search both automata at once for a path that both accept and that has no empty names."""
    left, right = _automaton(a), _automaton(b)
    start = [(i, j, True) for i in left.closure((0,)) for j in right.closure((0,))]
    seen, queue = set(start), start
    while queue:
        i, j, at_name_start = queue.pop()
        if i == left.final and j == right.final and not at_name_start:
            return True
        for following in _steps(left, right, i, j, at_name_start=at_name_start):
            if following not in seen:
                seen.add(following)
                queue.append(following)
    return False


def _steps(
    left: _Automaton, right: _Automaton, i: int, j: int, *, at_name_start: bool
) -> Iterator[tuple[int, int, bool]]:
    for ranges_a, target_a in left.moves[i]:
        for ranges_b, target_b in right.moves[j]:
            in_name, is_slash = _shared(ranges_a, ranges_b)
            kinds = [False] if in_name else []
            if is_slash and not at_name_start:
                kinds.append(True)
            for kind in kinds:
                for next_a in left.closure((target_a,)):
                    for next_b in right.closure((target_b,)):
                        yield next_a, next_b, kind


@lru_cache(maxsize=8192)
def _shared(a: Ranges, b: Ranges) -> tuple[bool, bool]:
    """Return whether two sets share a character other than the slash, and whether they share the slash."""
    in_name = is_slash = False
    for low_a, high_a in a:
        for low_b, high_b in b:
            low, high = max(low_a, low_b), min(high_a, high_b)
            if low <= high:
                has_slash = low <= _SLASH <= high
                is_slash = is_slash or has_slash
                in_name = in_name or high - low + 1 > has_slash
    return in_name, is_slash


@lru_cache(maxsize=8192)
def _automaton(glob: str) -> _Automaton:
    moves: list[list[tuple[Ranges, int]]] = [[]]
    skips: list[list[int]] = [[]]

    def state() -> int:
        moves.append([])
        skips.append([])
        return len(moves) - 1

    for piece in _pieces(glob):
        here = len(moves) - 1
        if piece == "**/":
            folder, behind = state(), state()
            skips[here].append(behind)
            moves[here].append((_ANY, folder))
            moves[folder].append((_ANY, folder))
            moves[folder].append((_ONLY_SLASH, behind))
        elif piece in {"*", "**"}:
            moves[here].append((_ANY if piece == "**" else _NO_SLASH, here))
            skips[here].append(state())
        else:
            moves[here].append((_characters(piece), state()))
    return _Automaton(moves=tuple(map(tuple, moves)), skips=tuple(map(tuple, skips)))


def _pieces(glob: str) -> Iterator[str]:
    """Yield the pieces of a glob: `**/` and `**` where they span folders, `*`, `?`, sets, characters."""
    for match in _PIECE.finditer(glob):
        piece = match.group()
        spans = match.start() == 0 or glob[match.start() - 1] == "/"
        if piece == "**/" or (piece == "**" and spans and match.end() == len(glob)):
            yield piece
        else:
            yield "*" if piece[0] == "*" else piece


_PIECE: Final = re.compile(r"(?:(?<=/)|^)\*\*/|\*+|\?|\[!?\]?[^\]/]*\]|.", re.DOTALL)


def _characters(piece: str) -> Ranges:
    if piece == "?":
        return _NO_SLASH
    if len(piece) == 1:
        return ((ord(piece), ord(piece)),)
    negated = piece[1] == "!"
    ranges = _set_ranges(piece[2 if negated else 1 : -1])
    return _without(_NO_SLASH, ranges) if negated else _both(_NO_SLASH, ranges)


def _set_ranges(body: str) -> Ranges:
    ranges: list[tuple[int, int]] = []
    index = 0
    while index < len(body):
        if body[index + 1 : index + 2] == "-" and index + 2 < len(body):
            ranges.append((ord(body[index]), ord(body[index + 2])))
            index += 3
        else:
            ranges.append((ord(body[index]), ord(body[index])))
            index += 1
    return tuple(sorted(item for item in ranges if item[0] <= item[1]))


def _both(a: Ranges, b: Ranges) -> Ranges:
    found = ((max(x[0], y[0]), min(x[1], y[1])) for x in a for y in b)
    return tuple(sorted(item for item in found if item[0] <= item[1]))


def _without(a: Ranges, b: Ranges) -> Ranges:
    edges = [-1, *(point for low, high in _merged(b) for point in (low, high)), _LAST + 1]
    gaps = [(low + 1, high - 1) for low, high in pairwise(edges)][::2]
    return _both(a, tuple(item for item in gaps if item[0] <= item[1]))


def _merged(ranges: Ranges) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for low, high in ranges:
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged
