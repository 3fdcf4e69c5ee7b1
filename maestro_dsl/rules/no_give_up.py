"""RUN006 no-give-up: a node states its attempts, and nobody says what happens after the last one.

`give_up` of the node, of the plan's policies or of a project's defaults will do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.lang.layers import BUILT_IN
from maestro_dsl.lang.model import GiveUp
from maestro_dsl.rules.base import Facts, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every node with attempts of its own and no outcome for their exhaustion."""
    for workspace in {item.blueprint.path: item for item in facts.workspaces}.values():
        if workspace.settings.origins.get("policies.give_up", BUILT_IN) != BUILT_IN:
            continue
        document = workspace.blueprint
        for node in document.value.nodes.values():
            if node.give_up is not None or (node.retry.max_attempts or 1) == 1:
                continue
            if not document.is_hole(("nodes", node.id, "give_up")):
                options = ", ".join(item.value for item in GiveUp)
                yield RULE.finding(
                    document.map.key_span(("nodes", node.id, "retry")),
                    f"{node.id} is tried {node.retry.max_attempts} times, and nothing says what follows",
                    f"add give_up: {options}",
                )


RULE = Rule(
    code="RUN006",
    name="no-give-up",
    severity=Severity.WARNING,
    scope=Scope.WORKSPACE,
    summary="a retried node without an outcome for its last attempt",
    check=check,
)
