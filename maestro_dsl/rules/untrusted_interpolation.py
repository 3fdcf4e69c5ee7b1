"""SEC002 untrusted-interpolation: text from a model or a user becomes a command, a path or a system prompt.

Untrusted are the outputs of nodes that are free text, everywhere; inputs that may be any text, where they
become the program, code or a path; and the requirement in a persona's own prompt, which is not where it
belongs: the task message carries it, between marks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Related, Severity
from maestro_dsl.rules.base import Facts, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from maestro_dsl.lang.expression_reads import Read
    from maestro_dsl.lang.model import Json
    from maestro_dsl.rules.texts import NodeText, NodeTexts

_FREE_TEXT: Final = frozenset({"files", "stdout", "tally", "winner"})
"""Outputs of nodes that a model or a program wrote."""
_LIMITS: Final = frozenset({"enum", "const", "pattern", "format"})
_RUNS_CODE: Final = frozenset({"-c", "-e", "-r", "--eval", "--command", "/c", "/C", "-Command"})
_COMMANDS: Final = frozenset({"command", "render", "plan"})


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every place where such text becomes more than data."""
    for alike in facts.texts:
        if alike.action in _COMMANDS:
            for text in alike.texts:
                yield from _in_nodes(alike, text)
    for prompt in facts.prompts:
        from maestro_dsl.lang.template_reads import template_reads  # loads jinja2

        for read in template_reads(prompt.source.text):
            if read.path == ("requirement",):
                end = read.start + len("requirement")
                yield RULE.finding(
                    prompt.source.span(read.start, end),
                    "the requirement is text from outside, and becomes part of a system prompt here",
                    "leave it out: the task message carries it already",
                    related=(Related(span=prompt.stated, message="the persona's prompt"),),
                )


def _in_nodes(alike: NodeTexts, text: NodeText) -> Iterator[Diagnostic]:
    becomes = _becomes(alike, text)
    if becomes is None:
        return
    from maestro_dsl.lang.expression_reads import reads_of  # loads jinja2

    what, is_strict = becomes
    for read in reads_of(text.expression):
        if not read.is_text:
            continue
        if read.path[0] == "nodes" and _FREE_TEXT.intersection(read.path[2:]):
            source = f"text that node {read.path[1]} wrote"
        elif is_strict and read.path[0] == "inputs" and _is_any_text(alike, read):
            source = f"the input {read.path[1]}, which may be any text,"
        else:
            continue
        way_out = (
            "pass a fixed text, or limit the input with enum or pattern"
            if is_strict
            else "pass a fixed text; let the program read the text from a file"
        )
        for span in alike.spans(text, read.start, read.end):
            yield RULE.finding(span, f"{source} becomes part of {what}", way_out)


def _becomes(alike: NodeTexts, text: NodeText) -> tuple[str, bool] | None:
    """Return what a parameter is, and whether inputs are a danger there too."""
    place = text.pointer[1:]
    match alike.action, place:
        case "render", ("path",):
            return "a path", True
        case "plan", ("file",):
            return "a path", True
        case "command", ("run", 0):
            return "the program that is started", True
        case "command", ("run", int(index)):
            before = _item(alike.params.get("run"), index - 1)
            return ("code that is run", True) if before in _RUNS_CODE else ("a command", False)
        case _:
            return None


def _item(value: Json, index: int) -> Json:
    return value[index] if isinstance(value, list) and 0 <= index < len(value) else None


def _is_any_text(alike: NodeTexts, read: Read) -> bool:
    schema = alike.document.value.inputs.get(read.path[1]) if len(read.path) > 1 else None
    if not isinstance(schema, dict):
        return False  # unknown or untyped, which was reported
    return schema.get("type") == "string" and not _LIMITS.intersection(schema)


RULE = Rule(
    code="SEC002",
    name="untrusted-interpolation",
    severity=Severity.ERROR,
    scope=Scope.DOCUMENT,
    summary="text of a model or a user becomes a command, a path or a system prompt",
    check=check,
)
