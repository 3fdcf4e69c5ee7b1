"""Ways in which a run stops, is steered, or is taken up again at an awkward moment; in virtual time."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest

from maestro_dsl.compiler.plan import (
    Edge,
    Execution,
    Guardrails,
    KeyPart,
    PlanNode,
    Prompt,
    RetryPolicy,
    SafetyPolicy,
)
from maestro_dsl.engine.commands import effect_question
from maestro_dsl.engine.events import LimitRaised, NodeDecided, ServiceReady, Usage
from maestro_dsl.engine.ports.attempts import AttemptResult
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.engine.runtime import RunControl, RunOptions
from maestro_dsl.errors import EnvironmentFailure, UsageError
from maestro_dsl.lang.model import GiveUp, Schedule
from maestro_dsl.testing import (
    FlatPrices,
    Killed,
    MemoryArtifacts,
    MemoryPublisher,
    MemoryStore,
    ScriptedAction,
    Step,
    World,
    failing,
    restarted,
    run_plan,
)

ONCE = {
    "retry": RetryPolicy(max_attempts=1, jitter=0.0),
    "safety": SafetyPolicy(max_attempts=1),
}


def states(state):
    return {address: record.state.value for address, record in state.nodes.items()}


def invalid(**more):
    return failing(Failure.INVALID, "wrong", **more)


class On:
    """A sink that calls `act` once, at the first event of a kind."""

    def __init__(self, kind, act, node=None):
        self.kind, self.act, self.node = kind, act, node

    def on_event(self, event):
        body = event.body
        if type(body).__name__ == self.kind and self.node in {None, getattr(body, "node", None)}:
            self.kind = ""
            self.act()


def soon(call):
    """Return a function that has `call` made at the very next step of the loop."""
    return lambda: asyncio.get_running_loop().call_soon(call)


# ---- cancellation ----------------------------------------------------------------------------------------


def test_an_action_that_is_cancelled_by_itself_fails_and_the_run_ends(make_plan):
    plan = make_plan({"a": [], "b": ["a"], "c": []}, **ONCE)
    world = World(action=ScriptedAction({"a": [Step(error=asyncio.CancelledError())]}))
    state = run_plan(plan, world)
    assert states(state) == {"a": "failed", "b": "skipped", "c": "succeeded"}
    assert "a bug in the action: CancelledError" in state.nodes["a"].final.reason
    assert state.status == "failed"


def test_an_effect_that_was_stopped_in_its_midst_is_not_had_again_unasked(make_plan):
    plan = make_plan({"a": [], "b": []}, effect=True)
    plan = replace(plan, nodes=(plan.nodes[0], replace(plan.nodes[1], effect=False)))
    world, control = World(action=ScriptedAction(default=Step(seconds=60))), RunControl()
    sink = On("AttemptStarted", soon(lambda: control.pause("enough", now=True)), "b")
    assert run_plan(plan, replace(world, sinks=(sink,)), control=control).status == "paused"
    again = run_plan(plan, replace(world, epoch=2), resume=True)
    assert states(again) == {"a": "waiting", "b": "succeeded"}
    assert again.nodes["a"].waiting.question == effect_question("a")
    rerun = RunOptions(decisions=(NodeDecided(node="a", decision="rerun"),))
    assert run_plan(plan, replace(world, epoch=3), resume=True, options=rerun).status == "completed"


def test_a_run_that_breaks_leaves_no_crash_behind_where_attempts_were_cut_off(make_plan):
    class Broken(MemoryPublisher):
        def publish(self, *_):
            raise KeyError("a bug of ours")

    plan = make_plan({"a": [], "b": []}, writes=("**",))
    script = {"a": [Step(seconds=1)], "b": [Step(seconds=100)]}
    world = World(action=ScriptedAction(script), publisher=Broken())
    with pytest.raises(KeyError):
        run_plan(plan, world)
    done = run_plan(plan, replace(world, publisher=MemoryPublisher(), epoch=2), resume=True)
    assert done.status == "completed"
    assert done.nodes["b"].crashes == 0
    assert [item.failure for item in done.nodes["b"].tries] == ["cancelled", None]
    assert len(world.action.tries("a")) == 1


def test_blobs_that_cannot_be_stored_stop_the_run_before_its_events(make_plan):
    class Full(MemoryArtifacts):
        full = False

        def put_all(self, contents):
            if self.full:
                raise EnvironmentFailure("the disk is full")
            return super().put_all(contents)

    artifacts = Full()
    plan = make_plan({"a": [], "b": ["a"]})
    sink = On("AttemptStarted", lambda: setattr(artifacts, "full", True), "b")
    world = World(
        artifacts=artifacts,
        sinks=(sink,),
        action=ScriptedAction({"b": [Step(result=AttemptResult(outputs={"made": True}))]}),
    )
    with pytest.raises(EnvironmentFailure, match="the disk is full"):
        run_plan(plan, world)
    artifacts.full = False
    done = run_plan(plan, replace(world, epoch=2), resume=True)
    assert (done.status, done.nodes["a"].fence) == ("completed", 1)


# ---- stop, pause, decide at awkward moments --------------------------------------------------------------


def test_a_stop_while_a_node_waits_for_its_next_try_ends_at_once_and_the_wait_goes_on_later(make_plan):
    plan = make_plan({"a": []}, retry=RetryPolicy(max_attempts=2, delay_s=4.0, jitter=0.0))
    control = RunControl()
    world = World(
        action=ScriptedAction({"a": [invalid(), Step()]}),
        sinks=(On("RetryScheduled", soon(control.stop)),),
    )
    state = run_plan(plan, world, control=control)
    assert (state.status, states(state), state.updated_at) == ("paused", {"a": "running"}, state.started_at)
    done = run_plan(plan, replace(world, sinks=(), epoch=2), resume=True)
    assert (done.status, done.nodes["a"].attempt, done.nodes["a"].crashes) == ("completed", 2, 0)


@pytest.mark.parametrize("steps", range(12))
def test_a_stop_at_any_step_of_the_end_breaks_nothing(make_plan, steps):
    control = RunControl()

    def later(left=steps):
        if left:
            asyncio.get_running_loop().call_soon(later, left - 1)
            return
        control.post(ServiceReady(contract_id="c", mode="mock", url="http://x", lease="l"))
        control.stop()

    plan = make_plan({"a": [], "b": ["a"]})
    world = World(sinks=(On("AttemptStarted", later, "b"),))
    state = run_plan(plan, world, control=control)
    assert state.status in {"completed", "paused"}
    assert run_plan(plan, replace(world, epoch=2), resume=True).status == "completed"


@pytest.mark.parametrize("answer", ["approve", "retry"])
def test_the_same_answer_twice_is_one_answer(make_plan, answer):
    control = RunControl()
    plan = make_plan({"a": [], "slow": []}, give_up=GiveUp.ASK, **ONCE)
    decision = NodeDecided(node="a", decision=answer)

    def twice():
        for _ in range(2):
            control.decide(decision)

    script = {"a": [invalid(usable=True), Step()], "slow": [Step(seconds=50)]}
    world = World(action=ScriptedAction(script), sinks=(On("NodeWaiting", soon(twice)),))
    state = run_plan(plan, world, control=control)
    assert states(state) == {"a": "degraded" if answer == "approve" else "succeeded", "slow": "succeeded"}
    kinds = [type(event.body).__name__ for event in world.store.journal["run"]]
    assert kinds.count("NodeDecided") == 1


def test_an_answer_to_a_node_that_does_not_wait_is_refused_before_anything_is_written(make_plan):
    plan = make_plan({"a": [], "b": []}, give_up=GiveUp.ASK, **ONCE)
    world = World(action=ScriptedAction({"a": [invalid()]}))
    assert run_plan(plan, world).status == "paused"
    before = list(world.store.journal["run"])
    options = RunOptions(decisions=(NodeDecided(node="b", decision="retry"),))
    with pytest.raises(UsageError, match="b waits for no answer"):
        run_plan(plan, replace(world, epoch=2), resume=True, options=options)
    assert world.store.journal["run"] == before


# ---- a decision to stop survives the process -------------------------------------------------------------


@pytest.mark.parametrize("how", ["fail_plan", "fail_fast"])
def test_a_run_that_was_to_stop_stays_stopped_when_killed_at_any_event(make_plan, how):
    policy = {"give_up": GiveUp.FAIL_PLAN} if how == "fail_plan" else {}
    options = RunOptions(fail_fast=how == "fail_fast")
    plan = make_plan(
        {"a": [], "b": [], "c": [], "d": ["b"]}, execution=Execution(max_concurrency=2), **policy, **ONCE
    )

    def fresh():
        return World(action=ScriptedAction({"a": [invalid(seconds=1)]}, default=Step(seconds=5)))

    whole = fresh()
    expected = states(run_plan(plan, whole, options=options))
    assert expected == {"a": "gave_up", "b": "succeeded", "c": "cancelled", "d": "cancelled"}
    journal = whole.store.journal["run"]
    ended = next(
        event.seq
        for event in journal
        if type(event.body).__name__ == "NodeFinished" and event.body.node == "a"
    )
    for kept in range(ended, len(journal)):
        world = fresh()
        world.store.kill_after = kept
        with pytest.raises(Killed):
            run_plan(plan, world, options=options)
        done = run_plan(plan, restarted(world), resume=True)  # `resume` is not told the options again
        assert done.status == "failed"
        assert not world.action.tries("c")
        assert not world.action.tries("d")


@pytest.mark.parametrize("how", ["fail_plan", "fail_fast"])
@pytest.mark.parametrize("schedule", list(Schedule))
def test_a_run_that_is_stopped_still_reports_what_it_has_made_wherever_it_is_killed(make_plan, how, schedule):
    policy = {"give_up": GiveUp.FAIL_PLAN} if how == "fail_plan" else {}
    options = RunOptions(fail_fast=how == "fail_fast")
    whatever = tuple(Edge(source=need, states=("any",)) for need in ("a", "d"))
    plan = make_plan(
        {
            "a": [],
            "b": [],
            "c": ["a"],
            "d": ["b"],
            "report": PlanNode(address="report", node="report", action="report", edges=whatever),
            "release": ["report"],
        },
        execution=Execution(max_concurrency=2, schedule=schedule),
        **policy,
        **ONCE,
    )

    def fresh():
        return World(action=ScriptedAction({"a": [invalid(seconds=1)]}, default=Step(seconds=5)))

    whole = fresh()
    state = run_plan(plan, whole, options=options)
    expected = {"a": "gave_up", "b": "succeeded", "c": "skipped", "d": "cancelled", "report": "succeeded"}
    assert states(state) == {**expected, "release": "cancelled"}
    assert state.status == "failed"
    journal = whole.store.journal["run"]
    ended = next(event.seq for event in journal if getattr(event.body, "state", "") == "gave_up")
    for kept in range(ended, len(journal)):
        world = fresh()
        world.store.kill_after = kept
        with pytest.raises(Killed):
            run_plan(plan, world, options=options)
        again = restarted(world)
        done = run_plan(plan, again, resume=True)
        assert states(done)["report"] == "succeeded"
        assert not again.action.tries("d")
        assert not again.action.tries("release")


def test_files_that_cannot_be_placed_stop_the_plan_where_its_failure_does(make_plan):
    class Refusing(MemoryPublisher):
        def publish(self, *_):
            raise EnvironmentFailure("no permission")

    plan = make_plan(
        {"a": [], "b": []},
        writes=("**",),
        give_up=GiveUp.FAIL_PLAN,
        execution=Execution(max_concurrency=1),
        **ONCE,
    )
    world = World(publisher=Refusing())
    assert states(run_plan(plan, world)) == {"a": "failed", "b": "cancelled"}


# ---- money -----------------------------------------------------------------------------------------------

PROMPT = Prompt(system="", user="x" * 1_000)
"""With 1,000 tokens of answer a call is bounded at 2,000 tokens or 2,000 nano-dollars."""


def paid(nano_usd=2_000, seconds=1.0):
    usage = Usage(input_tokens=nano_usd // 2, output_tokens=nano_usd - nano_usd // 2)
    return Step(seconds=seconds, result=AttemptResult(usage=usage, nano_usd=nano_usd))


def crowd(make_plan, make_persona, **more):
    return make_plan(
        {f"n{place}": [] for place in range(20)},
        personas=(make_persona("p", token_budget=more.pop("token_budget", 100_000)),),
        persona_id="p",
        prompt=PROMPT,
        execution=Execution(max_per_persona=20),
        **more,
    )


def test_twenty_parallel_nodes_pause_at_a_limit_for_five_and_a_raised_one_completes(make_plan, make_persona):
    plan = crowd(make_plan, make_persona, guardrails=Guardrails(max_cost_nano_usd=10_000))
    world = World(action=ScriptedAction(default=paid()), prices=FlatPrices(nano_usd=1))
    state = run_plan(plan, world)
    assert (state.status, state.paused.by, state.nano_usd) == ("paused", "max_cost", 10_000)
    assert "0.0001 USD" in state.paused.reason
    assert sorted(states(state).values()).count("succeeded") == 5

    again = run_plan(plan, replace(world, epoch=2), resume=True)
    assert (again.status, again.nano_usd, len(world.action.specs)) == ("paused", 10_000, 5)

    options = RunOptions(limits=LimitRaised(max_cost_nano_usd=40_000))
    done = run_plan(plan, replace(world, epoch=3), resume=True, options=options)
    assert (done.status, done.nano_usd, len(world.action.specs)) == ("completed", 40_000, 20)


def test_a_limit_of_the_run_that_does_not_pause_stops_nodes(make_plan, make_persona):
    rails = Guardrails(max_cost_nano_usd=10_000, on_exceeded="stop")
    world = World(action=ScriptedAction(default=paid()), prices=FlatPrices(nano_usd=1))
    state = run_plan(crowd(make_plan, make_persona, guardrails=rails), world)
    assert (state.status, state.nano_usd) == ("failed", 10_000)
    assert sorted(states(state).values()) == ["budget_stopped"] * 15 + ["succeeded"] * 5


@pytest.mark.parametrize("kept", range(1, 32, 3))
def test_what_was_spent_before_a_kill_counts_after_it(make_plan, make_persona, kept):
    plan = crowd(make_plan, make_persona, token_budget=10_000)
    world = World(action=ScriptedAction(default=paid()), prices=FlatPrices(nano_usd=1))
    world.store.kill_after = kept
    with pytest.raises(Killed):
        run_plan(plan, world)
    done = run_plan(plan, restarted(world), resume=True)
    assert done.tokens <= 10_000
    assert done.tokens == sum(record.tokens_spent for record in done.nodes.values())
    assert done.is_final
    assert all(value in {"succeeded", "budget_stopped"} for value in states(done).values())


# ---- subscribers -----------------------------------------------------------------------------------------


def test_a_failing_subscriber_is_named_once_and_the_others_see_everything(make_plan, caplog):
    class Failing:
        def on_event(self, _):
            raise RuntimeError("broken")

    seen = []

    class Seeing:
        def on_event(self, event):
            seen.append(event.seq)

    world = World(sinks=(Failing(), Seeing()))
    with caplog.at_level(logging.ERROR):
        state = run_plan(make_plan({"a": [], "b": []}), world)
    assert seen == list(range(1, state.seq + 1))
    assert [record.getMessage() for record in caplog.records] == [
        "Failing failed at an event; the run goes on"
    ]


def test_a_disk_that_fails_at_a_nodes_end_stops_the_others_although_nobody_waits_for_that_end(make_plan):
    class Full(MemoryStore):
        def append(self, events, *rest):
            if any(type(item.body).__name__ == "NodeFinished" for item in events):
                raise EnvironmentFailure("the disk is full")
            super().append(events, *rest)

    action = ScriptedAction({"a": [Step(seconds=1)], "b": [Step(seconds=100)]})
    with pytest.raises(EnvironmentFailure, match="the disk is full"):
        run_plan(make_plan({"a": [], "b": []}), World(store=Full(), action=action))
    assert action.running == 0


def test_a_result_that_is_on_its_way_to_the_disk_is_reused_by_the_next_node_of_its_key(make_plan):
    same = {"key_parts": (KeyPart(name="prompt", digest="d"),)}
    plan = make_plan({"a": [], "b": []}, execution=Execution(max_concurrency=1), **same)
    assert states(run_plan(plan, World())) == {"a": "succeeded", "b": "cached"}
