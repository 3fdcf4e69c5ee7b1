"""Scalars of YAML 1.2: what plain text means, and where each decoded character stands in the source.

Follows the core schema, with three differences that keep every value a JSON value other readers agree on: a
number with a leading zero (`012`), a number without a finite value (`.inf`, `1e999`) and one of more than
300 characters stay text.
"""

from __future__ import annotations

import re
from math import isfinite
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maestro_dsl.lang.model import Json

_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER_FIRST: Final = frozenset("0123456789+-.")
_INT: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)", re.ASCII)
_RADIX: Final = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_LONGEST_NUMBER: Final = 300

_WORDS_OF_1_1: Final = frozenset(
    form for word in ("yes", "no", "on", "off") for form in (word, word.capitalize(), word.upper())
)
_AMBIGUOUS: Final = re.compile(
    r"""[1-9][0-9]*\.[0-9]+0                                    # 1.10: a version or the number 1.1
      | [-+]?0[0-9]+                                            # 0777: octal, decimal or text
      | 0o[0-7]+ | 0b[01_]+                                     # 0o17: octal or text
      | [-+]?[0-9]+(?::[0-5]?[0-9])+(?:\.[0-9]*)?               # 12:30: base 60 or text
      | [-+]?[0-9][0-9,]*_[0-9_.]*                              # 1_000
      | [-+]?[0-9]+[eE][-+]?[0-9]+                              # 1e3: a number or text
      | [-+]?\.(?:inf|Inf|INF) | \.(?:nan|NaN|NAN)              # no JSON form
      | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt\ ].*)?             # a date or text
    """,
    re.ASCII | re.VERBOSE,
)


def resolve(text: str) -> Json:
    """Return what the plain, untagged scalar `text` stands for."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_FIRST or len(text) > _LONGEST_NUMBER:
        return text
    if _INT.fullmatch(text):
        return int(text)
    if _RADIX.fullmatch(text):
        return int(text[2:], 8 if text[1] == "o" else 16)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return number if isfinite(number) else text
    return text


def is_ambiguous(text: str) -> bool:
    """Return whether common readers of YAML disagree on the plain scalar `text`, or people misread it."""
    if text in _WORDS_OF_1_1:
        return True
    return text[:1] in _NUMBER_FIRST and _AMBIGUOUS.fullmatch(text) is not None


NUMBER_STARTS: Final = _NUMBER_FIRST
INTERESTING_WORDS: Final = frozenset({*filter(None, _WORDS), *_WORDS_OF_1_1, "<<"})
"""Plain text that is none of these words, nor empty, and starts as no number does, is text to everybody."""
INTERESTING_STARTS: Final = NUMBER_STARTS | {word[0] for word in INTERESTING_WORDS}
"""Most text has none of these starts, and needs no second look."""

_ESCAPE_DIGITS: Final = {"x": 2, "u": 4, "U": 8}
_BLANK: Final = frozenset(" \t\r\n")
_PROPERTIES: Final = re.compile(r"(?:[&!][^ \t\r\n]*[ \t\r\n]+)*")


def content_start(raw: str) -> int:
    """Return how many characters of `raw` are an anchor, a tag and the blanks after them."""
    return match.end() if (match := _PROPERTIES.match(raw)) else 0


def decoded_offsets(raw: str, value: str, start: int) -> Sequence[int]:
    """Return the index in the text of each code point of `value`, and one more for its end.

    `raw` is the scalar as written (anchor, tag and quotes included), `start` its index in the text. Visible
    characters are exact; blanks that come from folding or indentation may point at a neighbouring blank.
    """
    at = content_start(raw)
    stop = len(raw)
    opening = raw[at : at + 1]
    if opening in {'"', "'"}:
        at, stop = at + 1, max(stop - 1, at + 1)
    elif opening in {"|", ">"}:
        at = raw.find("\n", at) + 1 or stop
    if raw[at:stop] == value:
        return range(start + at, start + at + len(value) + 1)
    offsets: list[int] = []
    for char in value:
        at = _skip(raw, at, stop, opening, blanks=char not in _BLANK)
        offsets.append(start + min(at, stop))
        at += _width(raw, at, opening)
    offsets.append(start + min(at, stop))
    return offsets


def _skip(raw: str, at: int, stop: int, opening: str, *, blanks: bool) -> int:
    """Pass over escaped line ends, and over blanks where the next decoded character is visible."""
    while at < stop:
        if opening == '"' and raw[at] == "\\" and raw[at + 1 : at + 2] in {"\n", "\r"}:
            at += 2
            while at < stop and raw[at] in _BLANK:
                at += 1
        elif blanks and raw[at] in _BLANK:
            at += 1
        else:
            break
    return at


def _width(raw: str, at: int, opening: str) -> int:
    """Return how many source characters make one decoded character."""
    if opening == '"' and raw[at : at + 1] == "\\":
        return 2 + _ESCAPE_DIGITS.get(raw[at + 1 : at + 2], 0)
    if opening == "'" and raw[at : at + 2] == "''":
        return 2
    return 2 if raw[at : at + 2] == "\r\n" else 1
