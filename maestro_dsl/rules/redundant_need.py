"""GRF004 redundant-need: a need that another need of the same node brings anyway.

Only where it certainly changes nothing: every node on the other way has to have run, and has an instance
whenever the two ends have one. What is removed is never read by position, so the graph stays the same.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from maestro_dsl.compiler.order import topological
from maestro_dsl.diagnostics import Diagnostic, Fix, Severity
from maestro_dsl.lang.mend import need_span, without_need
from maestro_dsl.rules.base import Facts, Mends, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import Blueprint, Need, NodeSpec

_MOST_SOURCES: Final = 8
"""Loops over more different things than this are not looked through."""
_USUAL: Final = ("succeeded", "succeeded_on_mock")
_MOST: Final = 100
"""Most findings of one blueprint: telling which need brings another costs as much as the node has needs."""


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every need that another need implies."""
    for document in {item.path: item for item, _ in facts.blueprints}.values():
        if not any(len(spec.needs) > 1 for spec in document.value.nodes.values()):
            continue
        yield from _redundant(document)


def _redundant(document: Document[Blueprint]) -> Iterator[Diagnostic]:
    nodes = document.value.nodes
    order = topological({name: [need.node for need in _known(spec, nodes)] for name, spec in nodes.items()})
    bits = {name: 1 << place for place, name in enumerate(order)}
    above: dict[str | None, dict[str, int]] = {}
    common = Counter(_source(spec) for spec in nodes.values()).most_common(_MOST_SOURCES)
    for source, _ in common:
        above[source] = _implied(source, nodes, order, bits)
    found = 0
    for name in order:
        needs = [need for need in _known(nodes[name], nodes) if _is_usual(need)]
        for need in needs if len(needs) > 1 and found < _MOST else ():
            if need.join != "auto":
                continue
            for source in dict.fromkeys((_source(nodes[name]), _source(nodes[need.node]))):
                if source not in above or not _brought(needs, source, nodes, above) & bits[need.node]:
                    continue
                found += 1
                yield _finding(document, name, need, _bringer(needs, need, source, nodes, above, bits))
                break


def _implied(
    source: str | None, nodes: Mapping[str, NodeSpec], order: tuple[str, ...], bits: Mapping[str, int]
) -> dict[str, int]:
    """Return what each node certainly waits for, over nodes without `foreach` or with this one."""
    found: dict[str, int] = {}
    for name in order:
        mine = 0
        for need in _known(nodes[name], nodes):
            if not _is_usual(need):
                continue
            mine |= bits[need.node]
            if _source(nodes[need.node]) in {None, source}:
                mine |= found[need.node]
        found[name] = mine
    return found


def _brought(
    needs: list[Need],
    source: str | None,
    nodes: Mapping[str, NodeSpec],
    above: Mapping[str | None, Mapping[str, int]],
) -> int:
    """Return all that the needs of one node bring along."""
    found = 0
    for need in needs:
        if _source(nodes[need.node]) in {None, source}:
            found |= above[source][need.node]
    return found


def _bringer(
    needs: list[Need],
    wanted: Need,
    source: str | None,
    nodes: Mapping[str, NodeSpec],
    above: Mapping[str | None, Mapping[str, int]],
    bits: Mapping[str, int],
) -> Need:
    return next(
        need
        for need in needs
        if _source(nodes[need.node]) in {None, source} and above[source][need.node] & bits[wanted.node]
    )


def _is_usual(need: Need) -> bool:
    return need.states == _USUAL


def _source(spec: NodeSpec) -> str | None:
    return " ".join(spec.foreach.split()) if spec.foreach is not None else None


def _known(spec: NodeSpec, nodes: Mapping[str, NodeSpec]) -> tuple[Need, ...]:
    return tuple(need for need in spec.needs if need.node in nodes)


def _finding(document: Document[Blueprint], name: str, need: Need, other: Need) -> Diagnostic:
    edit = without_need(document, name, need.node)
    title = f"remove {need.node} from the needs of {name}"
    return RULE.finding(
        need_span(document, name, need.node),
        f"{name} needs {need.node} anyway, through {other.node}",
        f"leave it out: {other.node} waits for {need.node}",
        fix=Fix(title=title, edits=(edit,)) if edit is not None else None,
    )


RULE = Rule(
    code="GRF004",
    name="redundant-need",
    severity=Severity.INFO,
    scope=Scope.DOCUMENT,
    summary="a need is implied by another",
    fix=Mends.SAFE,
    check=check,
)
