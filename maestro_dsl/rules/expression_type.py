"""EXP003 expression-type: a condition is not boolean, or an operand has the wrong type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.rules.base import Facts, Rule, Scope, with_code

if TYPE_CHECKING:
    from collections.abc import Iterable


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every place where a condition is not boolean, or an operand has the wrong type."""
    yield from with_code(facts.expressions, "EXP003")
    yield from with_code(facts.graph, "EXP003")


RULE = Rule(
    code="EXP003",
    name="expression-type",
    severity=Severity.ERROR,
    scope=Scope.WORKSPACE,
    summary="a condition is not boolean, or an operand has the wrong type",
    check=check,
)
