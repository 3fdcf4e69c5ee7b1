"""`retry`: what failed in a run is done again by a new run of the same plan; all other results are reused.

A final state never changes, so the old run stays as it is. The plan is the one the old run was begun with;
documents that were edited since are for `apply`.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from maestro_dsl.app.begun import base_of, stored_plan, tickets_of
from maestro_dsl.app.conflicts import settle_conflicts
from maestro_dsl.app.history import result_of
from maestro_dsl.app.running import (
    Job,
    prices_text_of,
    work_on,
)
from maestro_dsl.app.state import State, find_run, holder, is_live, open_state
from maestro_dsl.app.system import SystemClock, SystemIds
from maestro_dsl.app.taking_over import take_over
from maestro_dsl.engine.answers import answers_of
from maestro_dsl.engine.runtime import RunOptions
from maestro_dsl.engine.state import NodeState, RunState, fold
from maestro_dsl.errors import StateError, UsageError
from maestro_dsl.lang.suggest import closest
from maestro_dsl.storage.output import OutputFolder

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping, Sequence

    from maestro_dsl.app.values import RunResult
    from maestro_dsl.compiler.plan import CompiledPlan
    from maestro_dsl.engine.ports.sinks import EventSink
    from maestro_dsl.engine.ports.storage import RunRecord

AGAIN: Final = frozenset(
    {NodeState.FAILED, NodeState.GAVE_UP, NodeState.DEGRADED, NodeState.BUDGET_STOPPED, NodeState.CANCELLED}
)
"""Final states after which a node can be tried again."""


def failed_nodes(
    run_id: str, nodes: Sequence[str], *, environ: Mapping[str, str], state_dir: Path | None = None
) -> tuple[str, ...]:
    """Return which nodes a retry of this run would try again: those named, or all that failed.

    Raises:
        StateError: a process is at work on the run, or a named node did not fail, or none did.
        UsageError: the plan has no such node.
    """
    with open_state(state_dir, environ, looking=True) as state:
        record = find_run(state, run_id)
        return _chosen(state, record, _ended(state, record), nodes)


async def retry(
    run_id: str,
    nodes: Sequence[str],
    *,
    environ: Mapping[str, str],
    state_dir: Path | None = None,
    sinks: Sequence[EventSink] = (),
    stop: asyncio.Event | None = None,
) -> RunResult:
    """Begin a new run of the same plan and output in which these nodes (all that failed) are tried again.

    Raises:
        StateError: a process is at work on the run, a named node did not fail, or none did.
        OutputConflict: a person's files stand where the plan writes; nothing was run.
    """
    clock = SystemClock()
    with open_state(state_dir, environ) as state, ExitStack() as held:
        record = find_run(state, run_id)
        before = _ended(state, record)
        chosen = _chosen(state, record, before, nodes)
        plan, output = stored_plan(state, record.run_id), Path(record.output)
        folder = OutputFolder(output, state.artifacts, plan.id)
        held.enter_context(folder.lock().acquire(holder(clock)))
        settle_conflicts(folder, plan, None)
        folder.restore(folder.missing())
        new_id, now = SystemIds().new(), clock.now()
        fresh = replace(record, run_id=new_id, status="pending", verdict="", created_at=now, updated_at=now)
        state.journal.create_run(fresh, state.journal.plan(record.run_id))
        left = take_over(state, new_id, record.plan_digest, output, at=now)
        job = Job(
            run_id=new_id,
            plan=plan,
            base=base_of(state, record.run_id),
            output=output,
            resume=False,
            options=RunOptions(replace=frozenset(chosen), taken_over=answers_of(before)),
            interfaces={},
            tickets=tickets_of(state, record.run_id),
            prices=prices_text_of(state, record.run_id),
            environ=environ,
        )
        await work_on(job, state, folder, sinks, stop)
        result = result_of(state, new_id, interrupted=stop is not None and stop.is_set())
        return replace(result, left_behind=left)


def _ended(state: State, record: RunRecord) -> RunState:
    """Return how a run stands that no process is at work on."""
    if is_live(state, record.run_id):
        raise StateError(
            f"a process is at work on run {record.run_id}; what failed in it is tried again by a new run",
            hint=f"wait for its end, or: maestro cancel {record.run_id}",
        )
    return fold(state.journal.events(record.run_id))


def _chosen(state: State, record: RunRecord, folded: RunState, nodes: Sequence[str]) -> tuple[str, ...]:
    plan = stored_plan(state, record.run_id)
    if nodes:
        for node in nodes:
            _check(plan, folded, record, node)
        return tuple(dict.fromkeys(nodes))
    failed = tuple(item.address for item in plan.nodes if folded.node_state(item.address) in AGAIN)
    if not failed:
        raise StateError(
            f"nothing failed in run {record.run_id}",
            hint="to run a node again that succeeded: maestro apply FILE --replace NODE",
        )
    return failed


def _check(plan: CompiledPlan, folded: RunState, record: RunRecord, node: str) -> None:
    known = [item.address for item in plan.nodes]
    if node not in known:
        near = closest(node, known)
        guess = f' - did you mean "{near}"?' if near else ""
        raise UsageError(
            f'run {record.run_id} has no node "{node}"{guess}', hint=f"maestro show {record.run_id}"
        )
    state = folded.node_state(node)
    if state is NodeState.SKIPPED:
        final = folded.record(node).final
        cause = final.cause[0] if final is not None and final.cause else None
        hint = (
            f"maestro retry {record.run_id} '{cause}' (it was skipped because of that one)" if cause else None
        )
        raise StateError(f"{node} was skipped, so there is nothing to try again", hint=hint)
    if state not in AGAIN:
        raise StateError(
            f"{node} did not fail: it is {state.value.replace('_', ' ')}",
            hint="to run a node again that succeeded: maestro apply FILE --replace NODE",
        )
