from __future__ import annotations

import pytest

from maestro_dsl.engine.events import (
    AttemptFinished,
    AttemptStarted,
    Event,
    ModelResponded,
    NodeDecided,
    NodeFinished,
    Published,
    RetryScheduled,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
    ServiceReady,
    ServiceStopped,
    Usage,
)
from maestro_dsl.engine.state import NodeState, RunState, RunStatus, apply, fold
from maestro_dsl.errors import IntegrityError

STARTED = RunStarted(plan_id="p", plan_digest="d", output="build", tool_version="1")


def begun(fence=1, **more):
    return AttemptStarted(node="a", attempt=1, round=1, fence=fence, key="k", **more)


def ended(failure=None, fence=1, **more):
    return AttemptFinished(node="a", attempt=1, round=1, fence=fence, failure=failure, **more)


def folded(*bodies, first=1):
    events = (
        Event(run_id="r", seq=first + place, at=10.0 * place, body=body) for place, body in enumerate(bodies)
    )
    return fold(events)


def done(state="succeeded"):
    return NodeFinished(node="a", state=state)


@pytest.mark.parametrize(
    "bodies",
    [
        pytest.param((begun(),), id="before the start"),
        pytest.param((STARTED, STARTED), id="started twice"),
        pytest.param((STARTED, done(), begun()), id="after the end of its node"),
        pytest.param((STARTED, done(), done("failed")), id="another final state"),
        pytest.param((STARTED, NodeFinished(node="a", state="running")), id="no final state"),
        pytest.param((STARTED, begun(), begun(2)), id="two tries at once"),
        pytest.param((STARTED, begun(2), ended(fence=1)), id="an old fence"),
        pytest.param((STARTED, begun(2), ended(fence=2), begun(2)), id="the same fence again"),
        pytest.param((STARTED, begun(), done()), id="final while in flight"),
        pytest.param((STARTED, Published(node="a")), id="receipt without intent"),
        pytest.param((STARTED, NodeDecided(node="a", decision="approve")), id="an answer to no question"),
        pytest.param(
            (STARTED, RetryScheduled(node="a", failure="invalid", delay_s=1, level=1, reason="")),
            id="a retry of nothing",
        ),
        pytest.param(
            (STARTED, RunFinished(status="completed", verdict="verified"), RunPaused(reason="x")),
            id="after the end of the run",
        ),
        pytest.param((STARTED, RunFinished(status="paused", verdict="")), id="a run that ends as paused"),
        pytest.param((STARTED, RunResumed(epoch=2), RunResumed(epoch=2)), id="an old epoch"),
    ],
)
def test_what_cannot_happen(bodies):
    with pytest.raises(IntegrityError):
        folded(*bodies)


def test_a_gap_is_found():
    state = folded(STARTED)
    with pytest.raises(IntegrityError, match="event 3 of run r follows event 1"):
        apply(state, Event(run_id="r", seq=3, at=0.0, body=begun()))


def test_usage_is_counted_once_on_its_way_from_answer_to_result():
    answer = ModelResponded(
        node="a",
        attempt=1,
        request_digest="q",
        response_digest="r",
        usage=Usage(input_tokens=10),
        nano_usd=5,
    )
    state = folded(STARTED, begun(), answer, answer)
    assert (state.tokens, state.nodes["a"].tokens_spent) == (10, 10)
    state = folded(STARTED, begun(), answer, ended(usage=Usage(input_tokens=10), nano_usd=5))
    assert (state.tokens, state.nano_usd, state.nodes["a"].tokens_spent) == (10, 5, 10)
    assert state.nodes["a"].responses == {"q": "r"}


def test_a_lost_try_is_charged_unless_it_was_free():
    lost = folded(STARTED, begun(reserved_tokens=9), RunResumed(epoch=2, interrupted=("a",)))
    assert (lost.tokens, lost.nodes["a"].crashes) == (9, 1)
    free = folded(STARTED, begun(reserved_tokens=9, free=True), RunResumed(epoch=2, interrupted=("a",)))
    assert free.tokens == 0


def test_counters_start_again_with_a_round_but_the_last_errors_stay():
    level = {"node": "a", "failure": "invalid", "delay_s": 5.0, "reason": ""}
    state = folded(STARTED, begun(), ended("invalid", message="m"), RetryScheduled(level=1, **level))
    assert (state.nodes["a"].failures, state.nodes["a"].retry_at) == ({"invalid": 1}, 35.0)
    state = folded(STARTED, begun(), ended("invalid", message="m"), RetryScheduled(level=2, **level))
    record = state.nodes["a"]
    assert (record.failures, record.round, record.last_content_failure.message) == ({}, 2, "m")


def test_time_between_two_processes_is_nobodys():
    state = folded(STARTED, begun(), RunResumed(epoch=2, interrupted=("a",)), begun(2))
    assert state.active_s == 20.0


def test_what_a_paused_run_lets_end_is_time_at_work_and_the_rest_is_not():
    paused, asked = RunPaused(reason="interrupted", by="signal"), RunPaused(reason="enough", by="person")
    state = folded(STARTED, begun(), paused, ended())
    assert state.active_s == 30.0
    state = folded(STARTED, begun(), paused, ended(), asked, RunResumed(epoch=2), begun(2))
    assert state.active_s == 40.0


def test_services_are_known_until_they_stop_or_the_process_does():
    up = ServiceReady(contract_id="api", mode="mock", url="http://x", lease="l")
    down = ServiceStopped(contract_id="api", mode="mock", lease="l")
    assert folded(STARTED, up).services == {"l": up}
    assert folded(STARTED, up, down).services == {}
    assert folded(STARTED, up, RunResumed(epoch=2)).services == {}


def test_a_fresh_state_is_pending():
    assert RunState().status is RunStatus.PENDING
    assert RunState().node_state("a") is NodeState.PENDING
    assert "a" not in RunState().nodes
