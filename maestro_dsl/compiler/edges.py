"""Who waits for whom: `needs`, what personas consume, verification of consumers, reports at the end.

A mock edge waits for the mock of a consumed contract only; each one brings a recheck against the real
provider. Knows no third-party graph library and decides nothing about time.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Final

from maestro_dsl.compiler.instances import Instance
from maestro_dsl.compiler.plan import Edge, EdgeKind
from maestro_dsl.lang.model import Against, Need, NodeSpec
from maestro_dsl.records import copier, dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from maestro_dsl.lang.model import Contract
    from maestro_dsl.lang.workspace import Workspace

ANY: Final = ("any",)
_VERIFY: Final = "verify"
_RECHECK: Final = "recheck"


@dataclass(slots=True)
class Graph:
    """Live instances with their edges, and what each consumes through a mock or for real."""

    instances: dict[str, Instance] = field(default_factory=dict)
    edges: dict[str, tuple[Edge, ...]] = field(default_factory=dict)
    mocks: dict[str, tuple[str, ...]] = field(default_factory=dict)
    reals: dict[str, tuple[str, ...]] = field(default_factory=dict)
    makers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Contract id → addresses of the nodes that fulfil it."""


def connect(workspace: Workspace, found: Iterable[Instance], order: tuple[str, ...]) -> Graph:
    """Return the graph of all live instances; `order` names the blueprint nodes, each after its needs."""
    groups: dict[str, dict[str | None, Instance]] = {name: {} for name in workspace.blueprint.value.nodes}
    for instance in found:
        groups[instance.spec.id][instance.key] = instance
    edges = _Needs(groups).all_edges(order)
    live = {
        instance.address: instance
        for group in groups.values()
        for instance in group.values()
        if instance.is_live
    }
    if len(live) < len(edges) or tuple(groups) != order:
        edges = {address: edges[address] for address in live}
    graph = Graph(instances=live, edges=edges)
    contracts = {name: item.document.value for name, item in workspace.contracts.items()}
    if contracts:
        _consume(graph, contracts)
        _verify_consumers(graph, workspace)
    return graph


# ---- needs -----------------------------------------------------------------------------------------------


