"""Where in a document the cursor stands, also while the text is broken YAML: by indentation and brackets.

Reads no more of YAML than that takes: keys, dashes, flow brackets, block scalars, comments. What may stand
there is `maestro_dsl.lsp.places`' business. Lines and columns count from 0 in code points.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeAlias

from maestro_dsl.lsp.flow import Flow, comment_start, is_open, read_flow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Steps: TypeAlias = tuple[str | int, ...]

_DASH: Final = re.compile(r"-(?:[ \t]+|$)")
_KEY: Final = re.compile(
    r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#"'{}\[\],&*!|>%@`][^#:{}\[\],]*?)\s*:(?=\s|$)"""
)
_BLOCK: Final = re.compile(r"(?:[&!]\S+\s+)*[|>][-+0-9]*\s*(?:#.*)?$")
_MARKER: Final = re.compile(r"(?:---|\.\.\.)(?:\s|$)")
_WORD_END: Final = re.compile(r"[^\s,\[\]{}:#\"']*")


class Role(StrEnum):
    """What is typed at the cursor."""

    KEY = "key"
    VALUE = "value"
    TEXT = "text"
    """Inside a scalar of several lines."""
    COMMENT = "comment"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """The place of the cursor; `word` is what stands there up to it, from column `start` up to `end`."""

    role: Role
    steps: Steps = ()
    """The way to the mapping that gets the key, or to the value."""
    siblings: tuple[Mapping[str, str], ...] = ()
    """For each step, the plain values beside that key."""
    beside: Mapping[str, str] = field(default_factory=dict)
    """The keys that stand in the mapping that gets the key."""
    word: str = ""
    start: int = 0
    end: int = 0
    text: str = ""
    """The whole scalar up to the cursor."""
    is_flow: bool = False
    has_colon: bool = False
    """True where a colon already follows."""


@dataclass(slots=True)
class _Token:
    """A dash or a key at a column; `value` is what follows on its line, from column `at`."""

    column: int
    name: str | None
    value: str = ""
    at: int = 0


@dataclass(slots=True)
class _Line:
    tokens: list[_Token] = field(default_factory=list)
    indent: int = 0
    owner: int | None = None
    """The line whose scalar or brackets go on here."""


def cursor_at(lines: Sequence[str], line: int, column: int) -> Cursor:
    """Return where the cursor at `column` of `line` stands."""
    if line >= len(lines):
        return Cursor(role=Role.KEY)
    text = lines[line]
    read = _read(lines)
    here = read[line]
    before = text[:column]
    if here.owner is not None:
        return _continued(lines, read, line, column)
    note = comment_start(text)
    if note is not None and column > note:
        return Cursor(role=Role.COMMENT, word=before[note:], start=note, end=len(text), text=before[note:])
    if not before.strip():
        return _typed_key(read, line, column, before="", text=text)
    if not here.tokens:
        return _typed_key(read, line, here.indent, before=before[here.indent :], text=text)
    return _in_tokens(read, line, column, text)


def _in_tokens(read: Sequence[_Line], line: int, column: int, text: str) -> Cursor:
    token = read[line].tokens[-1]
    at = [item for item in read[line].tokens if item.column < column] or read[line].tokens[:1]
    steps, siblings = _way(read, line, len(at) - 1)
    if token.name is None or at[-1] is not token or column >= token.at or column > _name_end(token):
        if at[-1].name is None:
            start = at[-1].at
            return _item(text, column, start, steps, siblings)
        return _value(text[token.at :], column, token.at, steps, siblings)
    word = text[token.column : column]
    return Cursor(
        role=Role.KEY,
        steps=steps[:-1],
        siblings=siblings[:-1],
        beside=siblings[-1],
        word=word,
        start=token.column,
        end=token.column + len(token.name),
        text=word,
        has_colon=True,
    )


def _name_end(token: _Token) -> int:
    return token.column + len(token.name or "")


def _item(
    text: str, column: int, start: int, steps: Steps, siblings: tuple[Mapping[str, str], ...]
) -> Cursor:
    found = _value(text[start:], column, start, steps, siblings)
    return replace(found, has_colon=text[found.end : found.end + 1] == ":")


def _value(value: str, column: int, at: int, steps: Steps, siblings: tuple[Mapping[str, str], ...]) -> Cursor:
    """Return the place inside the value that starts at column `at`."""
    if value[:1] in {"{", "["} and not value.startswith("{{"):
        return _in_flow(read_flow(value[: column - at]), value, column, at, steps, siblings)
    typed = value[: max(column - at, 0)]
    quoted = value[:1] in {'"', "'"}
    start = at + quoted if column > at else column
    note = comment_start(value)
    end = at + len((value if note is None else value[:note]).rstrip())
    if quoted and len(value.rstrip()) > 1 and value.rstrip()[-1] == value[0]:
        end -= 1
    return Cursor(
        role=Role.VALUE,
        steps=steps,
        siblings=siblings,
        word=typed[1:] if quoted else typed,
        start=start,
        end=max(end, column),
        text=typed[1:] if quoted else typed,
    )


def _in_flow(
    flow: Flow, value: str, column: int, at: int, steps: Steps, siblings: tuple[Mapping[str, str], ...]
) -> Cursor:
    if flow.is_closed:
        return Cursor(role=Role.NOTHING, start=column, end=column)
    rest = value[column - at :]
    typed = flow.word
    match = _WORD_END.match(rest)
    tail = match.end() if match is not None else 0
    return Cursor(
        role=Role.KEY if flow.is_key else Role.VALUE,
        steps=(*steps, *flow.steps),
        siblings=(*siblings, *flow.siblings),
        beside=flow.beside,
        word=typed,
        start=column - len(typed),
        end=column + tail,
        text=typed,
        is_flow=True,
        has_colon=rest[tail : tail + 1] == ":",
    )


