"""GRF003 implicit-dependency: an expression reads the outputs of a node that is not needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.rules.base import Facts, Mends, Rule, Scope, with_code

if TYPE_CHECKING:
    from collections.abc import Iterable


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every place where an expression reads the outputs of a node that is not needed."""
    return with_code(facts.expressions, "GRF003")


RULE = Rule(
    code="GRF003",
    name="implicit-dependency",
    severity=Severity.ERROR,
    scope=Scope.DOCUMENT,
    summary="an expression reads the outputs of a node that is not needed",
    fix=Mends.SAFE,
    check=check,
)
