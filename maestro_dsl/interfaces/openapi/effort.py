"""How long a text may be for a pattern in an engine that backtracks, so that no pattern takes seconds.

Our own validator has a limit of its own; this is for the emitted server, where JavaScript has none. Careful
more than exact: what it cannot judge counts as dangerous.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

NEVER = 0
_STEPS = 100_000_000
_ANY_LENGTH = 16_000_000
_FEW = 20
_SAMPLE = "".join(map(chr, range(128))) + "\u00e9\u03a9\u4e2d\u2028\ufeff"
_TOKEN = re.compile(
    r"(?P<back>\\[1-9]|\\k<)"
    r"|(?P<open>\((?:\?(?::|=|!|<=|<!|<[A-Za-z_]\w*>))?)"
    r"|(?P<close>\))"
    r"|(?P<branch>\|)"
    r"|(?P<edge>[\^$]|\\[bB])"
    r"|(?P<atom>\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[A-Za-z]|[pP]\{[^}]*\}|.)"
    r"|\[\^?\]?(?:\\.|[^\]\\])*\]|[^\\()|\[*+?{])"
)
_REPEAT = re.compile(r"(?:(?P<simple>[*+?])|\{(?P<low>\d{0,6})(?P<comma>,)?(?P<high>\d{0,6})\})\??")


@dataclass(slots=True)
class _Group:
    """What was read of one group: `segment` are the atoms of loops since the last sure separator."""

    segment: list[str] = field(default_factory=list)
    loops: list[str] = field(default_factory=list)
    separators: list[str] = field(default_factory=list)
    starts: list[str] = field(default_factory=list)
    optional: list[str] = field(default_factory=list)
    at_start: bool = True
    degree: int = 0

    def loop(self, atoms: list[str], degree: int = 1) -> None:
        """Note a part that may repeat often."""
        self.segment += atoms
        self.loops += atoms
        self.degree = max(self.degree, len(self.segment), degree)

    def separator(self, atom: str) -> None:
        """Note a part that has to be there once."""
        if not any(_overlap(atom, other) for other in self.segment):
            self.segment = []
        self.separators.append(atom)


@lru_cache(maxsize=4096)
def longest_text(pattern: str) -> int:
    """Return the length up to which `pattern` may be tried; `NEVER` where it can take very long at once."""
    groups = [_Group()]
    position = 0
    while position < len(pattern):
        token = _TOKEN.match(pattern, position)
        if token is None or token["back"] is not None or len(groups) > _FEW:
            return NEVER
        position = token.end()
        if token["open"] is not None:
            groups.append(_Group())
            continue
        if token["branch"] is not None:
            groups[-1].at_start = True
            groups[-1].segment = []
            continue
        if token["edge"] is not None:
            continue
        repeat = _REPEAT.match(pattern, position)
        position = position if repeat is None else repeat.end()
        if token["close"] is not None:
            if len(groups) == 1 or not _close(groups, repeat):
                return NEVER
        else:
            _atom(groups[-1], token["atom"], repeat)
    degree = groups[0].degree + (0 if pattern.startswith("^") else 1)
    return NEVER if len(groups) > 1 else _ANY_LENGTH if degree == 0 else int(_STEPS ** (1 / degree))


def _atom(group: _Group, atom: str, repeat: re.Match[str] | None) -> None:
    if group.at_start:
        group.starts.append(atom)
        group.at_start = False
    if repeat is None:
        group.separator(atom)
    elif _is_loop(repeat):
        group.loop([atom])
    else:
        group.optional.append(atom)


def _close(groups: list[_Group], repeat: re.Match[str] | None) -> bool:
    """Take the last group into the one around it; False where repeating it can take very long."""
    inner, outer = groups.pop(), groups[-1]
    if outer.at_start:
        outer.starts += inner.starts
        outer.at_start = False
    if repeat is None or not _is_loop(repeat):
        outer.loop(inner.loops, inner.degree)
        outer.optional += inner.optional + (inner.separators if repeat is not None else [])
        return True
    if len(inner.starts) > 1 and any(
        _overlap(one, other) for at, one in enumerate(inner.starts) for other in inner.starts[:at]
    ):
        return False
    loose = inner.loops + inner.optional
    is_told_apart = any(not any(_overlap(mark, other) for other in loose) for mark in inner.separators)
    if loose and (not is_told_apart or len(inner.starts) > 1):
        return False
    outer.loop(inner.loops + inner.separators[:1] or inner.starts[:1], inner.degree + 1)
    return True


def _is_loop(repeat: re.Match[str]) -> bool:
    if repeat["simple"] is not None:
        return repeat["simple"] != "?"
    high = repeat["high"] if repeat["comma"] else repeat["low"]
    return not high or int(high) > _FEW


def _overlap(one: str, other: str) -> bool:
    """Return whether two atoms may match the same character; True where that is not sure."""
    return not _matched(one).isdisjoint(_matched(other))


@lru_cache(maxsize=1024)
def _matched(atom: str) -> frozenset[str]:
    try:
        expression = re.compile(atom, re.DOTALL)
    except re.error:  # a class that only JavaScript knows
        return frozenset(_SAMPLE)
    return frozenset(char for char in _SAMPLE if expression.fullmatch(char))
