"""RUN003 budget-overcommit: in the worst case the policies allow more than the guardrail lets through.

Counted as `maestro plan` does, without the prompts: attempts x rounds x the longest answer, up to the token
budget of each persona. So the real worst case is higher, never lower. Money needs prices, which `maestro
plan` has; here tokens are compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Related, Severity
from maestro_dsl.lang.settings import for_node
from maestro_dsl.rules.base import Facts, Rule, Scope, is_offline
from maestro_dsl.rules.walk import guardrail

if TYPE_CHECKING:
    from collections.abc import Iterable

    from maestro_dsl.compiler.instances import Instance
    from maestro_dsl.lang.workspace import Workspace


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every plan whose worst case passes its own `guardrails.max_tokens`."""
    for workspace, instances, wrong in facts.expanded:
        limit = workspace.settings.guardrails.max_tokens
        stated = guardrail(workspace, "max_tokens")
        if limit is None or wrong.has_errors or stated is None:
            continue
        spent = _worst_case(workspace, instances)
        if sum(spent.values()) <= limit:
            continue
        most = max(spent, key=lambda name: spent[name])
        share = f"{most} alone may use {spent[most]:,}"
        where = Related(span=workspace.plan.map.key_span(("team", most)), message=share)
        yield RULE.finding(
            stated,
            f"the worst case is at least {sum(spent.values()):,} tokens; the guardrail stops at {limit:,}",
            "raise it, or lower token_budget, max_attempts or max_output_tokens",
            related=(where,),
        )


def _worst_case(workspace: Workspace, instances: Iterable[Instance]) -> dict[str, int]:
    """Return the tokens that each paid member may use at least, when everything fails."""
    from maestro_dsl.compiler.policies import DEFAULT_MAX_OUTPUT_TOKENS  # needed for plans only

    spent: dict[str, int] = {}
    known: dict[tuple[str, str | None, str], int] = {}
    rounds = workspace.settings.safety.max_attempts or 1
    for instance in instances:
        member = workspace.team.get(instance.persona_id or "")
        if member is None or instance.action != "fulfil" or is_offline(member.settings.model.provider):
            continue
        group = (instance.spec.id, instance.contract_id, member.id)
        if group not in known:
            resolved = workspace.contracts.get(instance.contract_id or "")
            contract = resolved.document if resolved is not None else None
            found = for_node(
                workspace.settings, node=instance.spec, contract=contract, member=member.settings
            )
            output = member.settings.model_settings.max_output_tokens or DEFAULT_MAX_OUTPUT_TOKENS
            known[group] = rounds * (found.retry.max_attempts or 1) * output
        budget = member.settings.token_budget
        spent[member.id] = min(spent.get(member.id, 0) + known[group], budget)
    return spent


RULE = Rule(
    code="RUN003",
    name="budget-overcommit",
    severity=Severity.WARNING,
    scope=Scope.GRAPH,
    summary="the worst case exceeds the guardrail",
    check=check,
)
