"""RUN007 deadline-mismatch: a limit of time that can never be reached, because a wider one ends before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Related, Severity
from maestro_dsl.lang.units import duration_text
from maestro_dsl.rules.base import Facts, Rule, Scope
from maestro_dsl.rules.walk import guardrail

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from maestro_dsl.lang.workspace import Workspace


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return attempts that may outlive their node, and nodes that may outlive their run."""
    for document in {item.path: item for item, _ in facts.blueprints}.values():
        for node in document.value.nodes.values():
            attempt, whole = node.attempt_timeout_s, node.timeout_s
            if attempt is not None and whole is not None and attempt > whole:
                pointer = ("nodes", node.id)
                where = document.map.value_span((*pointer, "timeout"))
                yield RULE.finding(
                    document.map.value_span((*pointer, "attempt_timeout")),
                    f"an attempt of {node.id} may take {duration_text(attempt)},"
                    f" but ends after {duration_text(whole)}",
                    "lower attempt_timeout, or raise timeout",
                    related=(Related(span=where, message="the node's own limit"),),
                )
    for workspace in facts.workspaces:
        yield from _beyond_the_run(workspace)


def _beyond_the_run(workspace: Workspace) -> Iterator[Diagnostic]:
    limit = workspace.settings.guardrails.max_duration_s
    if limit is None:
        return
    stated_at = guardrail(workspace, "max_duration")
    related = () if stated_at is None else (Related(span=stated_at, message="the run's limit"),)
    nodes = workspace.blueprint.value.nodes.values()
    places = [
        (workspace.blueprint.map, ("nodes", node.id, "timeout"), node.id, node.timeout_s) for node in nodes
    ]
    contracts = [item.document for item in workspace.contracts.values()]
    stated = [*places, *((item.map, ("timeout",), item.value.id, item.value.timeout_s) for item in contracts)]
    for source, pointer, name, timeout_s in stated:
        if timeout_s is not None and timeout_s > limit:
            yield RULE.finding(
                source.value_span(pointer),
                f"{name} may take {duration_text(timeout_s)}, but the run ends after {duration_text(limit)}",
                "lower timeout, or raise guardrails.max_duration",
                related=related,
            )


RULE = Rule(
    code="RUN007",
    name="deadline-mismatch",
    severity=Severity.WARNING,
    scope=Scope.WORKSPACE,
    summary="a limit of time that a wider one cuts off",
    check=check,
)
