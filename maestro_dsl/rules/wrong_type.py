"""SCH003 wrong-type: a rendered parameter has the wrong type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.rules.base import Facts, Rule, Scope, with_code

if TYPE_CHECKING:
    from collections.abc import Iterable


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every place where a rendered parameter has the wrong type."""
    return with_code(facts.graph, "SCH003")


RULE = Rule(
    code="SCH003",
    name="wrong-type",
    severity=Severity.ERROR,
    scope=Scope.DOCUMENT,
    summary="a value has the wrong type or format",
    check=check,
)
