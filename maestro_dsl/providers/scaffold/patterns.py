"""Regular expressions of a document: may generated code use them, and which text matches them.

A pattern from a document runs on input from anybody, so one that could take exponential time is refused.
Works on Python's own parse tree; a pattern that only other dialects know is refused too.
"""

from __future__ import annotations

import re
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_REPEAT = 1_000
_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT)
_SHORT = 3


def usable(pattern: str) -> str | None:
    """Return the pattern for `re.search` in generated code, or None where it is not safe or not known."""
    python = re.sub(r"(?<!\\)((?:\\\\)*)\$$", r"\1\\Z", pattern)
    try:
        tree = parser.parse(python, re.ASCII)
        re.compile(python, re.ASCII)
    except (re.error, RecursionError, OverflowError):
        return None
    return None if _is_risky(tree, inside_repeat=False) else python


def matching_text(pattern: str, variant: int = 0) -> str | None:
    """Return a text that matches `pattern`, or None where none was found; variants differ where they can."""
    try:
        tree = parser.parse(pattern, re.ASCII)
        text = _text(tree, variant)
        return text if re.search(pattern, text, re.ASCII) else None
    except (re.error, ValueError, RecursionError, OverflowError):
        return None


def _is_risky(tree: Iterable[tuple[Any, Any]], *, inside_repeat: bool) -> bool:
    """An unlimited repeat inside a repeat is what makes backtracking explode."""
    for code, argument in tree:
        if code in _REPEATS:
            _, most, body = argument
            unlimited = most == codes.MAXREPEAT or most > _MAX_REPEAT
            if (unlimited and inside_repeat) or _is_risky(body, inside_repeat=inside_repeat or most > 1):
                return True
        elif (
            (code is codes.SUBPATTERN and _is_risky(argument[-1], inside_repeat=inside_repeat))
            or (
                code is codes.BRANCH
                and any(_is_risky(branch, inside_repeat=inside_repeat) for branch in argument[1])
            )
            or code in {codes.GROUPREF, codes.GROUPREF_EXISTS}
        ):
            return True
    return False


def _text(tree: Iterable[tuple[Any, Any]], variant: int) -> str:
    return "".join(_piece(code, argument, variant) for code, argument in tree)


def _piece(code: Any, argument: Any, variant: int) -> str:
    if code is codes.LITERAL:
        return chr(argument)
    if code in {codes.NOT_LITERAL, codes.ANY}:
        return "x" if argument != ord("x") else "y"
    if code is codes.IN:
        return _one_of(argument, variant)
    if code in _REPEATS:
        least, most, body = argument
        count = max(least, min(most, _SHORT if least == 0 else least))
        return "".join(_text(body, variant) for _ in range(count))
    if code is codes.SUBPATTERN:
        return _text(argument[-1], variant)
    if code is codes.BRANCH:
        branches = argument[1]
        return _text(branches[min(variant, len(branches) - 1)], variant)
    if code is codes.AT:
        return ""
    raise ValueError(f"{code} is not tried")


def _one_of(options: list[tuple[Any, Any]], variant: int) -> str:
    if options[0][0] is codes.NEGATE:
        refused = re.compile("[" + "".join(map(_class_source, options[1:])) + "]", re.ASCII)
        return next(text for text in "xyzabc0189-_ " if not refused.match(text))
    code, argument = options[0]
    if code is codes.LITERAL:
        code, argument = options[min(variant, len(options) - 1)]
    if code is codes.LITERAL:
        return chr(argument)
    if code is codes.RANGE:
        return chr(min(argument[0] + variant, argument[1]))
    known = {codes.CATEGORY_DIGIT: "12", codes.CATEGORY_WORD: "ab", codes.CATEGORY_SPACE: "  "}
    return known.get(argument, "ab")[variant]


def _class_source(option: tuple[Any, Any]) -> str:
    code, argument = option
    if code is codes.LITERAL:
        return re.escape(chr(argument))
    if code is codes.RANGE:
        return f"{re.escape(chr(argument[0]))}-{re.escape(chr(argument[1]))}"
    names = {codes.CATEGORY_DIGIT: r"\d", codes.CATEGORY_WORD: r"\w", codes.CATEGORY_SPACE: r"\s"}
    return names.get(argument, "")
