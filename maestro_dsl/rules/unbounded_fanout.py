"""GRF005 unbounded-fanout: a plan has more nodes or instances than the limits allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.rules.base import Facts, Rule, Scope, with_code

if TYPE_CHECKING:
    from collections.abc import Iterable


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every place where a plan has more nodes or instances than the limits allow."""
    return with_code(facts.graph, "GRF005")


RULE = Rule(
    code="GRF005",
    name="unbounded-fanout",
    severity=Severity.WARNING,
    scope=Scope.GRAPH,
    summary="a plan has more nodes or instances than the limits allow",
    check=check,
)
