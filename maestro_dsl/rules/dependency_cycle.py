"""GRF001 dependency-cycle: nodes wait for each other in a circle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.rules.base import Facts, Rule, Scope, with_code

if TYPE_CHECKING:
    from collections.abc import Iterable


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every place where nodes wait for each other in a circle."""
    return with_code(facts.graph, "GRF001")


RULE = Rule(
    code="GRF001",
    name="dependency-cycle",
    severity=Severity.ERROR,
    scope=Scope.GRAPH,
    summary="nodes wait for each other in a circle",
    check=check,
)
