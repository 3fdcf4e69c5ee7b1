"""EXP001 expression-syntax: an expression does not parse, in a document or in a prompt file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Related, Severity
from maestro_dsl.lang.templates import check_prompt
from maestro_dsl.rules.base import Facts, Rule, Scope, with_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every place where an expression does not parse."""
    yield from with_code(facts.expressions, "EXP001")
    yield from _in_prompts(facts)


def _in_prompts(facts: Facts) -> Iterator[Diagnostic]:
    for prompt in facts.prompts:
        for problem in check_prompt(prompt.source.text):
            yield RULE.finding(
                prompt.source.span(problem.start, problem.end),
                problem.message[:1].lower() + problem.message[1:].rstrip("."),
                problem.help,
                related=(Related(span=prompt.stated, message="the persona's prompt"),),
            )


RULE = Rule(
    code="EXP001",
    name="expression-syntax",
    severity=Severity.ERROR,
    scope=Scope.DOCUMENT,
    summary="an expression does not parse",
    check=check,
)
