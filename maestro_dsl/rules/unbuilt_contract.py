"""GRF008 unbuilt-contract: a contract of the plan that no node of its blueprint fulfils.

Silent where the blueprint fulfils nothing at all (a plan that only checks what exists), where a condition
chooses, and where something that the plan names was not found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Related, Severity
from maestro_dsl.rules.base import Facts, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every contract of a plan that nobody fulfils."""
    for workspace, instances, wrong in facts.expanded:
        made = {item.contract_id for item in instances if item.action == "fulfil"}
        blueprint = workspace.blueprint
        makers = [node for node in blueprint.value.nodes.values() if node.action == "fulfil"]
        is_chosen = any(node.when is not None for node in makers)
        if not made or is_chosen or workspace.is_partial or wrong.has_errors:
            continue
        for name, resolved in workspace.contracts.items():
            if name not in made:
                where = Related(span=blueprint.map.value_span(("id",)), message="the blueprint of the plan")
                yield RULE.finding(
                    resolved.document.map.value_span(("id",)),
                    f"no node of {blueprint.value.id} fulfils contract {name}",
                    "add a fulfil node for it, or take it out of the plan's contracts",
                    related=(where,),
                )


RULE = Rule(
    code="GRF008",
    name="unbuilt-contract",
    severity=Severity.WARNING,
    scope=Scope.GRAPH,
    summary="no node fulfils a contract of the plan",
    check=check,
)
