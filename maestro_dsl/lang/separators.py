"""Findings about NEL, LS and PS in a document: characters here, line breaks to readers of YAML 1.1.

Loads with the first such document. How they are read is `maestro_dsl.lang.parsing`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import yaml

from maestro_dsl.diagnostics import Diagnostic, Edit, Fix, Severity
from maestro_dsl.lang.parsing import SEPARATORS, parser_of
from maestro_dsl.lang.quoting import double_quoted
from maestro_dsl.lang.scalars import content_start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from maestro_dsl.lang.sourcemap import SourceMap

_SEPARATOR: Final = re.compile(f"[{SEPARATORS}]")
_NAMES: Final = {"\x85": "next line", "\u2028": "line separator", "\u2029": "paragraph separator"}
_ESCAPES: Final = {"\x85": r"\N", "\u2028": r"\L", "\u2029": r"\P"}


def ambiguous_breaks(source: SourceMap) -> Iterator[Diagnostic]:
    """Yield SYN003 for each scalar of a valid text that holds such a character, and for each one outside."""
    text, at = source.text, 0
    next_event = parser_of(text)
    event: Any = next_event()
    while (kind := event.__class__) is not yaml.StreamEndEvent:
        if kind is yaml.ScalarEvent:
            start = event.start_mark.index
            yield from _between(source, at, start)
            at = event.end_mark.index
            found = _SEPARATOR.search(text, start, at)
            if found is not None:
                yield _in_scalar(source, event, found)
        event = next_event()
    yield from _between(source, at, len(text))


def _between(source: SourceMap, start: int, end: int) -> Iterator[Diagnostic]:
    """Yield the findings between two scalars, where nothing but comments can hold such a character."""
    for found in _SEPARATOR.finditer(source.text, start, end):
        message = f"{_name(found[0])} does not end this comment; to readers of YAML 1.1 it does"
        yield _finding(source, found, message, "remove it")


def _in_scalar(source: SourceMap, event: Any, found: re.Match[str]) -> Diagnostic:
    message = f"{_name(found[0])} is text here; readers of YAML 1.1 break the line at it"
    hint = f"remove it, or write {_ESCAPES[found[0]]} in double quotes"
    if event.style in {"|", ">"}:
        return _finding(source, found, message, hint)
    start, end = event.start_mark.index, event.end_mark.index
    start += content_start(source.text[start:end])
    raw = source.text[start:end]
    shown = raw if event.style == '"' else double_quoted(event.value)
    shown = _SEPARATOR.sub(lambda match: _ESCAPES[match[0]], shown)
    edit = Edit(span=source.span(start, end), replacement=shown)
    return _finding(source, found, message, hint, Fix(title="write it as an escape", edits=(edit,)))


def _name(char: str) -> str:
    return f"the character U+{ord(char):04X} ({_NAMES[char]})"


def _finding(
    source: SourceMap, found: re.Match[str], message: str, hint: str, fix: Fix | None = None
) -> Diagnostic:
    return Diagnostic(
        code="SYN003",
        name="ambiguous-scalar",
        severity=Severity.WARNING,
        span=source.span(*found.span()),
        message=message,
        help=hint,
        fix=fix,
    )