class _Needs:
    """Edges from `needs`; instances that are not live pass their own needs on."""

    def __init__(self, groups: Mapping[str, Mapping[str | None, Instance]]) -> None:
        self.groups = groups
        self.edges: dict[str, tuple[Edge, ...]] = {}
        self.known: dict[tuple[str, tuple[str, ...]], dict[str | None, tuple[Edge, ...]]] = {}
        """Node and accepted states → key → the edges of who needs that instance."""
        self.whole: dict[tuple[str, tuple[str, ...]], tuple[Edge, ...]] = {}
        """Node and accepted states → the edges of who needs all instances."""
        self.makers: dict[tuple[str, ...], Callable[..., Edge]] = {}
        """Accepted states → what makes an edge of its source."""

    def all_edges(self, order: Iterable[str]) -> dict[str, tuple[Edge, ...]]:
        """Return the edges of every instance; sources come before their dependants in `order`."""
        edges, every = self.edges, self._every
        for name in order:
            group = self.groups[name]
            if not group:
                continue
            spec = next(iter(group.values())).spec
            needs = spec.needs
            if spec.foreach is not None:
                self._add(group, [self._needed(spec, need) for need in needs])
            elif len(needs) == 1:  # most nodes; there is nothing to merge
                edges[name] = every(needs[0])
            else:
                edges[name] = merged(edge for need in needs for edge in every(need))
        return edges

    def _add(
        self,
        group: Mapping[str | None, Instance],
        needed: list[Callable[[str | None], tuple[Edge, ...] | None]],
    ) -> None:
        """Add the edges of the instances of one node, whose needs give `needed`."""
        edges = self.edges
        if len(needed) == 1:  # most nodes; there is nothing to merge
            edges_for = needed[0]
            for key, instance in group.items():
                edges[instance.address] = edges_for(key) or ()
            return
        for key, instance in group.items():
            parts = [edges_for(key) for edges_for in needed]
            edges[instance.address] = merged(edge for part in parts if part for edge in part)

    def _needed(self, spec: NodeSpec, need: Need) -> Callable[[str | None], tuple[Edge, ...] | None]:
        """Return a function from the key of an instance to the edges that one need gives it."""
        group = self.groups.get(need.node)
        if group and need.join == "auto" and _same_source(spec, next(iter(group.values())).spec):
            return self._by_key(need).get
        every = self._every(need)
        return lambda _: every

    def _every(self, need: Need) -> tuple[Edge, ...]:
        """Return the edges to all instances of the node that is needed."""
        wanted = (need.node, need.states)
        every = self.whole.get(wanted)
        if every is None:
            group = self.groups.get(need.node)
            if not group:
                every = ()
            elif len(group) == 1:
                every = self._edges_to(next(iter(group.values())), need.states)
            else:
                every = merged(edge for edges in self._by_key(need).values() for edge in edges)
            self.whole[wanted] = every
        return every

    def _by_key(self, need: Need) -> dict[str | None, tuple[Edge, ...]]:
        """Return the edges to each instance of the node that is needed, by its key."""
        wanted = (need.node, need.states)
        if wanted not in self.known:
            edge_to, states = self._maker(need.states), need.states
            self.known[wanted] = {
                key: (edge_to(source.address),) if source.is_live else self._passed(source, states)
                for key, source in self.groups[need.node].items()
            }
        return self.known[wanted]

    def _edges_to(self, source: Instance, states: tuple[str, ...]) -> tuple[Edge, ...]:
        """Return the edges of who needs one instance."""
        return (self._maker(states)(source.address),) if source.is_live else self._passed(source, states)

    def _maker(self, states: tuple[str, ...]) -> Callable[..., Edge]:
        """Return what makes an edge of its source."""
        edge_to = self.makers.get(states)
        if edge_to is None:
            edge_to = self.makers[states] = copier(Edge(source="", states=states), "source")
        return edge_to

    def _passed(self, source: Instance, states: tuple[str, ...]) -> tuple[Edge, ...]:
        """Return the edges that a node gets whose need is not live."""
        passed = self.edges[source.address]
        if states != ANY:
            return passed
        return tuple(Edge(source=edge.source, kind=edge.kind, states=ANY) for edge in passed)


def _same_source(left: NodeSpec, right: NodeSpec) -> bool:
    if left.foreach is None or right.foreach is None:
        return False
    return left.foreach is right.foreach or left.foreach.split() == right.foreach.split()


def merged(edges: Iterable[Edge]) -> tuple[Edge, ...]:
    """Return the edges with one for each source: a mock edge wins, states that all accept remain."""
    found: dict[str, Edge] = {}
    for edge in edges:
        source = edge.source
        before = found.setdefault(source, edge)
        if before is not edge and before != edge:
            found[source] = _both(before, edge)
    return tuple(found.values())


def _both(left: Edge, right: Edge) -> Edge:
    if left.states == ANY:
        states = right.states
    elif right.states == ANY:
        states = left.states
    else:
        states = tuple(state for state in left.states if state in right.states)
    mock = EdgeKind.MOCK in {left.kind, right.kind}
    return Edge(
        source=left.source,
        kind=EdgeKind.MOCK if mock else EdgeKind.HARD,
        states=states,
        contract_id=left.contract_id or right.contract_id,
    )


# ---- consumed contracts ----------------------------------------------------------------------------------


def _consume(graph: Graph, contracts: Mapping[str, Contract]) -> None:
    makers: dict[str, list[str]] = {}
    mocks: dict[str, str] = {}
    for instance in graph.instances.values():
        if instance.contract_id is None:
            continue
        if instance.action == "fulfil":
            makers.setdefault(instance.contract_id, []).append(instance.address)
        elif instance.action == "mock":
            mocks.setdefault(instance.contract_id, instance.address)
    graph.makers.update((name, tuple(found)) for name, found in makers.items())
    consumed: dict[str, list[Contract]] = {}
    for contract in contracts.values():
        for persona_id in contract.consumer_persona_ids:
            consumed.setdefault(persona_id, []).append(contract)
    for instance in graph.instances.values():
        if instance.action == "fulfil" and instance.persona_id in consumed:
            own = contracts.get(instance.contract_id or "")
            needed = [item for item in consumed[instance.persona_id] if item.id != instance.contract_id]
            _consume_one(graph, instance, own, needed, mocks)


