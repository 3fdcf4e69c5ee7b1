"""EXP004 constant-condition: a condition, or a comparison with a word, is always true or always false."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.rules.base import Facts, Mends, Rule, Scope, with_code

if TYPE_CHECKING:
    from collections.abc import Iterable


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every condition and every comparison that is always true or always false."""
    return with_code(facts.expressions, "EXP004")


RULE = Rule(
    code="EXP004",
    name="constant-condition",
    severity=Severity.WARNING,
    scope=Scope.DOCUMENT,
    summary="a condition is always true or always false",
    check=check,
    fix=Mends.LOOK,
)
