"""How a run begins, or is taken up by another process: what the journal says, and the first events to add.

Looks back only; nothing is started here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.engine.commands import effect_question
from maestro_dsl.engine.events import Body, NodeWaiting, RunResumed, RunStarted
from maestro_dsl.engine.state import GOOD, NodeState, RunState, apply
from maestro_dsl.errors import IntegrityError, UsageError
from maestro_dsl.lang.model import GiveUp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.compiler.plan import CompiledPlan, Execution
    from maestro_dsl.engine.graph import PlanIndex
    from maestro_dsl.engine.ports.storage import Store
    from maestro_dsl.engine.runtime import RunOptions
    from maestro_dsl.lang.model import Json

GOES_ON: Final = GOOD | {NodeState.SKIPPED, NodeState.DEGRADED}
"""Final states that do not stop a run with `fail_fast`."""


_AGAIN: Final = "replace"
"""Where nodes that are not to be reused stand in `RunStarted.options`."""


def replay(store: Store, run_id: str, state: RunState) -> None:
    """Fold what is stored of a run into `state`."""
    for event in store.events(run_id):
        apply(state, event)


def refuse_another_plan(state: RunState, run_id: str, plan_digest: str) -> None:
    """Raise `IntegrityError` where the run was begun with another plan."""
    if state.started is not None and state.started.plan_digest != plan_digest:
        raise IntegrityError(
            f"run {run_id} belongs to another version of the plan",
            hint="apply the plan again: a new run reuses every result whose key is the same",
        )


def begin(plan: CompiledPlan, plan_digest: str, tool_version: str, options: Mapping[str, Json]) -> RunStarted:
    """Return the first event of a run."""
    return RunStarted(
        plan_id=plan.id,
        plan_digest=plan_digest,
        output=plan.output,
        tool_version=tool_version,
        options=options,
    )


def stated(options: RunOptions, execution: Execution) -> Mapping[str, Json]:
    """Return what a run keeps of how it was begun, whoever goes on with it."""
    kept: dict[str, Json] = {
        "fail_fast": options.fail_fast,
        "max_concurrency": execution.max_concurrency,
        "schedule": execution.schedule.value,
        **options.taken_over,
    }
    if options.replace:
        kept[_AGAIN] = [*sorted(options.replace)]
    return kept


def asked_again(state: RunState, options: RunOptions) -> frozenset[str]:
    """Return the nodes that are not to be reused: this start says so, or the run was begun with them."""
    begun = None if state.started is None else state.started.options.get(_AGAIN)
    return options.replace.union(map(str, begun) if isinstance(begun, list) else ())


def taken_up(state: RunState, epoch: int) -> RunResumed:
    """Return the event by which this process takes the run over."""
    flying = tuple(item.address for item in state.nodes.values() if item.in_flight is not None)
    return RunResumed(epoch=max(epoch, state.epoch + 1), interrupted=flying)


def asked_for(index: PlanIndex, state: RunState, options: RunOptions, run_id: str) -> tuple[Body, ...]:
    """Return the events of what a person asked for with this start: new limits, answers.

    An answer may also be given before its question: to an effect that the end of the process has cut off.

    Raises:
        UsageError: an answer to a node that waits for none.
    """
    answers: list[Body] = []
    for decision in options.decisions:
        if _will_ask(index, state, decision.node):
            answers.append(NodeWaiting(node=decision.node, question=effect_question(decision.node)))
        elif state.node_state(decision.node) is not NodeState.WAITING:
            raise UsageError(
                f"{decision.node} waits for no answer", hint=f"maestro show {run_id} lists what does"
            )
        answers.append(decision)
    limits = () if options.limits is None else (options.limits,)
    return (*limits, *answers)


def _will_ask(index: PlanIndex, state: RunState, address: str) -> bool:
    record, node = state.nodes.get(address), index.nodes.get(address)
    if record is None or node is None or not node.effect or record.final is not None:
        return False
    return record.in_flight is not None or (record.interrupted and record.state is not NodeState.WAITING)


def stopped_before(index: PlanIndex, state: RunState, *, fail_fast: bool) -> str | None:
    """Return why the run was to start nothing more when its process died, or None."""
    for record in state.nodes.values():
        if record.final is None or record.state in GOES_ON:
            continue
        # A person's word ends the node, not the run.
        fail_plan = index.nodes[record.address].give_up is GiveUp.FAIL_PLAN and record.decision is None
        if fail_fast or fail_plan:
            return f"{record.address} {record.state}"
    return None
