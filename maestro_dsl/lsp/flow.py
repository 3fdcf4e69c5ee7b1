"""The inside of `{ }` and `[ ]` up to the cursor, closed or not, and where comments begin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_OPENING: Final = {"{": "}", "[": "]"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The end of the text: the way to it from the outer bracket, and what is typed there."""

    steps: tuple[str | int, ...] = ()
    siblings: tuple[Mapping[str, str], ...] = ()
    beside: Mapping[str, str] = field(default_factory=dict)
    word: str = ""
    is_key: bool = False
    is_closed: bool = False
    """True where the outer bracket is closed already."""


@dataclass(slots=True)
class _Frame:
    bracket: str
    key: str | None = None
    index: int = 0
    known: dict[str, str] = field(default_factory=dict)


def read_flow(text: str) -> Flow:
    """Return where the end of `text` stands, which begins with a bracket."""
    frames: list[_Frame] = []
    word, quote, at = "", "", 0
    while at < len(text):
        letter = text[at]
        at += 1
        if quote:
            quote = "" if letter == quote else quote
            word += "" if not quote else letter
        elif letter in "\"'" and not word.strip():
            quote, word = letter, ""
        elif letter in _OPENING:
            frames.append(_Frame(bracket=letter))
            word = ""
        elif letter in "}]" and frames:
            frames.pop()
            word = ""
            if not frames:
                return Flow(is_closed=True)
        elif letter == ",":
            _next(frames[-1], word)
            word = ""
        elif letter == ":" and text[at : at + 1] in {"", " ", "\t", "\n"} and frames[-1].bracket == "{":
            frames[-1].key, word = word.strip(), ""
        elif not (letter.isspace() and not word):
            word += letter
    return _answer(frames, word)


def _next(frame: _Frame, word: str) -> None:
    if frame.bracket == "[":
        frame.index += 1
        return
    if frame.key is not None:
        frame.known[frame.key] = word.strip()
    elif word.strip():
        frame.known[word.strip()] = ""
    frame.key = None


def _answer(frames: list[_Frame], word: str) -> Flow:
    steps: list[str | int] = []
    siblings: list[Mapping[str, str]] = []
    is_key = False
    for frame in frames:
        if frame.bracket == "[":
            steps.append(frame.index)
            siblings.append({})
        elif frame.key is not None:
            steps.append(frame.key)
            siblings.append(frame.known)
        else:
            is_key = True
    return Flow(
        steps=tuple(steps),
        siblings=tuple(siblings),
        beside=frames[-1].known if is_key else {},
        word=word,
        is_key=is_key,
    )


def is_open(text: str) -> bool:
    """Return whether a bracket of `text` is still open at its end."""
    depth, quote = 0, ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in _OPENING:
            depth += 1
        elif letter in "}]":
            depth -= 1
    return depth > 0


def comment_start(text: str) -> int | None:
    """Return where the comment of a line begins, or None where it has none."""
    quote = ""
    for at, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'" and (at == 0 or text[at - 1] in " \t[{,:"):
            quote = letter
        elif letter == "#" and (at == 0 or text[at - 1].isspace()):
            return at
    return None
