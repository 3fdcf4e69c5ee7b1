"""CTR001 invalid-interface: a contract's interface file is itself invalid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.rules.base import Facts, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every place where a contract's interface file is itself invalid."""
    for _, found in facts.contracts:
        yield from found
    for _, _, wrong in facts.interfaces:
        yield from wrong.items


RULE = Rule(
    code="CTR001",
    name="invalid-interface",
    severity=Severity.ERROR,
    scope=Scope.INTERFACE,
    summary="a contract's interface file is itself invalid",
    check=check,
)
