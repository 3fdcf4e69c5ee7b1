"""Blueprint and workspace to a graph of node instances: the pure half of the compiler.

What is wrong comes back as diagnostics with positions; the graph is as complete as the mistakes allow. Waves,
policies, prompts and digests are added elsewhere; no graph library is used here, because `lint` runs this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Final

from maestro_dsl.compiler.check import upstream
from maestro_dsl.compiler.claims import WRITING, candidates, writes
from maestro_dsl.compiler.edges import Graph, connect
from maestro_dsl.compiler.instances import Instance, instances
from maestro_dsl.compiler.order import ancestors, find_cycle, in_order, stand_in_order, topological
from maestro_dsl.compiler.plan import Edge
from maestro_dsl.diagnostics import Diagnostic, Diagnostics, Related, Severity, Span
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import Blueprint
    from maestro_dsl.lang.sourcemap import Pointer
    from maestro_dsl.lang.workspace import Workspace

MAX_CONFLICTS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """The graph of a plan: instances in order of declaration, their edges, what they write and consume."""

    instances: tuple[Instance, ...] = ()
    edges: Mapping[str, tuple[Edge, ...]] = field(default_factory=dict)
    sources: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Address → addresses of its edges."""
    order: tuple[str, ...] = ()
    """Every address after all that it needs."""
    writes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mocks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    makers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def expand(workspace: Workspace) -> tuple[Expansion, Diagnostics]:
    """Return the graph of a workspace, and GRF001, GRF006 and run-time findings of its expressions."""
    order, cycle = blueprint_order(workspace.blueprint)
    if cycle is not None:
        return Expansion(), Diagnostics([cycle])
    found, diagnostics = instances(workspace)
    return _connected(workspace, found, order, diagnostics)


def judge(workspace: Workspace) -> tuple[tuple[Instance, ...], Diagnostics]:
    """Return the instances and the findings of `expand`, with edges only where something can be wrong there.

    Needs of a blueprint without a cycle make none, and who waits for whom matters where two claim one file.
    """
    order, cycle = blueprint_order(workspace.blueprint)
    if cycle is not None:
        return (), Diagnostics([cycle])
    found, diagnostics = instances(workspace)
    contracts = [item.document.value for item in workspace.contracts.values()]
    if not any(contract.consumer_persona_ids for contract in contracts):
        live = {instance.address: instance for instance in found if instance.is_live}
        if next(candidates(_claims(workspace, live)), None) is None:
            return tuple(live.values()), diagnostics
    expansion, diagnostics = _connected(workspace, found, order, diagnostics)
    return expansion.instances, diagnostics


def _connected(
    workspace: Workspace, found: tuple[Instance, ...], order: tuple[str, ...], diagnostics: Diagnostics
) -> tuple[Expansion, Diagnostics]:
    graph = connect(workspace, found, order)
    sources = {
        address: [edges[0].source] if len(edges) == 1 else [edge.source for edge in edges]
        for address, edges in graph.edges.items()
    }
    ordered = in_order(sources)
    if len(ordered) < len(sources):
        diagnostics.add(_instance_cycle(workspace, graph, sources, ordered))
        return Expansion(), diagnostics
    claimed = _claims(workspace, graph.instances)
    diagnostics.extend(_conflicts(workspace, graph, claimed, sources, ordered))
    expansion = Expansion(
        instances=tuple(graph.instances.values()),
        edges=graph.edges,
        sources=sources,
        order=ordered,
        writes=claimed,
        mocks=graph.mocks,
        reals=graph.reals,
        makers=graph.makers,
    )
    return expansion, diagnostics


# ---- cycles ----------------------------------------------------------------------------------------------


def blueprint_order(document: Document[Blueprint]) -> tuple[tuple[str, ...], Diagnostic | None]:
    """Return a blueprint's nodes, each after its needs, and the GRF001 finding where there is a cycle."""
    nodes = document.value.nodes
    if stand_in_order(nodes):
        return tuple(nodes), None
    needs = {
        name: tuple(need.node for need in spec.needs if need.node in nodes) for name, spec in nodes.items()
    }
    order = topological(needs)
    if len(order) == len(needs):
        return order, None
    path = find_cycle(needs, set(needs) - set(order))
    places = [_need_span(document, path[i], path[i + 1]) for i in range(len(path) - 1)]
    return order, _cycle(path, places)


def _instance_cycle(
    workspace: Workspace, graph: Graph, sources: Mapping[str, list[str]], ordered: tuple[str, ...]
) -> Diagnostic:
    path = find_cycle(sources, set(sources) - set(ordered))
    places = [_edge_span(workspace, graph, path[i], path[i + 1]) for i in range(len(path) - 1)]
    return _cycle(path, places)


