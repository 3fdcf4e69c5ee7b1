"""What to say where an expression does not parse: where it went wrong, what may stand there, what to do.

The parser says at which character it stopped and what kind of surprise it met; its own words are never shown.
Loads only where something is broken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jinja2 import TemplateSyntaxError

from maestro_dsl.lang.expression_env import FILTERS, TESTS, environment, same_length_newlines
from maestro_dsl.lang.expression_parse import Problem, word_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

VALUE: Final = 'a value is a name, a number, a text in quotes, a list [a, b] or a mapping {"a": b}'
_JOIN: Final = "join two values with an operator (and, or, ==, +, ~); text stands in quotes"
_TOO_EARLY: Final = "the expression ends too early"
_CLOSING: Final = {"(": ")", "[": "]", "{": "}"}
_OPERATORS: Final = frozenset(
    {"and", "or", "not", "in", "is", "if", "else", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "//",
     "%", "**", "~", "|", ".", ",", ":", "="}
)  # fmt: skip
_BEHIND: Final = {
    "|": f"write a filter behind |: {', '.join(FILTERS)}",
    "is": f"write a test behind is: {', '.join(TESTS)}",
    "is not": f"write a test behind is not: {', '.join(TESTS)}",
    ".": "write the name of a key behind the dot",
    "if": "write a condition behind if",
}
_CHARACTERS: Final[Mapping[str, str]] = {
    "&": "write and",
    "!": "write not, or != to compare",
    "?": "write A if CONDITION else B",
    ";": "one expression stands here; take the ; away",
    "$": "names stand without $: inputs.language",
    "`": "put text into ' or \"",
    "\\": "write text in quotes; \\ may stand in it only",
    "@": "put text into quotes",
    "#": "put text into quotes",
}
_INSTEAD: Final[Mapping[str, str]] = {
    "=": "write == to compare",
    "|": "write or for one of two; a filter's name stands behind a single |",
    ">": "write != for other than",
    "if": "write A if CONDITION else B",
    ";": "one expression stands here; take the ; away",
    ",": "one value stands here; a list is written [a, b]",
    ":": 'one value stands here; a mapping is written {"key": value}',
}


def explained(text: str, error: TemplateSyntaxError) -> Problem:
    """Return what is wrong with the expression `text`, at which the parser stopped with `error`."""
    said, offset = error.message or "", min(error.lineno, len(text))
    if said.startswith("unexpected char "):
        return _character(text, offset)
    if said.startswith("unexpected '") and said[12:13] in {")", "]", "}"}:
        return _bracket(text, offset)
    if said == "Invalid character in identifier":
        return _at(text, offset, "this is no name", "names have letters, digits and _")
    is_last_dot = said == "expected name or number" and text[offset : offset + 1] == "."
    if is_last_dot or "end of template" in said or offset >= len(text.rstrip()):
        return _ended(text)
    return _surprise(text, offset, said)


def _at(text: str, offset: int, message: str, hint: str | None, *, length: int = 0) -> Problem:
    start, end = (offset, offset + length) if length else word_at(text, offset)
    return Problem(code="EXP001", start=start, end=min(end, len(text)), message=message, help=hint)


def _character(text: str, offset: int) -> Problem:
    found = text[offset : offset + 1]
    if found in {"'", '"'}:
        hint = f"write {found} at the end of the text as well"
        return _at(text, offset, "this quote is never closed", hint, length=1)
    length = 2 if text[offset : offset + 2] == found * 2 else 1
    message = f'"{found * length}" is not part of an expression'
    hint = _CHARACTERS.get(found, "take it away; text stands in quotes")
    return _at(text, offset, message, hint, length=length)


def _bracket(text: str, offset: int) -> Problem:
    found, still = text[offset : offset + 1], _opened(text, offset)
    if not still:
        return _at(text, offset, f'this "{found}" closes nothing', "take it away, or open it before")
    opened = still[-1]
    message = f'this "{found}" does not close the "{opened}" before it'
    return _at(text, offset, message, f'close that with "{_CLOSING[opened]}" first', length=1)


def _ended(text: str) -> Problem:
    """Return what is missing behind the last word of an expression."""
    tokens = list(_tokens(text))
    if not tokens:
        return Problem(
            code="EXP001", start=0, end=len(text), message="an expression is expected here", help=VALUE
        )
    start, last = tokens[-1]
    end = start + len(last)
    before = tokens[-2][1] if len(tokens) > 1 else ""
    pair = f"{before} {last}"
    still = _opened(text, len(text))
    if pair == "is not":
        hint = _BEHIND[pair]
    elif last in _OPERATORS:
        hint = _BEHIND.get(last, f"write a value behind {last}")
    elif still:
        hint = f'close the "{still[-1]}" with "{_CLOSING[still[-1]]}"'
    else:
        hint = f"write a value behind {last}"
    return Problem(code="EXP001", start=start, end=end, message=_TOO_EARLY, help=hint)


def _surprise(text: str, offset: int, said: str) -> Problem:
    """Return why the word at `offset` cannot stand there."""
    start, end = word_at(text, offset)
    word = text[start:end]
    before = next((token for at, token in reversed(list(_tokens(text))) if at < offset), "")
    if said.startswith("can't assign"):
        return _at(text, offset, f"{word} cannot be given a value", "use a name of your own")
    if said.startswith("You cannot chain"):
        return _at(text, offset, "a second test stands here", "join two tests with and: x is a and x is b")
    if said.startswith("invalid syntax for function call"):
        return _at(text, offset, "the arguments cannot stand like this", "those without a name come first")
    if "escape" in said or "codec" in said:
        return _at(text, offset, "this text has an escape that is none", "write \\\\ for one \\ in a text")
    if before == ".":
        return _at(text, offset, "the name of a key is expected behind the dot", 'write ["…"] for other keys')
    if before in {"|", "is"} or (before == "not" and "'name'" in said):
        what = "a filter" if before == "|" else "a test"
        if word in _INSTEAD:
            return _at(text, offset, f"{what} is expected here", _INSTEAD[word])
        return _at(text, offset, f"{what} is expected here", _BEHIND["|" if before == "|" else "is"])
    if not said.startswith("expected token"):
        hint = _INSTEAD.get(word, VALUE)
        return _at(text, offset, f'a value is expected here, and "{word}" is none', hint)
    return _misplaced(text, offset, word, said)


def _misplaced(text: str, offset: int, word: str, said: str) -> Problem:
    """Return why a word cannot follow the complete value before it."""
    still = _opened(text, offset)
    hint = _INSTEAD.get(word, _JOIN)
    wanted = said.split("'")[1]
    if wanted in {"in", "="}:  # of a tag
        return _at(text, offset, f"{wanted} is expected here", None)
    if not still:
        return _at(text, offset, "the expression should end here", hint)
    if wanted == ":":
        return _at(text, offset, "a : is expected here, between a key and its value", '{"key": value}')
    closing = _CLOSING[still[-1]]
    return _at(text, offset, f'a comma or "{closing}" is expected here', hint)


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    """Yield the words of an expression with their offsets, up to where it cannot be read."""
    offset = 0
    try:
        for _, kind, word in environment().lexer.tokeniter(
            same_length_newlines(text), None, None, "variable"
        ):
            if kind != "whitespace":
                yield offset, text[offset : offset + len(word)]
            offset += len(word)
    except TemplateSyntaxError:
        return


def _opened(text: str, offset: int) -> list[str]:
    """Return the brackets that are open at `offset`, the innermost last."""
    still: list[str] = []
    for at, token in _tokens(text):
        if at >= offset:
            break
        if token in _CLOSING:
            still.append(token)
        elif still and token == _CLOSING[still[-1]]:
            still.pop()
    return still
