"""RUN005 unsafe-retry: a node with an effect outside is tried more than once, and nothing joins the tries.

Without an idempotency key, the receiver cannot tell a second try from a second order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.lang.layers import DEFAULT_MAX_ATTEMPTS
from maestro_dsl.lang.settings import for_node
from maestro_dsl.rules.base import Facts, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable

    from maestro_dsl.lang.model import NodeSpec
    from maestro_dsl.lang.workspace import Workspace


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every retried node with an effect and no idempotency key."""
    for document, workspace in facts.blueprints:
        for node in document.value.nodes.values():
            if not node.effect or node.idempotency_key is not None:
                continue
            attempts = _attempts(node, workspace)
            if attempts > 1:
                yield RULE.finding(
                    document.map.key_span(("nodes", node.id, "effect")),
                    f"{node.id} has an effect outside and up to {attempts} tries, but no idempotency key",
                    "add idempotency_key, or retry: {max_attempts: 1}",
                )


def _attempts(node: NodeSpec, workspace: Workspace | None) -> int:
    if workspace is not None:
        return for_node(workspace.settings, node=node).retry.max_attempts or 1
    return node.retry.max_attempts or DEFAULT_MAX_ATTEMPTS


RULE = Rule(
    code="RUN005",
    name="unsafe-retry",
    severity=Severity.WARNING,
    scope=Scope.WORKSPACE,
    summary="an effect outside is retried without an idempotency key",
    check=check,
)
