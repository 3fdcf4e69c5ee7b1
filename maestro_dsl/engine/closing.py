"""How a run ends, and the nodes that will not run: skipped for what they need, or cancelled with it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from maestro_dsl.engine.events import NodeFinished, RunFinished, RunPaused
from maestro_dsl.engine.graph import cause_chain, skip_reason
from maestro_dsl.engine.state import FINAL, NodeState, RunStatus
from maestro_dsl.engine.verdict import COULD_NOT_VERIFY, RunVerdict, run_verdict
from maestro_dsl.errors import DiskFailure, MaestroError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maestro_dsl.engine.graph import PlanIndex
    from maestro_dsl.engine.job import Desk
    from maestro_dsl.engine.ports.storage import Publisher
    from maestro_dsl.engine.state import RunState
    from maestro_dsl.engine.writer import Writer

REPORT: Final = "report"
"""The action that still runs when a run is stopped: what was made before deserves its reports."""
BY_APPROVAL: Final = "approval"
"""`RunPaused.by` of a run that waits for answers and has nothing else to do."""


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


def open_nodes(index: PlanIndex, state: RunState) -> list[str]:
    """Return the nodes that have not ended, in plan order."""
    records = state.nodes
    return [item for item in index.nodes if (found := records.get(item)) is None or found.state not in FINAL]


async def close(writer: Writer, desk: Desk, *, cancelled_because: str | None, stopped: str | None) -> None:
    """Write the last events of a process's work: the run is cancelled, ends, or waits to be continued."""
    index, state = desk.index, desk.state
    left = open_nodes(index, state)
    if cancelled_because is not None:
        verdict = run_verdict(index, state).word
        end = RunFinished(status=RunStatus.CANCELLED.value, verdict=verdict, reason=cancelled_because)
        await writer.commit(*cancelled(left, cancelled_because), end)
        return
    if stopped is not None and left and state.status is RunStatus.RUNNING:
        await writer.commit(*cancelled(left, f"stopped: {stopped}"))
        left = []
    if left:
        waiting = [item for item in left if state.node_state(item) is NodeState.WAITING]
        if state.status is RunStatus.RUNNING:
            reason = f"waiting for an answer about {', '.join(waiting)}"
            await writer.commit(RunPaused(reason=reason, by=BY_APPROVAL))
        return
    worth = run_verdict(index, state)
    status = RunStatus.COMPLETED if worth is RunVerdict.VERIFIED else RunStatus.FAILED
    end = RunFinished(status=status.value, verdict=worth.word, reason=stopped or "")
    await writer.commit(_with_output(end, index, desk.runtime.publisher))


def _with_output(end: RunFinished, index: PlanIndex, publisher: Publisher) -> RunFinished:
    """Return the event of the run's end with what it tells of the output folder.

    A run that is verified removes the files of nodes that left the plan, before that event: a process that
    dies in between ends the run again, and does the rest. What cannot be removed, or not be looked up, is no
    reason to fail a run whose nodes are all verified; the next one tries again.
    """
    failed: list[str] = []
    try:
        if end.status == RunStatus.COMPLETED.value:
            done = publisher.prune(index.nodes.keys())
            end = replace(end, removed=done.removed, kept=done.kept)
    except DiskFailure:
        raise  # the run stops, and ends when there is room
    except (MaestroError, OSError) as error:
        failed.append(f"files of nodes that left the plan could not be removed: {error}")
    try:
        end = replace(end, unchecked=tuple(publisher.accepted()))
    except DiskFailure:
        raise
    except (MaestroError, OSError) as error:
        failed.append(f"which files you changed and keep could not be looked up: {error}")
    return replace(end, reason=end.reason or "; ".join(failed))
