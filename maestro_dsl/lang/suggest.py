"""Finds what was meant ("did you mean"): the closest of some words, by edit distance with transposition."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MOST_LISTED: Final = 50
_PLURAL: Final = 2
"""By how much a plural in -ies is longer than its singular."""

_BEGINNING: Final = 3
"""Letters that a word needs to be the beginning of another."""


def closest(word: str, options: Iterable[str]) -> str | None:
    """Return the option nearest to `word`, or None where none is near enough to be meant.

    Near enough is a distance of at most one third of the longer word, and at least one is allowed, or two
    with the same letters; one may be the plural of the other. Case does not count. Of equally near ones the
    one with the same letters wins ("modle" is "model", not "mode"), then one that begins alike, then the
    first. Where none is near, the only one that goes on where the word ends is meant ("REST" is "REST_API").
    """
    return _closest(word, tuple(options))


@lru_cache(maxsize=4096)  # a misspelling often stands in many places
def _closest(word: str, options: tuple[str, ...]) -> str | None:
    best: tuple[int, bool, bool, str] | None = None
    wanted = word.casefold()
    letters = set(wanted)
    for option in options:
        is_anagram = len(word) == len(option) and sorted(wanted) == sorted(option.casefold())
        allowed = max(1 + is_anagram, max(len(word), len(option)) // 3)
        if abs(len(word) - len(option)) > max(allowed, _PLURAL):
            continue
        other = option.casefold()
        if len(letters.difference(other)) > allowed:
            continue  # each of these letters takes an edit of its own
        found = distance(wanted, other) if _singular(wanted) != _singular(other) else 1
        rank = (found, not is_anagram, wanted[:1] != other[:1])
        if found <= allowed and (best is None or rank < best[:3]):
            best = (*rank, option)
    if best is not None:
        return best[3]
    longer = [option for option in options if option.casefold().startswith(wanted)]
    return longer[0] if len(longer) == 1 and len(word) >= _BEGINNING else None


def _singular(word: str) -> str:
    return f"{word[:-3]}y" if word.endswith("ies") else word


def guessed(near: str | None) -> str:
    """Return the question whether `near` was meant, to stand before what is allowed; "" where it is None."""
    return f'did you mean "{near}"? ' if near else ""


def listed(names: Sequence[str]) -> str:
    """Return names as a message lists them; of very many only the first."""
    more = len(names) - _MOST_LISTED
    return ", ".join(names[:_MOST_LISTED]) + (f" and {more:,} more" if more > 0 else "")


def distance(left: str, right: str) -> int:
    """Return how many edits (insert, delete, replace, swap neighbours) turn `left` into `right`."""
    before: list[int] = []
    above = list(range(len(right) + 1))
    for row, mine in enumerate(left, 1):
        current = [row]
        for column, other in enumerate(right, 1):
            cost = min(
                above[column] + 1,
                current[column - 1] + 1,
                above[column - 1] + (mine != other),
            )
            swapped = row > 1 and column > 1 and mine == right[column - 2] and left[row - 2] == other
            if swapped:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        before, above = above, current
    return above[-1]
