"""GRF002 unreachable-node: a node that can never run, because no instance is made or its needs exclude it.

A condition that is always false is EXP004. Needs are judged by their states: a node that wants one node
failed, and another that needs the same node succeeded, waits for what cannot be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.compiler.order import topological
from maestro_dsl.diagnostics import Diagnostic, Related, Severity
from maestro_dsl.lang.mend import need_span
from maestro_dsl.rules.base import Facts, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import Blueprint
    from maestro_dsl.lang.workspace import Workspace

_ANY = ("any",)
_NEVER_RAN = frozenset({"any", "skipped", "cancelled"})


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every node that can never run."""
    seen = set()
    for document, workspace in facts.blueprints:
        if workspace is not None and not workspace.is_partial:
            yield from _without_contracts(document, workspace)
        if document.path not in seen:
            seen.add(document.path)
            yield from _excluded(document)


def _without_contracts(document: Document[Blueprint], workspace: Workspace) -> Iterator[Diagnostic]:
    plan = workspace.plan
    if workspace.contracts or workspace.lacks_contracts:
        return
    over = [node.id for node in document.value.nodes.values() if (node.foreach or "").strip() == "contracts"]
    if over:
        place = ("contracts",) if plan.map.has(("contracts",)) else ("blueprint",)
        names = ", ".join(over)
        message = f"the plan has no contracts, so these nodes of its blueprint never run: {names}"
        yield RULE.finding(plan.map.key_span(place), message, "list contract files under contracts")


def _excluded(document: Document[Blueprint]) -> Iterator[Diagnostic]:
    """Yield the nodes whose needs, taken together, want two different ends of one node."""
    nodes = document.value.nodes
    watched = {need.node for spec in nodes.values() for need in spec.needs if _is_unusual(need.states)}
    if not watched:
        return
    needs = {name: [need.node for need in spec.needs if need.node in nodes] for name, spec in nodes.items()}
    wanted: dict[str, dict[str, frozenset[str]]] = {}
    for name in topological(needs):
        mine: dict[str, frozenset[str]] = {}
        for need in nodes[name].needs:
            if need.node not in nodes or need.states == _ANY:
                continue
            told = dict(wanted[need.node]) if not _NEVER_RAN.intersection(need.states) else {}
            if need.node in watched:
                told[need.node] = frozenset(need.states)
            for other, states in told.items():
                before = mine.get(other)
                mine[other] = states if before is None else before & states
                if before is not None and not mine[other]:
                    first = next(item.node for item in nodes[name].needs if item.node != need.node)
                    yield _never(document, name, need.node, other, first)
                    mine[other] = states
        wanted[name] = mine


def _is_unusual(states: tuple[str, ...]) -> bool:
    return states != _ANY and "succeeded" not in states


def _never(document: Document[Blueprint], name: str, needed: str, other: str, first: str) -> Diagnostic:
    return RULE.finding(
        need_span(document, name, needed),
        f"{name} can never run: its needs want {other} to end in two ways at once",
        f"accept more states of {other}, or drop one of the needs",
        related=(Related(span=need_span(document, name, first), message="the other need"),),
    )


RULE = Rule(
    code="GRF002",
    name="unreachable-node",
    severity=Severity.WARNING,
    scope=Scope.GRAPH,
    summary="a node can never run",
    check=check,
)
