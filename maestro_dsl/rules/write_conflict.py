"""GRF006 write-conflict: two nodes that may run together write overlapping paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.rules.base import Facts, Rule, Scope, with_code

if TYPE_CHECKING:
    from collections.abc import Iterable


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every place where two nodes that may run together write overlapping paths."""
    return with_code(facts.graph, "GRF006")


RULE = Rule(
    code="GRF006",
    name="write-conflict",
    severity=Severity.ERROR,
    scope=Scope.GRAPH,
    summary="two nodes that may run together write overlapping paths",
    check=check,
)
