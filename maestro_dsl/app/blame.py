"""Which of many fixes brought new errors: those in whose new words an error stands.

Without it, a bad fix among thousands is only found by making half of them again and again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from typing import TYPE_CHECKING

from maestro_dsl.lang.edits import EditConflict, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from maestro_dsl.diagnostics import Diagnostic


def culprits(
    fixes: Sequence[Diagnostic],
    texts: tuple[str, str],
    errors: tuple[Iterable[Diagnostic], Iterable[Diagnostic]],
) -> list[Diagnostic]:
    """Return those of the `fixes` of one file on whose new words a new error stands.

    `texts` and `errors` are what the file held, and what was wrong with it, before and after the fixes.
    """
    known = Counter(_said(item) for item in errors[0])
    places = []
    after = lines_of(texts[1])
    for item in dict.fromkeys(errors[1]):
        if known[_said(item)]:
            known[_said(item)] -= 1
            continue
        try:
            places.append(after.range(item.span))
        except EditConflict:
            continue
    if not places:
        return []
    made = sorted(_new_words(fixes, texts[0]), key=lambda item: item[:2])
    starts = [start for start, _, _ in made]
    found: dict[int, Diagnostic] = {}
    for start, end in places:
        at = bisect_right(starts, end) - 1
        while at >= 0 and made[at][1] >= start:
            found[id(made[at][2])] = made[at][2]
            at -= 1
    return list(found.values())


def _said(item: Diagnostic) -> tuple[str, str]:
    return item.code, item.message


def _new_words(fixes: Sequence[Diagnostic], before: str) -> list[tuple[int, int, Diagnostic]]:
    """Return where the words of each edit stand in the new text, with its fix."""
    lines = lines_of(before)
    edits = sorted(
        (
            (*lines.range(edit.span), edit.replacement, number)
            for number, item in enumerate(fixes)
            if item.fix is not None
            for edit in item.fix.edits
        ),
        key=lambda item: item[:3],
    )
    placed, shift, last = [], 0, (-1, -1, "")
    for start, end, replacement, number in edits:
        if (start, end, replacement) == last:  # two fixes that want the same are made once
            shift -= len(replacement) - (end - start)
        new, last = start + shift, (start, end, replacement)
        placed.append((new, new + len(replacement), fixes[number]))
        shift += len(replacement) - (end - start)
    return placed
