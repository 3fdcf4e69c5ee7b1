"""EXP002 undefined-variable: an expression reads what is not defined there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.rules.base import Facts, Mends, Rule, Scope, with_code

if TYPE_CHECKING:
    from collections.abc import Iterable


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every place where an expression reads what is not defined there."""
    yield from with_code(facts.expressions, "EXP002")
    yield from with_code(facts.graph, "EXP002")


RULE = Rule(
    code="EXP002",
    name="undefined-variable",
    severity=Severity.ERROR,
    scope=Scope.WORKSPACE,
    summary="an expression reads what is not defined there",
    fix=Mends.LOOK,
    check=check,
)
