"""Turns what the YAML parser complains about into a finding with a likely cause."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import yaml

from maestro_dsl.diagnostics import Diagnostic, Related, Severity
from maestro_dsl.lang.parsing import SEPARATORS, tokens_of

if TYPE_CHECKING:
    from maestro_dsl.lang.sourcemap import SourceMap

_NOT_PRINTABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MARK: Final = "\ufeff"
_UNSEEN: Final = re.compile(f"[{SEPARATORS}{_MARK}]")
_UNSEEN_SPACE: Final = re.compile("(?:^|[:-])([\xa0\u2000-\u200b\u202f\u3000])", re.MULTILINE)
"""What looks like the space that YAML needs there, and is none."""
_JOINED: Final = re.compile(r"\s*(?:- +)*([A-Za-z_][\w-]*):(?=[^\s:/])")
"""A key with its value right behind the colon."""
_LINE: Final = re.compile(r"[^\r\n]*")
_INDENT: Final = "indent with spaces, and give all keys of one mapping the same indentation"
_QUOTE: Final = (
    'put the text in quotes if it holds ": " or starts with one of @ ` % & * ! | > [ ] { } , # ? -'
)
_NOT_CLOSED: Final = "a quoted text is not closed"
"""Said where the text begins: the parser only notices at the end of the file."""

_NO_COLON: Final = 'a key without ":"'
_AT_THE_BEGINNING: Final = frozenset({_NOT_CLOSED, _NO_COLON})
_LONGEST_KEY: Final = 1024
_ONE_DOCUMENT: Final = "put what follows in a file of its own, or indent it with what it belongs to"
_DIRECTIVE: Final = "put the text in quotes, or remove the directive"
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
        "the indentation fits no open mapping",
        _INDENT,
    ),
    ("expected <block end>", "the indentation fits no open mapping or list", _INDENT),
    (
        "could not find expected ':'",
        _NO_COLON,
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
    ("found a tab character", "a tab cannot indent YAML", "indent with spaces"),
    ("did not find expected comment", "text follows | or > on its line", "start the text on the next line"),
    (
        "found an indentation indicator",
        "an indentation of 0 after | or >",
        "leave the number out, or write 1 to 9",
    ),
    ("mapping keys are not allowed", 'a key ("? ") cannot start here', "put the text in quotes"),
    ("did not find expected <document start>", "text follows the end of the document", _ONE_DOCUMENT),
    ("found duplicate %", "the directive stands twice", "remove the directive"),
    ("found unknown directive", "a line cannot start with % here", _DIRECTIVE),
    ("found unexpected non-alphabetical", "a line cannot start with % here", _DIRECTIVE),
    ("could not find expected directive name", "a line cannot start with % here", _DIRECTIVE),
    ("did not find expected hexdecimal", "a Unicode escape that is none", "write the character itself"),
    ("did not find expected whitespace", "a tag is not finished", 'put text that starts with "!" in quotes'),
    ("did not find the expected '>'", "a tag is not finished", 'put text that starts with "!" in quotes'),
    ("did not find expected tag", "a tag is not finished", 'put text that starts with "!" in quotes'),
)
_NAMELESS: Final = "did not find expected alphabetic"
"""What the parser says of `*` and `&` without a name behind them."""


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
    finding = _with_opening(_explain(error, source), error, source)
    line = finding.span.line
    end = _LINE.match(source.text, source.index(line))
    limits = source.index(max(1, line - 1)), end.end() if end is not None else 0
    space = _UNSEEN_SPACE.search(source.text, *limits)
    if space is not None:
        name = f"U+{ord(space[1]):04X}"
        message = f"the character {name} looks like a space and is none"
        return syntax_error(source, space.start(1), message, "put a space in its place")
    stray = _UNSEEN.search(source.text, *limits)
    if stray is None:
        return finding
    place = "line {}, column {}".format(*source.position(stray.start()))
    name = f"U+{ord(stray.group()):04X} at {place}"
    if stray.group() == _MARK:
        return replace(finding, help=f"remove {name}, which cannot be seen")
    return replace(finding, help=f"{name}, ends no line in YAML: put a line feed in its place")


def _with_opening(finding: Diagnostic, error: Exception, source: SourceMap) -> Diagnostic:
    """Return the finding with the bracket that is not closed, where that stands on a line above."""
    begin = getattr(error, "context_mark", None)
    if begin is None or "is not closed, or" not in finding.message:
        return finding
    span = source.span(int(begin.index), int(begin.index) + 1)
    if span.line == finding.span.line:
        return finding
    return replace(finding, related=(Related(span=span, message="opened here"),))


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
    begin = getattr(error, "context_mark", None)
    if problem.startswith(_NAMELESS) and begin is not None:
        message = f'text cannot start with "{source.text[begin.index : begin.index + 1]}" without quotes'
        return syntax_error(source, int(begin.index), message, "put the text in quotes")
    special = _special(source, at, problem)
    if special is not None:
        return special
    for beginning, message, help_text in _CAUSES:
        if problem.startswith(beginning):
            opened = begin if message in _AT_THE_BEGINNING else None
            joined = _joined(source, at if opened is None else int(opened.index))
            if message == _NO_COLON and joined is not None:
                return joined
            return syntax_error(source, at if opened is None else int(opened.index), message, help_text)
    return syntax_error(source, at, "this is not valid YAML", _QUOTE)


def _joined(source: SourceMap, at: int) -> Diagnostic | None:
    """Return the finding where a key and its value are written without a space between them."""
    match = _JOINED.match(source.text, at)
    if match is None:
        return None
    return syntax_error(source, match.end() - 1, 'there is no space behind ":"', f'write "{match[1]}: …"')


def _special(source: SourceMap, at: int, problem: str) -> Diagnostic | None:
    """Return the finding where what stands before on the line tells the cause; None where it does not."""
    text = source.text
    before = text[text.rfind("\n", 0, at) + 1 : at]
    is_second = problem.startswith("mapping values are not allowed")
    if is_second and len(before) > _LONGEST_KEY:
        return syntax_error(
            source, at, f"a key of more than {_LONGEST_KEY:,} characters", "write a shorter key"
        )
    if is_second and ":" not in before and before.strip():
        start = at - len(before.lstrip())
        return syntax_error(source, start, "this key stands below a finished value", _INDENT)
    is_behind = problem.startswith(("did not find expected key", "did not find expected <document start>"))
    if not is_behind or not before.strip():
        return None
    if text[at : at + 1] in {"]", "}"}:
        return syntax_error(
            source, at, f'this "{text[at]}" closes nothing', "take it away, or open it before"
        )
    return syntax_error(
        source, at, "text follows a finished value", "put the whole text in quotes, or take the rest away"
    )


def _unreadable(source: SourceMap, problem: str) -> Diagnostic:
    match = _NOT_PRINTABLE.search(source.text)
    if match is None:
        return syntax_error(source, 0, f"not valid YAML: {problem}", None)
    code = f"U+{ord(match.group()):04X}"
    message = f"the character {code} is not allowed in YAML"
    return syntax_error(
        source, match.start(), message, "remove it, or write it as an escape in double quotes"
    )
