"""CTR002 no-provider: a provider or consumer is not in the team, consumes itself, or provides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.rules.base import Facts, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every provider or consumer who is not in the team, consumes itself, or provides nothing."""
    for workspace in facts.workspaces:
        from maestro_dsl.compiler.contracts import provider_problems  # needed for plans only

        yield from provider_problems(workspace)


RULE = Rule(
    code="CTR002",
    name="no-provider",
    severity=Severity.ERROR,
    scope=Scope.WORKSPACE,
    summary="a provider or consumer is not in the team, consumes itself, or provides nothing",
    check=check,
)
