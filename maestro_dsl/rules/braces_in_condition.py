"""EXP005 braces-in-condition: braces stand where an expression already stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.rules.base import Facts, Mends, Rule, Scope, with_code

if TYPE_CHECKING:
    from collections.abc import Iterable


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every place where braces stand where an expression already stands."""
    return with_code(facts.expressions, "EXP005")


RULE = Rule(
    code="EXP005",
    name="braces-in-condition",
    severity=Severity.ERROR,
    scope=Scope.DOCUMENT,
    summary="braces stand where an expression already stands",
    fix=Mends.SAFE,
    check=check,
)
