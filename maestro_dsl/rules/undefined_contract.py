"""REF003 undefined-contract: the contract of a node is none of the plan's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.rules.base import Facts, Mends, Rule, Scope, with_code

if TYPE_CHECKING:
    from collections.abc import Iterable


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every place where the contract of a node is none of the plan's."""
    return with_code(facts.graph, "REF003")


RULE = Rule(
    code="REF003",
    name="undefined-contract",
    severity=Severity.ERROR,
    scope=Scope.GRAPH,
    summary="a contract is not found, or is none of the plan's",
    fix=Mends.LOOK,
    check=check,
)
