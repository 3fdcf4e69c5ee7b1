"""REF001 undefined-node: an expression names no node of the blueprint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.rules.base import Facts, Mends, Rule, Scope, with_code

if TYPE_CHECKING:
    from collections.abc import Iterable


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every place where an expression names no node of the blueprint."""
    return with_code(facts.expressions, "REF001")


RULE = Rule(
    code="REF001",
    name="undefined-node",
    severity=Severity.ERROR,
    scope=Scope.DOCUMENT,
    summary="needs or an expression names no node",
    fix=Mends.LOOK,
    check=check,
)
