"""RUN004 retry-too-long: the waits between attempts alone are longer than the node may take.

Only where the node itself, its contract or a document states the schedule: built-in waits are seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Related, Severity
from maestro_dsl.lang.layers import BUILT_IN
from maestro_dsl.lang.settings import for_node
from maestro_dsl.lang.units import duration_text
from maestro_dsl.rules.base import Facts, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable

    from maestro_dsl.lang.model import NodeSpec, RetrySettings
    from maestro_dsl.lang.settings import NodeSettings
    from maestro_dsl.lang.workspace import Workspace


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every node whose last attempts can never start."""
    for workspace in facts.workspaces:
        nodes = workspace.blueprint.value.nodes.values()
        alike = {(node.timeout_s, id(node.retry)): node for node in nodes}  # most share one schedule
        schedules = {key: for_node(workspace.settings, node=node) for key, node in alike.items()}
        if not any(map(_is_stated, schedules.values())):
            continue
        for node in nodes:
            settings = schedules[node.timeout_s, id(node.retry)]
            finding = _finding(workspace, node, settings) if _is_stated(settings) else None
            if finding is not None:
                yield finding


def _is_stated(settings: NodeSettings) -> bool:
    delays = ("policies.retry.delay", "policies.retry.max_delay", "max_attempts")
    return any(settings.origins.get(key, BUILT_IN) != BUILT_IN for key in delays)


def _finding(workspace: Workspace, node: NodeSpec, settings: NodeSettings) -> Diagnostic | None:
    attempts, waits = settings.retry.max_attempts or 1, _waits(settings.retry, settings.timeout_s)
    if len(waits) >= attempts - 1 and sum(waits) < settings.timeout_s:
        return None
    document = workspace.blueprint
    pointer = ("nodes", node.id)
    key = next((name for name in ("retry", "timeout") if document.map.has((*pointer, name))), None)
    span = document.map.key_span((*pointer, key) if key else pointer)
    stated = workspace.plan.map
    where = stated.key_span(("policies", "retry"))
    is_plan = key != "retry" and stated.has(("policies", "retry"))
    limit = duration_text(settings.timeout_s)
    return RULE.finding(
        span,
        f"{node.id}: attempt {len(waits) + 1} of {attempts} can never start: the waits take {limit}",
        "lower max_attempts, delay or max_delay, or raise timeout",
        related=(Related(span=where, message="the schedule of the plan"),) if is_plan else (),
    )


def _waits(retry: RetrySettings, timeout_s: float) -> list[float]:
    """Return the shortest waits before the second attempt and later ones, until they pass the timeout."""
    delay, longest, jitter = retry.delay_s or 0.0, retry.max_delay_s or 0.0, retry.jitter or 0.0
    waits: list[float] = []
    total = 0.0
    for number in range((retry.max_attempts or 1) - 1):
        base = min(longest, delay * 2.0 ** min(number, 60))
        waits.append(min(longest, max(delay, base * (1 - jitter))))
        total += waits[-1]
        if total >= timeout_s:
            break
    return waits


RULE = Rule(
    code="RUN004",
    name="retry-too-long",
    severity=Severity.WARNING,
    scope=Scope.WORKSPACE,
    summary="the schedule of attempts cannot fit the timeout",
    check=check,
)
