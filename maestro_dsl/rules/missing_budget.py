"""RUN002 missing-budget: a plan that calls a paid model, and nobody limits tokens or cost.

Providers that work offline cost nothing, and are silent here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.lang.layers import BUILT_IN
from maestro_dsl.rules.base import Facts, Rule, Scope, is_offline

if TYPE_CHECKING:
    from collections.abc import Iterable

    from maestro_dsl.lang.sourcemap import Pointer
    from maestro_dsl.lang.workspace import Workspace

_LIMITS: Final = ("guardrails.max_cost", "guardrails.max_tokens", "token_budget")


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every plan with a paid provider and only built-in limits."""
    for workspace in facts.workspaces:
        paid = [
            member for member in workspace.team.values() if not is_offline(member.settings.model.provider)
        ]
        if not paid or _is_limited(workspace):
            continue
        plan = workspace.plan.map
        places: tuple[Pointer, ...] = (("team", paid[0].id, "model"), ("provider",), ("team", paid[0].id))
        place = next(place for place in places if plan.has(place))
        yield RULE.finding(
            plan.value_span(place),
            f"{paid[0].settings.model.provider} is paid by the token, and nothing here limits tokens or cost",
            "add guardrails: {max_cost: 20 USD}, or a token_budget",
        )


def _is_limited(workspace: Workspace) -> bool:
    origins = workspace.settings.origins
    if any(origins.get(key, BUILT_IN) != BUILT_IN for key in _LIMITS):
        return True
    members = (member.settings.origins.get("token_budget", BUILT_IN) for member in workspace.team.values())
    contracts = (item.document.value.token_budget for item in workspace.contracts.values())
    return any(origin != BUILT_IN for origin in members) or any(budget is not None for budget in contracts)


RULE = Rule(
    code="RUN002",
    name="missing-budget",
    severity=Severity.WARNING,
    scope=Scope.WORKSPACE,
    summary="a paid model, and no limit of tokens or cost",
    check=check,
)