def _cycle(path: tuple[str, ...], places: list[Span]) -> Diagnostic:
    itself = path[0] == path[1]
    message = f"{path[0]} needs itself" if itself else f"dependency cycle: {' needs '.join(path)}"
    related = tuple(
        Related(span=span, message=f"{path[i + 1]} needs {path[i + 2]}") for i, span in enumerate(places[1:])
    )
    return Diagnostic(
        code="GRF001",
        name="dependency-cycle",
        severity=Severity.ERROR,
        span=places[0],
        message=message,
        help=f"take {path[0]} out of its own needs"
        if itself
        else "remove one of these needs, or let a consumer use a mock (mock_available: true)",
        related=related,
    )


def _need_span(document: Document[Blueprint], node: str, needed: str) -> Span:
    spec = document.value.nodes[node]
    index = next((i for i, need in enumerate(spec.needs) if need.node == needed), 0)
    pointer: Pointer = ("nodes", node, "needs")
    by_name: Pointer = (*pointer, needed)
    return (
        document.map.key_span(by_name)
        if document.map.has(by_name)
        else document.map.value_span((*pointer, index))
    )


def _edge_span(workspace: Workspace, graph: Graph, address: str, source: str) -> Span:
    """Return what makes `address` wait for `source`: a consumer entry of a contract, or `needs`."""
    edge = next(edge for edge in graph.edges[address] if edge.source == source)
    instance = graph.instances[address]
    if edge.contract_id is not None and edge.contract_id in workspace.contracts:
        document = workspace.contracts[edge.contract_id].document
        consumers = document.value.consumer_persona_ids
        if instance.persona_id in consumers:
            return document.map.value_span(("consumer_persona_ids", consumers.index(instance.persona_id)))
    wanted = graph.instances[source].spec.id
    needed = [need.node for need in instance.spec.needs]
    nearest = (
        wanted
        if wanted in needed
        else next((name for name in needed if wanted in upstream(workspace.blueprint.value, name)), wanted)
    )
    return _need_span(workspace.blueprint, instance.spec.id, nearest)


# ---- writes ----------------------------------------------------------------------------------------------


def _claims(workspace: Workspace, live: Mapping[str, Instance]) -> dict[str, tuple[str, ...]]:
    claimed: dict[str, tuple[str, ...]] = {}
    for address, instance in live.items():
        if instance.spec.action not in WRITING:
            continue
        resolved = workspace.contracts.get(instance.contract_id or "")
        globs = writes(instance, resolved.document.value if resolved is not None else None)
        if globs:
            claimed[address] = globs
    return claimed


def _conflicts(
    workspace: Workspace,
    graph: Graph,
    claimed: Mapping[str, tuple[str, ...]],
    sources: Mapping[str, list[str]],
    ordered: tuple[str, ...],
) -> list[Diagnostic]:
    """Return GRF006 for each pair of nodes that may run together and claim one file."""
    found: list[Diagnostic] = []
    known: tuple[dict[str, int], dict[str, int]] | None = None
    reported: set[tuple[str, str]] = set()
    for left, left_glob, right, right_glob in candidates(claimed):
        if (left, right) in reported:
            continue
        bits, above = known = known or ancestors(sources, ordered)
        if above[left] & bits[right] or above[right] & bits[left]:
            continue
        reported.add((left, right))
        places = (
            _claim_span(workspace, graph.instances[left], left_glob),
            _claim_span(workspace, graph.instances[right], right_glob),
        )
        found.append(_conflict((left, left_glob), (right, right_glob), places))
        if len(found) >= MAX_CONFLICTS:
            break
    return found


def _conflict(left: tuple[str, str], right: tuple[str, str], places: tuple[Span, Span]) -> Diagnostic:
    return Diagnostic(
        code="GRF006",
        name="write-conflict",
        severity=Severity.ERROR,
        span=places[1],
        message=f"{right[0]} and {left[0]} may run together, and both may write {_shown(left[1], right[1])}",
        help="narrow one of the globs, or let one node need the other",
        related=(Related(span=places[0], message=f"{left[0]} claims {left[1]}"),),
    )


def _shown(left: str, right: str) -> str:
    return left if left == right else f"what {left} and {right} have in common"


def _claim_span(workspace: Workspace, instance: Instance, glob: str) -> Span:
    resolved = workspace.contracts.get(instance.contract_id or "")
    if instance.action == "fulfil" and resolved is not None:
        contract = resolved.document.value
        for i, deliverable in enumerate(contract.deliverables):
            for j, artifact in enumerate(deliverable.artifacts):
                if f"{contract.provider_persona_id}/{artifact}" == glob:
                    return resolved.document.map.value_span(("deliverables", i, "artifacts", j))
    return workspace.blueprint.map.key_span(("nodes", instance.spec.id))
