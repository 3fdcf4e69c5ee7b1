"""The state of a run: the fold of its events and of nothing else.

`RunState` is one mutable object that only `apply` changes, so an event costs the same whether a run has ten
nodes or ten thousand. It knows no plan, no clock and no disk: what may start next is decided in `readiness`,
what a finished run is worth in `verdict`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeVar, cast

from maestro_dsl.engine.events import (
    NO_USAGE,
    AlertRaised,
    AttemptFinished,
    AttemptStarted,
    Body,
    Event,
    LimitRaised,
    ModelResponded,
    NodeDecided,
    NodeFinished,
    NodeWaiting,
    ProviderHeld,
    Published,
    PublishStarted,
    RetryScheduled,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
    ServiceReady,
    ServiceStopped,
    TicketOpened,
)
from maestro_dsl.engine.policy.guardrail import BUDGET_ALERT, RUN_ACCOUNT, overlaid
from maestro_dsl.engine.records import (
    CANCELLED_TRY,
    CONTENT,
    FINAL,
    GOOD,
    OPEN,
    RUN_FINAL,
    NodeRecord,
    NodeState,
    RunState,
    RunStatus,
    add_usage,
)
from maestro_dsl.errors import IntegrityError

__all__ = [
    "CANCELLED_TRY",
    "CONTENT",
    "FINAL",
    "GOOD",
    "NO_USAGE",
    "OPEN",
    "RUN_FINAL",
    "NodeRecord",
    "NodeState",
    "RunState",
    "RunStatus",
    "add_usage",
    "apply",
    "fold",
]


# Looking a member up in its enum takes ten times as long as a name of this module.
_RUN_GOES: Final = RunStatus.RUNNING
_RUN_RESTS: Final = RunStatus.PAUSED
_RUNNING: Final = NodeState.RUNNING

_OF_A_PROCESS: Final = frozenset(
    {AttemptFinished, ModelResponded, NodeFinished, PublishStarted, Published, RetryScheduled, TicketOpened}
)
"""What only a process at work on the run writes. Before it leaves a paused run, it lets attempts end."""


def apply(state: RunState, event: Event) -> RunState:
    """Add one event to `state` and return it.

    Raises:
        IntegrityError: a gap in the sequence, or a transition that cannot be; `state` is then of no use.
    """
    body, at, seq = event.body, event.at, event.seq
    if seq != state.seq + 1:
        raise IntegrityError(f"event {seq} of run {event.run_id} follows event {state.seq}")
    was_running, kind = state.status is _RUN_GOES, type(body)
    if not was_running:
        _refuse_out_of_time(state, event)
    _HANDLERS[kind](state, event, body)
    at_work = was_running or (kind in _OF_A_PROCESS and state.status is _RUN_RESTS)
    if at_work and at > state.updated_at and kind is not RunResumed:
        state.active_s += at - state.updated_at
    state.seq = seq
    state.updated_at = at
    return state


def _refuse_out_of_time(state: RunState, event: Event) -> None:
    if state.is_final and not isinstance(event.body, (ServiceStopped, AlertRaised)):
        raise _illegal(event, f"the run is {state.status}")
    if not state.seq and not isinstance(event.body, RunStarted):
        raise _illegal(event, "the run has not started")


def fold(events: Iterable[Event], state: RunState | None = None) -> RunState:
    """Return the state after `events`."""
    result = RunState() if state is None else state
    for event in events:
        apply(result, event)
    return result


def _illegal(event: Event, why: str) -> IntegrityError:
    return IntegrityError(f"event {event.seq} ({type(event.body).__name__}) cannot happen: {why}")


def _open_node(state: RunState, event: Event, address: str) -> NodeRecord:
    record = state.nodes.get(address) or state.record(address)
    if record.final is not None:
        raise _illegal(event, f"{address} is {record.state} for good")
    return record


def _run_started(state: RunState, event: Event, body: RunStarted) -> None:
    if state.seq:
        raise _illegal(event, "the run has started already")
    state.run_id, state.started, state.started_at = event.run_id, body, event.at
    state.status = RunStatus.RUNNING


def _run_resumed(state: RunState, event: Event, body: RunResumed) -> None:
    if body.epoch <= state.epoch:
        raise _illegal(event, f"epoch {body.epoch} is not newer than {state.epoch}")
    state.epoch, state.status, state.paused = body.epoch, RunStatus.RUNNING, None
    state.services.clear()
    for address in body.interrupted:
        record = _open_node(state, event, address)
        started = record.in_flight
        record.crashes += 1
        record.interrupted, record.in_flight, record.state = True, None, NodeState.PENDING
        if started is not None and not started.free and not record.responses:
            record.lost_tokens += started.reserved_tokens
            record.lost_nano_usd += started.reserved_nano_usd
            state.tokens += started.reserved_tokens
            state.nano_usd += started.reserved_nano_usd


def _attempt_started(state: RunState, event: Event, body: AttemptStarted) -> None:
    record = _open_node(state, event, body.node)
    if record.in_flight is not None or body.fence <= record.fence:
        raise _illegal(event, f"{body.node} has a try in flight or a newer fence")
    if body.attempt != record.attempt or body.round != record.round:
        record.responses = {}
    record.round, record.attempt, record.fence = body.round, body.attempt, body.fence
    record.in_flight, record.state, record.key = body, _RUNNING, body.key
    record.why = record.why or body.reason
    record.undecided = record.retry_at = None
    record.interrupted = False
    if record.started_at is None:
        record.started_at = event.at
    if record.clock_from_s is None:
        record.clock_from_s = state.active_s + max(0.0, event.at - state.updated_at)


def _model_responded(state: RunState, event: Event, body: ModelResponded) -> None:
    record = _open_node(state, event, body.node)
    if record.in_flight is None:
        raise _illegal(event, f"{body.node} has no try in flight")
    if body.request_digest in record.responses:
        return  # the same answer stored twice is one call
    record.responses[body.request_digest] = body.response_digest
    record.unsettled = add_usage(record.unsettled, body.usage)
    record.unsettled_nano_usd += body.nano_usd or 0
    state.tokens += body.usage.total
    state.nano_usd += body.nano_usd or 0


def _attempt_finished(state: RunState, event: Event, body: AttemptFinished) -> None:
    record = _open_node(state, event, body.node)
    if record.in_flight is None or body.fence != record.fence:
        raise _illegal(event, f"{body.node} has no try with fence {body.fence} in flight")
    usage, nano_usd, failure = body.usage, body.nano_usd, body.failure
    if usage is not NO_USAGE or record.unsettled is not NO_USAGE:  # else there is nothing to add
        state.tokens += usage.total - record.unsettled.total
        record.usage = add_usage(record.usage, usage)
    state.nano_usd += nano_usd - record.unsettled_nano_usd
    record.nano_usd += nano_usd
    record.unsettled, record.unsettled_nano_usd = NO_USAGE, 0
    record.in_flight = None
    record.busy_s += body.duration_s
    record.tries.append(body)
    if failure == CANCELLED_TRY:
        record.state, record.interrupted = NodeState.PAUSED, True
        return
    record.crashes = 0  # it can end without taking the process along
    record.undecided = body
    if failure is not None:
        record.failures[failure] = record.failures.get(failure, 0) + 1
        if failure in CONTENT:
            record.last_content_failure, record.last_content_round = body, body.round


def _retry_scheduled(state: RunState, event: Event, body: RetryScheduled) -> None:
    record = _open_node(state, event, body.node)
    if record.undecided is None:
        raise _illegal(event, f"{body.node} has nothing to retry")
    record.undecided, record.retry_at = None, event.at + body.delay_s
    if body.level == 1:
        if body.failure in {"throttle", "overload"}:
            record.waited_s += body.delay_s
        return
    record.round, record.attempt = record.round + 1, 0
    record.failures, record.responses, record.waited_s = {}, {}, 0.0


def _publish_started(state: RunState, event: Event, body: PublishStarted) -> None:
    record = _open_node(state, event, body.node)
    record.publishing = body
    if record.state is NodeState.PENDING:
        record.state = NodeState.RUNNING
    if record.started_at is None:
        record.started_at = event.at


def _published(state: RunState, event: Event, body: Published) -> None:
    record = _open_node(state, event, body.node)
    if record.publishing is None:
        raise _illegal(event, f"{body.node} published without saying so before")


_FINALS: Final = {item.value: item for item in FINAL}


def _node_finished(state: RunState, event: Event, body: NodeFinished) -> None:
    record = _open_node(state, event, body.node)
    new = _FINALS.get(body.state)
    if new is None:
        raise _illegal(event, f"{body.state} is no final state")
    if record.in_flight is not None:
        raise _illegal(event, f"{body.node} has a try in flight")
    record.state, record.final, record.finished_at = new, body, event.at
    record.key = body.key or record.key
    record.undecided = record.retry_at = record.waiting = None
    state.finals += 1
    state.saved_tokens += body.saved_tokens
    state.saved_nano_usd += body.saved_nano_usd
    state.saved_s += body.saved_s


def _node_waiting(state: RunState, event: Event, body: NodeWaiting) -> None:
    record = _open_node(state, event, body.node)
    record.state, record.waiting, record.decision = NodeState.WAITING, body, None


def _node_decided(state: RunState, event: Event, body: NodeDecided) -> None:
    record = _open_node(state, event, body.node)
    if record.state is not NodeState.WAITING:
        raise _illegal(event, f"{body.node} waits for nobody")
    record.decision = body
    if body.decision in {"retry", "rerun"}:
        record.state, record.waiting, record.interrupted = NodeState.PENDING, None, False
        record.decision = None  # the question may be asked again
        record.undecided, record.retry_at, record.clock_from_s = None, None, None
        record.crashes = 0
        # Answers paid for by a try that died stay paid, and are not those of what is asked now.
        record.lost_tokens += record.unsettled.total
        record.lost_nano_usd += record.unsettled_nano_usd
        record.unsettled, record.unsettled_nano_usd = NO_USAGE, 0
        record.round_offset = record.round
        record.round, record.attempt = record.round + 1, 0
        record.failures, record.responses, record.waited_s = {}, {}, 0.0


def _service_ready(state: RunState, _event: Event, body: ServiceReady) -> None:
    state.services[body.lease] = body


def _service_stopped(state: RunState, _event: Event, body: ServiceStopped) -> None:
    state.services.pop(body.lease, None)


def _alert_raised(state: RunState, _event: Event, body: AlertRaised) -> None:
    state.alerts[body.kind, body.subject] = body


def _provider_held(state: RunState, _event: Event, body: ProviderHeld) -> None:
    state.held[body.provider] = max(body.until, state.held.get(body.provider, 0.0))


def _ticket_opened(state: RunState, event: Event, body: TicketOpened) -> None:
    if body.node in state.tickets:
        raise _illegal(event, f"{body.node} has a ticket already")
    state.tickets[body.node] = body


def _run_paused(state: RunState, _event: Event, body: RunPaused) -> None:
    state.status, state.paused = RunStatus.PAUSED, body


def _limit_raised(state: RunState, _event: Event, body: LimitRaised) -> None:
    state.limits = overlaid(state.limits or LimitRaised(), body)
    state.alerts.pop((BUDGET_ALERT, RUN_ACCOUNT), None)  # a new limit warns anew


def _run_finished(state: RunState, event: Event, body: RunFinished) -> None:
    status = RunStatus(body.status)
    if status not in RUN_FINAL:
        raise _illegal(event, f"{body.status} is no final status")
    state.status, state.verdict, state.reason = status, body.verdict, body.reason
    state.finished_at, state.paused = event.at, None
    state.removed, state.kept, state.unchecked = body.removed, body.kept, body.unchecked


B = TypeVar("B", bound=Body)
Handler = Callable[[RunState, Event, Body], None]


def _on(handler: Callable[[RunState, Event, B], None]) -> Handler:
    return cast("Handler", handler)  # the table below pairs each body with its own handler


_HANDLERS: Final[dict[type[Body], Handler]] = {
    RunStarted: _on(_run_started),
    RunResumed: _on(_run_resumed),
    AttemptStarted: _on(_attempt_started),
    ModelResponded: _on(_model_responded),
    AttemptFinished: _on(_attempt_finished),
    RetryScheduled: _on(_retry_scheduled),
    PublishStarted: _on(_publish_started),
    Published: _on(_published),
    NodeFinished: _on(_node_finished),
    NodeWaiting: _on(_node_waiting),
    NodeDecided: _on(_node_decided),
    ServiceReady: _on(_service_ready),
    ServiceStopped: _on(_service_stopped),
    AlertRaised: _on(_alert_raised),
    ProviderHeld: _on(_provider_held),
    TicketOpened: _on(_ticket_opened),
    RunPaused: _on(_run_paused),
    LimitRaised: _on(_limit_raised),
    RunFinished: _on(_run_finished),
}
