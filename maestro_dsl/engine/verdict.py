"""What a run is worth: verified, on a mock only, could not verify, or not fulfilled. Fails closed."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

from maestro_dsl.engine.graph import PlanIndex, root_cause
from maestro_dsl.engine.state import CANCELLED_TRY, GOOD, NodeRecord, NodeState, RunState
from maestro_dsl.lang.model import GiveUp

if TYPE_CHECKING:
    from maestro_dsl.compiler.plan import PlanNode

FULFILLED: Final = "fulfilled"
NOT_FULFILLED: Final = "not_fulfilled"
COULD_NOT_VERIFY: Final = "could_not_verify"


class RunVerdict(IntEnum):
    """From best to worst; the worst node decides."""

    VERIFIED = 0
    ON_MOCK = 1
    COULD_NOT_VERIFY = 2
    NOT_FULFILLED = 3

    @property
    def word(self) -> str:
        """The verdict as events and reports spell it."""
        return self.name.lower()


_VERIFIED: Final = RunVerdict.VERIFIED
"""Looked up once: most nodes of most plans are worth this."""


def run_verdict(index: PlanIndex, state: RunState) -> RunVerdict:
    """Return the verdict of a run in any state; a run of nothing could not be verified."""
    if not index.plan.nodes:
        return RunVerdict.COULD_NOT_VERIFY
    return max(_worth(index, state, node) for node in index.plan.nodes)


def kept_mock(index: PlanIndex, state: RunState, address: str) -> bool:
    """Return whether the node gave up with `keep_mock` and a mock stands in for it."""
    node = index.nodes[address]
    gave_up = state.node_state(address) is NodeState.GAVE_UP
    return gave_up and node.give_up is GiveUp.KEEP_MOCK and index.has_mock(node)


def _worth(index: PlanIndex, state: RunState, node: PlanNode) -> RunVerdict:
    if not node.required:
        return _VERIFIED
    record = state.nodes.get(node.address)
    if record is None or record.final is None:
        return RunVerdict.COULD_NOT_VERIFY
    if record.state in GOOD:
        return _worth_of_success(index, node, record)
    if record.state is NodeState.SKIPPED and not record.final.cause:
        return RunVerdict.COULD_NOT_VERIFY if _failed_and_left_out(record) else RunVerdict.VERIFIED
    # A skipped node is worth what stopped it: the same fault is not judged twice in two ways.
    root = state.nodes[root_cause(record)]
    if kept_mock(index, state, root.address):
        return RunVerdict.ON_MOCK
    if root.state is NodeState.FAILED and root.final is not None and root.final.verdict == COULD_NOT_VERIFY:
        return RunVerdict.COULD_NOT_VERIFY
    return RunVerdict.NOT_FULFILLED


def _failed_and_left_out(record: NodeRecord) -> bool:
    """Return whether a person skipped what had failed: that is allowed, and no success."""
    failure = record.tries[-1].failure if record.tries else None
    return record.decision is not None and failure not in {None, CANCELLED_TRY}


def _worth_of_success(index: PlanIndex, node: PlanNode, record: NodeRecord) -> RunVerdict:
    verdict = None if record.final is None else record.final.verdict
    if verdict not in {None, FULFILLED}:
        return RunVerdict.NOT_FULFILLED if verdict == NOT_FULFILLED else RunVerdict.COULD_NOT_VERIFY
    if not index.uses_mock(node):
        return _VERIFIED
    checked = {index.nodes[address].contract_id for address in index.rechecks.get(node.address, ())}
    # The rechecks stand in the plan as nodes of their own and are judged there.
    return RunVerdict.VERIFIED if checked.issuperset(node.consumes_mock) else RunVerdict.ON_MOCK
