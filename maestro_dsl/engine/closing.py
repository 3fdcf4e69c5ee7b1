"""How nodes end that will not run: skipped because of what they need, or cancelled with the run.

Only makes the events; when they are written is for the interpreter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.engine.events import NodeFinished
from maestro_dsl.engine.graph import cause_chain, skip_reason
from maestro_dsl.engine.state import NodeState
from maestro_dsl.engine.verdict import COULD_NOT_VERIFY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maestro_dsl.engine.graph import PlanIndex
    from maestro_dsl.engine.state import RunState

REPORT: Final = "report"
"""The action that still runs when a run is stopped: what was made before deserves its reports."""


def cancelled(addresses: Sequence[str], reason: str) -> list[NodeFinished]:
    """Return the final events of nodes that end with their run."""
    return [NodeFinished(node=item, state=NodeState.CANCELLED.value, reason=reason) for item in addresses]


def skipped(index: PlanIndex, state: RunState, address: str) -> NodeFinished:
    """Return the final event of a node one of whose needs ended in a state that it does not accept."""
    node = index.nodes[address]
    source = next(
        edge.source for edge in node.edges if index.accepts(edge, state.nodes.get(edge.source)) is False
    )
    cause = cause_chain(state, source)
    judges = node.action in {"verify", "recheck"} or node.rechecks is not None
    return NodeFinished(
        node=address,
        state=NodeState.SKIPPED.value,
        reason=skip_reason(state, cause),
        cause=cause,
        verdict=COULD_NOT_VERIFY if judges else None,
    )
