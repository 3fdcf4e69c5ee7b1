"""CTR002 no-provider: a provider is not in the team, consumes itself, or provides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.compiler.contracts import provider_problems
from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.rules.base import Facts, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every place where a provider is not in the team, consumes itself, or provides nothing."""
    return provider_problems(facts.workspace) if facts.workspace is not None else ()


RULE = Rule(
    code="CTR002",
    name="no-provider",
    severity=Severity.ERROR,
    scope=Scope.WORKSPACE,
    summary="a provider is not in the team, consumes itself, or provides nothing",
    check=check,
)
