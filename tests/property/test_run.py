"""Any graph, any failures: order, finality and an end."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from support.plans import plan

from maestro_dsl.compiler.plan import (
    Edge,
    Execution,
    KeyPart,
    PlanNode,
    RetryPolicy,
    SafetyPolicy,
)
from maestro_dsl.engine.events import AttemptStarted, NodeFinished
from maestro_dsl.engine.graph import PlanIndex
from maestro_dsl.engine.ports.attempts import AttemptResult
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.engine.readiness import ReadyQueue, ready
from maestro_dsl.engine.state import FINAL, RunState, apply, fold
from maestro_dsl.lang.model import GiveUp, Schedule
from maestro_dsl.testing import ScriptedAction, Step, World, run_plan

OUTCOMES = [None, None, None, Failure.INVALID, Failure.TRANSPORT, Failure.FATAL, Failure.CANNOT, "bug"]
POLICIES = [GiveUp.SKIP_DEPENDANTS, GiveUp.FAIL_PLAN, GiveUp.ACCEPT_DEGRADED, GiveUp.KEEP_MOCK, GiveUp.ASK]


@st.composite
def plans(draw):
    count = draw(st.integers(1, 12))
    nodes = []
    for place in range(count):
        sources = draw(st.sets(st.integers(0, place - 1), max_size=3)) if place else set()
        edges = tuple(
            Edge(source=f"n{source}", states=draw(st.sampled_from([("succeeded",), ("any",)])))
            for source in sorted(sources)
        )
        nodes.append(
            PlanNode(
                address=f"n{place}",
                node=f"n{place}",
                action="do",
                edges=edges,
                key_parts=(KeyPart(name="prompt", digest=str(place)),),
                give_up=draw(st.sampled_from(POLICIES)),
                retry=RetryPolicy(max_attempts=2),
                safety=SafetyPolicy(max_attempts=1),
            )
        )
    return plan(
        nodes,
        provider="x",
        execution=Execution(
            max_concurrency=draw(st.integers(1, 4)), schedule=draw(st.sampled_from(list(Schedule)))
        ),
    )


def step(outcome, seconds):
    if outcome == "bug":
        return Step(seconds=seconds, error=ValueError("bug"))
    return Step(seconds=seconds, result=AttemptResult(failure=outcome, usable=seconds > 2))


steps = st.builds(step, st.sampled_from(OUTCOMES), st.integers(0, 5).map(float))


@settings(max_examples=60)
@given(plan=plans(), data=st.data())
def test_order_finality_and_an_end(plan, data):
    script = {
        node.address: data.draw(st.lists(steps, min_size=1, max_size=3), label=node.address)
        for node in plan.nodes
    }
    world = World(action=ScriptedAction(script))
    state = run_plan(plan, world)
    index = PlanIndex(plan)
    journal = world.store.journal["run"]

    again = RunState()
    finished = set()
    for event in journal:
        if isinstance(event.body, AttemptStarted):
            node = index.nodes[event.body.node]
            assert all(index.accepts(edge, again.nodes.get(edge.source)) for edge in node.edges)
        if isinstance(event.body, NodeFinished):
            assert event.body.node not in finished
            finished.add(event.body.node)
        apply(again, event)
    waiting = {address for address, record in state.nodes.items() if record.state == "waiting"}
    assert state.is_final or (state.status == "paused" and waiting)
    if state.is_final:
        assert finished == set(index.nodes)
        assert all(state.node_state(address) in FINAL for address in index.nodes)
    assert world.action.most_running <= plan.execution.max_concurrency
    assert fold(world.store.events("run")) == state


@settings(max_examples=60)
@given(plan=plans(), data=st.data())
def test_the_incremental_queue_agrees_with_one_built_from_nothing(plan, data):
    index, state = PlanIndex(plan), RunState()
    queue = ReadyQueue(index, state, plan.execution)
    running = []
    while True:
        expected = ready(plan, state)
        taken = tuple(iter(queue.take, None))
        assert taken == tuple(item for item in expected if item not in running)[: len(taken)]
        running.extend(taken)
        if not running:
            break
        address = running.pop(data.draw(st.integers(0, len(running) - 1)))
        end = data.draw(st.sampled_from(["succeeded", "failed"]))
        doomed = finish(state, queue, address, end)
        while doomed:
            doomed = [more for item in doomed for more in finish(state, queue, item, "skipped")]
    assert all(state.node_state(address) in FINAL for address in index.nodes)


def finish(state, queue, address, end):
    record = state.record(address)
    if record.final is not None:
        return ()
    record.state, record.final = type(record.state)(end), NodeFinished(node=address, state=end, cause=("x",))
    return queue.finished(address)
