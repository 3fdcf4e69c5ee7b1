"""A compiled plan indexed for the engine: nodes by address, who needs whom, waves, and what counts as met.

Built once a run. It decides nothing about time or limits; `readiness` does.
"""

from __future__ import annotations

from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING, Final

from maestro_dsl.compiler.plan import EdgeKind
from maestro_dsl.engine.state import FINAL, NodeRecord, NodeState, RunState

if TYPE_CHECKING:
    from maestro_dsl.compiler.plan import CompiledContract, CompiledPersona, CompiledPlan, Edge, PlanNode
    from maestro_dsl.engine.ports.models import ModelKey

MOCK_ACTION: Final = "mock"
_JUDGES: Final = frozenset({"verify", "recheck"})
_MOCK: Final = EdgeKind.MOCK


class PlanIndex:
    """Look-ups over a plan that would be linear on the plan itself."""

    def __init__(self, plan: CompiledPlan) -> None:
        self.plan = plan
        self.nodes: dict[str, PlanNode] = {node.address: node for node in plan.nodes}
        self.position: dict[str, int] = dict(zip(self.nodes, count()))
        self.dependants: list[list[tuple[int, Edge]]] = [[] for _ in self.nodes]
        """For each place in the plan the places of those who need its node."""
        self.mocked: dict[str, set[str]] = {}
        """Of each node that has mock edges, the mock nodes it waits for."""
        self.rechecks: dict[str, list[str]] = {}
        self.makers: dict[str, list[str]] = {}
        position, dependants = self.position, self.dependants
        for place, node in enumerate(self.nodes.values()):
            for edge in node.edges:
                dependants[position[edge.source]].append((place, edge))
                if edge.kind is _MOCK:
                    self.mocked.setdefault(node.address, set()).add(edge.source)
            if node.rechecks is not None:
                self.rechecks.setdefault(node.rechecks, []).append(node.address)
            if node.deliverables and node.contract_id is not None:
                self.makers.setdefault(node.contract_id, []).append(node.address)
        self.contracts: dict[str, CompiledContract] = {item.id: item for item in plan.contracts}
        self.personas: dict[str, CompiledPersona] = {item.id: item for item in plan.personas}

    @cached_property
    def wave(self) -> dict[str, int]:
        """The wave of each node, for runs that keep to waves."""
        return {address: number for number, wave in enumerate(self.plan.waves) for address in wave}

    def persona(self, node: PlanNode) -> CompiledPersona | None:
        """Return who does the node, or None."""
        return None if node.persona_id is None else self.personas.get(node.persona_id)

    def contract(self, node: PlanNode) -> CompiledContract | None:
        """Return the contract the node is about, or None."""
        return None if node.contract_id is None else self.contracts.get(node.contract_id)

    def consumed(self, node: PlanNode) -> tuple[CompiledContract, ...]:
        """Return the contracts the node uses, through their mocks or really, each once."""
        return tuple(
            self.contracts[item] for item in dict.fromkeys((*node.consumes_mock, *node.consumes_real))
        )

    def model(self, node: PlanNode) -> ModelKey | None:
        """Return the model the node calls, or None for nodes that call none."""
        persona = self.persona(node)
        if persona is None or node.prompt is None:
            return None
        provider = (persona.model.provider or self.plan.provider).partition(":")[0]  # "scripted:FILE"
        return provider, persona.model.model

    def uses_mock(self, node: PlanNode) -> bool:
        """Return whether a success of the node was checked against a mock only."""
        return bool(node.consumes_mock) and bool(node.deliverables)

    def has_mock(self, node: PlanNode) -> bool:
        """Return whether the node's own contract can be served by a mock."""
        contract = self.contract(node)
        return contract is not None and contract.contract.can_mock

    def inputs(self, node: PlanNode) -> tuple[str, ...]:
        """Return the addresses whose results the node uses, in plan order.

        These are its needs; for verify and recheck the makers of the contract that is started, for nodes that
        use a real provider its makers, and for a report everything before it.
        """
        if node.action == "report":
            wanted = self._ancestors(node)
        else:
            wanted = {edge.source for edge in node.edges}
            judges = node.action in _JUDGES or node.rechecks is not None
            for contract_id in (*node.consumes_real, node.contract_id) if judges else node.consumes_real:
                wanted.update(self.makers.get(contract_id or "", ()))
        wanted.discard(node.address)
        return tuple(sorted(wanted, key=self.position.__getitem__))

    def _ancestors(self, node: PlanNode) -> set[str]:
        seen: set[str] = set()
        stack = [edge.source for edge in node.edges]
        while stack:
            address = stack.pop()
            if address not in seen:
                seen.add(address)
                stack.extend(edge.source for edge in self.nodes[address].edges)
        return seen

    def accepts(self, edge: Edge, record: NodeRecord | None) -> bool | None:
        """Return whether the need is met; None while its source is not final.

        Skipped by its own condition meets every need. A cached success counts as the success it was; a
        degraded result counts as a success, because accepting it was the policy.
        """
        final = None if record is None else record.final
        if record is None or final is None:
            return None
        states = edge.states
        if final.state in states or "any" in states:
            return True
        if record.state is NodeState.SKIPPED:
            return not final.cause
        if record.state is NodeState.CACHED:
            was = "succeeded_on_mock" if self.uses_mock(self.nodes[edge.source]) else "succeeded"
            return was in states
        return record.state is NodeState.DEGRADED and "succeeded" in states


def root_cause(record: NodeRecord) -> str:
    """Return the address at which a skip began, or the node's own."""
    return record.final.cause[0] if record.final is not None and record.final.cause else record.address


def cause_chain(state: RunState, source: str) -> tuple[str, ...]:
    """Return the chain that ends in `source`, for a dependant that is skipped because of it."""
    final = state.nodes[source].final
    return (*final.cause, source) if final is not None else (source,)


def skip_reason(state: RunState, cause: tuple[str, ...]) -> str:
    """Return the chain as a sentence: "build[api] gave_up → verify[api] skipped"."""
    return " → ".join(f"{address} {state.node_state(address)}" for address in cause)


def is_final(state: NodeState) -> bool:
    """Return whether a node in `state` has ended."""
    return state in FINAL
