"""SDL text to definitions: old spellings are read, and a definition that cannot be read is left out.

Knows grammar only; what definitions mean together is for `mend`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from graphql import DocumentNode, GraphQLSyntaxError, Source, parse

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_TOKENS: Final = 3_000_000
_MAX_NESTING: Final = 100
_MAX_LEFT_OUT: Final = 20
_MAX_READ_AGAIN: Final = 8_000_000
_START: Final = re.compile(
    r'^(?:"|(?:extend[ \t]+)?(?:type|interface|union|enum|input|scalar|directive|schema)\b)', re.MULTILINE
)
_OLD_LIST: Final = re.compile(r"\bimplements\b(?P<names>[^{}@#\"]{1,4000})[{@]")
_PIECE: Final = re.compile(
    r'"""[^"]*(?:"{1,2}(?!")[^"]*)*"""|"[^"\n]*"|#[^\n]*|(?P<open>[\[{(])|(?P<close>[\])}])|(?P<other>[^\s,\[\](){}#"]+)'
)


class Unreadable(Exception):  # noqa: N818 - it is a result more than a fault
    """Nothing of a text can be read; `offset` is where reading stopped."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset


@dataclass(slots=True)
class _Text:
    """A text that is mended in place, so that every offset stays what it was in the file."""

    body: str

    def put(self, start: int, end: int, replacement: str) -> None:
        """Write over a range; what is too short is filled with spaces, lines stay."""
        old = self.body[start:end]
        blank = "".join(char if char == "\n" else " " for char in old[len(replacement) :])
        self.body = self.body[:start] + replacement + blank + self.body[end:]


def read(text: str, warn: Callable[[str, int], None]) -> DocumentNode:
    """Return the definitions of `text`; `warn` hears, with an offset, of each part that was left out.

    Raises:
        Unreadable: no definition is left, or it is nested too deeply.
    """
    mended = _Text(text)
    _modernise(mended, warn)
    left_out, most = 0, min(_MAX_LEFT_OUT, 1 + _MAX_READ_AGAIN // (len(text) + 1))
    first: GraphQLSyntaxError | None = None
    while True:
        try:
            return parse(Source(mended.body), max_lexical_tokens=MAX_TOKENS)
        except GraphQLSyntaxError as error:
            first = first or error
            offset = _place(error)
            left_out += 1
            span = _definition_at(mended.body, offset)
            if span is None or left_out > most or not _is_worth_it(mended, span):
                raise Unreadable(_reason(first), _place(first)) from error
            warn(f"this definition cannot be read and is left out: {_reason(error)}", offset)
            mended.put(*span, "")
        except RecursionError as error:
            raise Unreadable("it is nested too deeply", 0) from error


def _place(error: GraphQLSyntaxError) -> int:
    return next(iter(error.positions or ()), 0)


def _reason(error: GraphQLSyntaxError) -> str:
    text = error.message.removeprefix("Syntax Error: ").rstrip(".")
    return text[:1].lower() + text[1:]


def _modernise(text: _Text, warn: Callable[[str, int], None]) -> None:
    """Rewrite `implements A, B`, and blank the braces of `type X {}`, which are no grammar any more."""
    for match in _OLD_LIST.finditer(text.body):
        if "," in match["names"].strip().strip(","):
            warn('"implements A, B" is an old spelling of "implements A & B"', match.start())
            names = re.sub(r"&(?=\s*$)", " ", match["names"].replace(",", "&"))
            text.put(match.start("names"), match.end("names"), names)
    before, opened = "", None
    chars = None
    for piece in _PIECE.finditer(text.body):
        mark = piece.group()
        if mark.startswith("#"):
            continue
        if mark == "}" and opened is not None:
            chars = chars if chars is not None else list(text.body)
            chars[opened] = chars[piece.start()] = " "
        opened = piece.start() if mark == "{" and before[-1:] not in {"=", ":", "", "[", "{", "("} else None
        before = mark
    if chars is not None:
        text.body = "".join(chars)


def _definition_at(body: str, offset: int) -> tuple[int, int] | None:
    """Return the range of the definition that `offset` lies in, told by lines that start one."""
    starts = [match.start() for match in _START.finditer(body)]
    own = [start for start in starts if start <= offset]
    if not own:
        return (0, starts[0]) if starts else None
    end = next((start for start in starts if start > max(offset, own[-1])), len(body))
    return own[-1], end


def _is_worth_it(text: _Text, span: tuple[int, int]) -> bool:
    rest = text.body[: span[0]] + text.body[span[1] :]
    return bool(text.body[span[0] : span[1]].strip()) and bool(rest.strip())


def too_deep(text: str) -> int | None:
    """Return the offset at which brackets are nested too deeply to be read safely, None where nowhere."""
    depth = 0
    for piece in _PIECE.finditer(text):
        if piece["open"] is not None:
            depth += 1
            if depth > _MAX_NESTING:
                return piece.start()
        elif piece["close"] is not None:
            depth = max(0, depth - 1)
    return None
