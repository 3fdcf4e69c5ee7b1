"""REF002 undefined-persona: the persona of a node is no member of the team."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.rules.base import Facts, Mends, Rule, Scope, with_code

if TYPE_CHECKING:
    from collections.abc import Iterable


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every place where the persona of a node is no member of the team."""
    return with_code(facts.graph, "REF002")


RULE = Rule(
    code="REF002",
    name="undefined-persona",
    severity=Severity.ERROR,
    scope=Scope.GRAPH,
    summary="a persona is in no library, not in the project, or not in the team",
    fix=Mends.LOOK,
    check=check,
)
