"""Turns what the YAML parser complains about into a finding with a likely cause."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import yaml

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.lang.parsing import SEPARATORS, tokens_of

if TYPE_CHECKING:
    from maestro_dsl.lang.sourcemap import SourceMap

_NOT_PRINTABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SEPARATOR: Final = re.compile(f"[{SEPARATORS}]")
_INDENT: Final = "indent with spaces, and give all keys of one mapping the same indentation"
_QUOTE: Final = (
    'put the text in quotes if it holds ": " or starts with one of @ ` % & * ! | > [ ] { } , # ? -'
)
_NOT_CLOSED: Final = "a quoted text is not closed"
"""Said where the text begins: the parser only notices at the end of the file."""

_UNKNOWN_TAG: Final = "found undefined tag handle"
# Beginning of the parser's text (either parser) → our sentence and the likely cause.
_CAUSES: Final = (
    ("mapping values are not allowed", 'a second ":" stands where only a value may stand', _QUOTE),
    ("found unexpected end of stream", _NOT_CLOSED, "add the closing quote"),
    ("found unexpected document indicator", _NOT_CLOSED, "add the closing quote"),
    (
        "found unknown escape character",
        "unknown escape in double quotes",
        r"write \\ for a backslash, or use single quotes",
    ),
    (
        "found invalid Unicode character",
        "invalid Unicode escape in double quotes",
        "write the character itself",
    ),
    ("did not find expected ',' or ']'", "a list is not closed, or a comma is missing", 'add "]" or ","'),
    ("expected ',' or ']'", "a list is not closed, or a comma is missing", 'add "]" or ","'),
    ("did not find expected ',' or '}'", "a mapping is not closed, or a comma is missing", 'add "}" or ","'),
    ("expected ',' or '}'", "a mapping is not closed, or a comma is missing", 'add "}" or ","'),
    ("did not find expected '-' indicator", 'a list item without "-", or wrong indentation', _INDENT),
    (
        "did not find expected key",
        "the indentation fits no open mapping, or text follows a finished value",
        _INDENT,
    ),
    ("expected <block end>", "the indentation fits no open mapping or list", _INDENT),
    (
        "could not find expected ':'",
        'a key without ":"',
        'write "key: value"; indent the lines of a long text',
    ),
    (
        "block sequence entries are not allowed",
        'a list item ("- ") cannot start here',
        "start the list on the next line",
    ),
    (
        "sequence entries are not allowed",
        'a list item ("- ") cannot start here',
        "start the list on the next line",
    ),
    (_UNKNOWN_TAG, "unknown tag", 'put text that starts with "!" in quotes'),
    ("found incompatible YAML document", "unsupported %YAML directive", "remove the directive"),
    (
        "did not find expected node content",
        "a value is missing here",
        "close what is open, or write the value",
    ),
    ("expected the node content", "a value is missing here", "close what is open, or write the value"),
)


def syntax_error(source: SourceMap, start: int, message: str, help_text: str | None) -> Diagnostic:
    """Return a SYN001 at the character `start`."""
    return Diagnostic(
        code="SYN001",
        name="yaml-syntax",
        severity=Severity.ERROR,
        span=source.span(start, start + 1),
        message=message,
        help=help_text,
    )


def explain(error: Exception, source: SourceMap) -> Diagnostic:
    """Return the finding for what either YAML parser raised."""
    finding = _explain(error, source)
    start = source.index(finding.span.line)
    stray = _SEPARATOR.search(source.text, start, start + finding.span.column)
    if stray is None:
        return finding
    column = source.position(stray.start())[1]
    hint = f"U+{ord(stray.group()):04X} at column {column} ends no line in YAML: put a line feed in its place"
    return replace(finding, help=hint)


def is_unknown_tag(error: Exception) -> bool:
    """Return whether a parser ended at a tag whose handle (`!x!`) nobody has declared."""
    return str(getattr(error, "problem", None)).startswith(_UNKNOWN_TAG)


def with_known_tags(text: str) -> str | None:
    """Return `text`, equally long, with tags that nobody knows in place of those that no parser takes.

    None where it does not scan up to its end.
    """
    declared, tags = {None, "!", "!!"}, []
    try:
        for token in tokens_of(text):
            if isinstance(token, yaml.DirectiveToken) and token.name == "TAG":
                declared.add(token.value[0])
            elif isinstance(token, yaml.TagToken) and token.value[0] not in declared:
                tags.append(token.start_mark.index + len(token.value[0]) - 1)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    characters = list(text)
    for at in tags:  # the second ! of !x!y
        characters[at] = "-"
    return "".join(characters)


def _explain(error: Exception, source: SourceMap) -> Diagnostic:
    problem = str(getattr(error, "problem", None) or "")
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if isinstance(error, yaml.reader.ReaderError) or mark is None:
        return _unreadable(source, problem or str(error))
    at = int(mark.index)
    character = source.text[at : at + 1]
    if problem.startswith(("found character", "while scanning for")):
        if character == "\t":
            return syntax_error(source, at, "a tab cannot indent YAML", "indent with spaces")
        message = f'text cannot start with "{character}" without quotes'
        return syntax_error(source, at, message, "put the text in quotes")
    for beginning, message, help_text in _CAUSES:
        if problem.startswith(beginning):
            opened = getattr(error, "context_mark", None) if message == _NOT_CLOSED else None
            return syntax_error(source, at if opened is None else int(opened.index), message, help_text)
    return syntax_error(source, at, f"not valid YAML: {problem}", None)


def _unreadable(source: SourceMap, problem: str) -> Diagnostic:
    match = _NOT_PRINTABLE.search(source.text)
    if match is None:
        return syntax_error(source, 0, f"not valid YAML: {problem}", None)
    code = f"U+{ord(match.group()):04X}"
    message = f"the character {code} is not allowed in YAML"
    return syntax_error(
        source, match.start(), message, "remove it, or write it as an escape in double quotes"
    )