def _typed_key(read: Sequence[_Line], line: int, column: int, *, before: str, text: str) -> Cursor:
    """Return the place of a line that holds no key yet."""
    steps, siblings = _above(read, line, column, is_dash=False)
    end = column + len(before)
    match = _WORD_END.match(text, end)
    return Cursor(
        role=Role.KEY,
        steps=steps,
        siblings=siblings,
        beside=_beside(read, line, column),
        word=before,
        start=column,
        end=match.end() if match is not None and before else end,
        text=before,
    )


def _continued(lines: Sequence[str], read: Sequence[_Line], line: int, column: int) -> Cursor:
    """Return the place inside a value that began on a line above."""
    owner = read[line].owner or 0
    token = read[owner].tokens[-1]
    steps, siblings = _way(read, owner, len(read[owner].tokens) - 1)
    text = "\n".join((lines[owner][token.at :], *lines[owner + 1 : line], lines[line][:column]))
    if token.value[:1] in {"{", "["}:
        flow = read_flow(text)
        return _in_flow(flow, lines[line], column, 0, steps, siblings)
    return Cursor(
        role=Role.TEXT, steps=steps, siblings=siblings, word="", start=column, end=column, text=text
    )


# ---------------------------------------------------------------- lines and the way down to one


def _read(lines: Sequence[str]) -> list[_Line]:
    """Return what each line holds; lines inside block scalars and open brackets belong to their owner."""
    found: list[_Line] = []
    owner: int | None = None
    owned_beyond, opened = 0, ""
    for number, text in enumerate(lines):
        stripped = text.strip()
        indent = len(text) - len(text.lstrip(" "))
        if owner is not None and (not stripped or indent > owned_beyond):
            if not opened or stripped:
                found.append(_Line(indent=indent, owner=owner))
                opened = f"{opened}\n{text}" if opened else ""
                owner = None if opened and not is_open(opened) else owner
                continue
        elif stripped:
            owner, opened = None, ""
        if not stripped or stripped.startswith("#") or _MARKER.match(text):
            found.append(_Line(indent=indent))
            continue
        tokens = list(_tokens(text, indent))
        found.append(_Line(tokens=tokens, indent=indent))
        value = tokens[-1].value if tokens else ""
        is_flow = value[:1] in {"{", "["} and not value.startswith("{{") and is_open(value)
        if tokens and (is_flow or _BLOCK.match(value)):
            keys = [token.column for token in tokens if token.name is not None]
            owner, owned_beyond = number, keys[-1] if keys else tokens[-1].column
            opened = value if is_flow else ""
    return found


def _tokens(text: str, at: int) -> Iterator[_Token]:
    while (dash := _DASH.match(text, at)) is not None:
        yield _Token(column=at, name=None, at=dash.end(), value=text[dash.end() :])
        at = dash.end()
    key = _KEY.match(text, at)
    if key is not None:
        start = key.end() + len(text[key.end() :]) - len(text[key.end() :].lstrip())
        yield _Token(column=at, name=key[1].strip("\"'"), at=start, value=text[start:])


def _way(read: Sequence[_Line], line: int, index: int) -> tuple[Steps, tuple[Mapping[str, str], ...]]:
    """Return the way to the value of a token, and what stands beside each key on it."""
    token = read[line].tokens[index]
    if index:
        steps, siblings = _way(read, line, index - 1)
    else:
        steps, siblings = _above(read, line, token.column, is_dash=token.name is None)
    if token.name is None:
        return (*steps, _number(read, line, token.column)), (*siblings, {})
    return (*steps, token.name), (*siblings, _beside(read, line, token.column))


def _above(
    read: Sequence[_Line], line: int, column: int, *, is_dash: bool
) -> tuple[Steps, tuple[Mapping[str, str], ...]]:
    """Return the way to what holds a token at `column`; a dash may stand right below its key."""
    for number in range(line - 1, -1, -1):
        tokens = read[number].tokens
        for index in range(len(tokens) - 1, -1, -1):
            token = tokens[index]
            if token.column < column or (is_dash and token.column == column and token.name is not None):
                return _way(read, number, index)
    return (), ()


def _number(read: Sequence[_Line], line: int, column: int) -> int:
    """Return how many dashes stand above in the same list."""
    count = 0
    for number in range(line - 1, -1, -1):
        tokens = read[number].tokens
        if not tokens:
            continue
        if tokens[0].column < column or (tokens[0].column == column and tokens[0].name is not None):
            inner = any(token.column == column and token.name is None for token in tokens)
            return count + inner
        count += tokens[0].column == column
    return count


def _beside(read: Sequence[_Line], line: int, column: int) -> dict[str, str]:
    """Return the keys at `column` of the mapping that `line` is part of, with their plain values."""
    own = read[line].tokens
    starts_item = bool(own) and own[0].name is None
    ways = (range(line, -1, -1), range(line + 1, len(read)))
    found: dict[str, str] = {}
    for way in ways:
        for number in way:
            tokens = read[number].tokens
            if not tokens:
                continue
            if number > line and tokens[0].column < column:
                break
            for token in tokens:
                if token.column == column and token.name is not None:
                    found.setdefault(token.name, _plain(token.value))
            if number <= line and tokens[0].column < column and (number != line or starts_item):
                break
    return found


def _plain(value: str) -> str:
    note = comment_start(value)
    return (value if note is None else value[:note]).strip().strip("\"'")
