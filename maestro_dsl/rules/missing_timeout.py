"""RUN001 missing-timeout: a node that asks a model or starts a command, and nobody says how long it may take.

A node's own timeout, that of its contract, or a default of the project will do. Whether a default exists is
only known in a plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.lang.layers import BUILT_IN
from maestro_dsl.rules.base import Facts, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable

    from maestro_dsl.lang.workspace import Workspace

_LONG: Final = frozenset(
    {
        "analyze",
        "design_contracts",
        "fulfil",
        "review",
        "propose",
        "critique",
        "vote",
        "judge",
        "command",
        "plan",
    }
)


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every such node of the plans, once a blueprint."""
    for workspace in {item.blueprint.path: item for item in facts.workspaces}.values():
        project = workspace.project
        is_unknown = workspace.lacks_project or (
            project is not None and project.is_hole(("defaults", "timeout"))
        )
        if workspace.settings.origins.get("timeout", BUILT_IN) == BUILT_IN and not is_unknown:
            yield from _open_ended(workspace)


def _open_ended(workspace: Workspace) -> Iterable[Diagnostic]:
    document = workspace.blueprint
    contracts = [item.document.value for item in workspace.contracts.values()]
    limited = bool(contracts) and all(contract.timeout_s is not None for contract in contracts)
    for node in document.value.nodes.values():
        if node.action not in _LONG or node.timeout_s is not None or (limited and node.action == "fulfil"):
            continue
        if not document.is_hole(("nodes", node.id, "timeout")):
            minutes = workspace.settings.timeout_s / 60
            yield RULE.finding(
                document.map.key_span(("nodes", node.id)),
                f"{node.id} has no timeout, and the project states no default; {minutes:g}m apply",
                "add timeout to the node, or defaults.timeout to maestro.yaml",
            )


RULE = Rule(
    code="RUN001",
    name="missing-timeout",
    severity=Severity.WARNING,
    scope=Scope.WORKSPACE,
    summary="neither the node nor a default says how long it may take",
    check=check,
)