def _consume_one(
    graph: Graph,
    instance: Instance,
    own: Contract | None,
    needed: list[Contract],
    mocks: Mapping[str, str],
) -> None:
    """Add the edges of one fulfil node. One deliverable against the real thing makes the whole node wait."""
    wants_real = own is not None and any(item.against is Against.REAL for item in own.deliverables)
    edges = list(graph.edges[instance.address])
    through_mock: list[str] = []
    for contract in needed:
        if contract.can_mock and contract.id in mocks and not wants_real:
            edges.append(Edge(source=mocks[contract.id], kind=EdgeKind.MOCK, contract_id=contract.id))
            through_mock.append(contract.id)
        else:
            edges.extend(
                Edge(source=maker, contract_id=contract.id) for maker in graph.makers.get(contract.id, ())
            )
    graph.edges[instance.address] = merged(edges)
    graph.mocks[instance.address] = tuple(through_mock)
    graph.reals[instance.address] = tuple(item.id for item in needed if item.id not in through_mock)


# ---- verification of consumers ---------------------------------------------------------------------------


def _verify_consumers(graph: Graph, workspace: Workspace) -> None:
    verifiers: dict[str, list[str]] = {}
    for instance in graph.instances.values():
        if instance.action == _VERIFY and instance.contract_id is not None:
            verifiers.setdefault(instance.contract_id, []).append(instance.address)
    consumers = [(contract_id, address) for address, ids in graph.mocks.items() for contract_id in ids]
    added: list[Instance] = []
    for contract_id in dict.fromkeys(name for name, _ in sorted(consumers)):
        if contract_id in graph.makers and contract_id not in verifiers:
            spec = _added(_VERIFY, workspace, "The real provider against its contract")
            address = f"{spec.id}[{contract_id}]"
            added.append(Instance(address=address, spec=spec, key=contract_id, contract_id=contract_id))
            graph.edges[address] = tuple(Edge(source=maker) for maker in graph.makers[contract_id])
            verifiers[contract_id] = [address]
    spec = _added(_RECHECK, workspace, "A consumer against the real provider instead of the mock")
    for contract_id, consumer in sorted(consumers):
        if contract_id in verifiers:
            added.append(_recheck(graph, spec, contract_id, consumer, verifiers[contract_id]))
    graph.instances.update((instance.address, instance) for instance in added)
    _wait_in_reports(graph, added)


def _recheck(graph: Graph, spec: NodeSpec, contract_id: str, consumer: str, verifiers: list[str]) -> Instance:
    key = f"{contract_id}/{consumer}"
    address = f"{spec.id}[{key}]"
    graph.edges[address] = merged(Edge(source=source) for source in (consumer, *verifiers))
    graph.mocks[address] = tuple(name for name in graph.mocks[consumer] if name != contract_id)
    graph.reals[address] = (contract_id,)
    return Instance(
        address=address,
        spec=spec,
        key=key,
        persona_id=graph.instances[consumer].persona_id,
        contract_id=contract_id,
        rechecks=consumer,
    )


def _added(action: str, workspace: Workspace, description: str) -> NodeSpec:
    name = action
    while name in workspace.blueprint.value.nodes:
        name += "_"
    return NodeSpec(id=name, action=action, description=description)


def _wait_in_reports(graph: Graph, added: list[Instance]) -> None:
    """Make reports that end the plan wait for what was added, so that they can tell about it."""
    if not added:
        return
    needed = {edge.source for edges in graph.edges.values() for edge in edges}
    for instance in graph.instances.values():
        if instance.action == "report" and instance.address not in needed:
            before = graph.edges[instance.address]
            states = next((edge.states for edge in before if edge.states == ANY), Need(node="").states)
            after = (Edge(source=item.address, states=states) for item in added)
            graph.edges[instance.address] = merged((*before, *after))
