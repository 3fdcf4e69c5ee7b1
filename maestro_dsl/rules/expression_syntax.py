"""EXP001 expression-syntax: an expression does not parse, in a document or in a prompt file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.rules.base import Facts, Rule, Scope, with_code

if TYPE_CHECKING:
    from collections.abc import Iterable


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every place where an expression does not parse."""
    yield from with_code(facts.expressions, "EXP001")
    yield from with_code(facts.prompt_problems, "EXP001")


RULE = Rule(
    code="EXP001",
    name="expression-syntax",
    severity=Severity.ERROR,
    scope=Scope.DOCUMENT,
    summary="an expression does not parse",
    check=check,
)
