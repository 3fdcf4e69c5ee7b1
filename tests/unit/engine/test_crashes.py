"""A process that dies again and again: who is to blame, and what of a node's time and money goes on."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

import pytest

from maestro_dsl.compiler.plan import Execution, Guardrails, Prompt, RetryPolicy, SafetyPolicy
from maestro_dsl.engine.events import AlertRaised, LimitRaised, NodeDecided, Usage
from maestro_dsl.engine.policy.give_up import MAX_CRASHES_APART
from maestro_dsl.engine.ports.attempts import AttemptResult
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.engine.readiness import SUSPECTS_AT_ONCE
from maestro_dsl.engine.runtime import RunOptions
from maestro_dsl.errors import HelpNeeded
from maestro_dsl.lang.model import GiveUp
from maestro_dsl.testing import (
    Everything,
    FlatPrices,
    Killed,
    ScriptedAction,
    Step,
    World,
    failing,
    restarted,
    run_plan,
)

ONCE = {"retry": RetryPolicy(max_attempts=1, jitter=0.0), "safety": SafetyPolicy(max_attempts=1)}


def states(state):
    return {address: record.state.value for address, record in state.nodes.items()}


class Killer(ScriptedAction):
    """An action in which some nodes take the whole process down, so many times each."""

    def __init__(self, **deaths):
        super().__init__(default=Step(seconds=5))
        self.deaths = deaths
        self.store = None

    async def work(self, spec, context):
        if self.deaths.get(spec.node.address, 0) > 0:
            await asyncio.sleep(1)
            self.deaths[spec.node.address] -= 1
            self.store.kill_after = 0  # nothing is written any more, not even that others were cut off
            raise Killed
        return await super().work(spec, context)


def until_it_ends(plan, world, limit=10):
    """Run and resume as often as the process dies; return the final state and how often that was."""
    deaths, resume = 0, False
    world.action.store = world.store
    while True:
        try:
            return run_plan(plan, world, resume=resume), deaths
        except Killed:
            deaths += 1
            assert deaths < limit
            world, resume = restarted(world), True


class Apart:
    """The same action in a process of its own: what would kill the run ends there without a result."""

    def __init__(self, action):
        self.action = action

    async def work(self, spec, context):
        deaths = getattr(self.action, "deaths", {})
        if deaths.get(spec.node.address, 0) > 0:
            await asyncio.sleep(1)
            deaths[spec.node.address] -= 1
            raise HelpNeeded("its process ended without a result: killed by SIGKILL")
        return await ScriptedAction.work(self.action, spec, context)


class Guarded(World):
    """A world in which suspects get a process of their own; `apart` = which nodes did."""

    def runtime(self, loop):
        found = World.runtime(self, loop)
        apart = Recorded(replace(found.dispatcher, actions=Everything(Apart(self.action))), self.action)
        return replace(found, apart=apart)


class Recorded:
    def __init__(self, dispatcher, action):
        self.dispatcher, self.action = dispatcher, action

    async def submit(self, spec, link):
        self.action.apart = [*getattr(self.action, "apart", []), spec.node.address]
        return await self.dispatcher.submit(spec, link)


def guarded(**deaths):
    return Guarded(action=Killer(**deaths))


def test_a_node_that_kills_the_process_gives_up_after_three_and_the_others_go_on(make_plan):
    plan = make_plan({"bad": [], **{f"n{place}": [] for place in range(6)}, "after": ["n0"], "last": ["bad"]})
    world = guarded(bad=9)
    state, deaths = until_it_ends(plan, world)
    assert (deaths, world.action.deaths) == (2, {"bad": 6})  # the third death was that of its own process
    assert states(state) == {
        "bad": "gave_up",
        **{f"n{place}": "succeeded" for place in range(6)},
        "after": "succeeded",
        "last": "skipped",
    }
    assert "ended without a result: killed by SIGKILL" in state.nodes["bad"].final.reason


def test_where_no_process_of_its_own_can_be_had_three_deaths_are_the_end(make_plan):
    world = World(action=Killer(bad=9))
    state, deaths = until_it_ends(make_plan({"bad": []}), world)
    assert (deaths, states(state)) == (3, {"bad": "gave_up"})
    reason = "help needed: the process ended 3 times while bad was at work"
    assert state.nodes["bad"].final.reason == reason


def test_a_first_death_slows_nothing_down(make_plan):
    world = guarded(bad=1)
    state, deaths = until_it_ends(make_plan({"a": [], "bad": [], "b": []}), world)
    assert (deaths, set(states(state).values()), hasattr(world.action, "apart")) == (1, {"succeeded"}, False)
    assert all(record.crashes == 0 for record in state.nodes.values())


def test_after_two_deaths_the_suspects_have_processes_of_their_own_few_at_once(make_plan):
    names = ["bad", *(f"n{place}" for place in range(11))]
    world = guarded(bad=2)
    state, deaths = until_it_ends(make_plan({**{name: [] for name in names}, "new": ["n0"]}), world)
    assert (deaths, state.status) == (2, "completed")
    assert sorted(world.action.apart) == sorted(names)
    flying, most = set(), 0
    for event in world.store.events("run"):
        name = type(event.body).__name__
        if name == "RunResumed":
            flying.clear()
        elif name == "AttemptStarted":
            flying.add(event.body.node)
            most = max(most, len(flying & set(names))) if event.body.fence == 3 else most
        elif name == "AttemptFinished":
            flying.discard(event.body.node)
    assert most == SUSPECTS_AT_ONCE


def test_two_killers_are_told_apart(make_plan):
    world = guarded(x=9, y=9)
    state, deaths = until_it_ends(make_plan({"x": [], "y": [], "z": []}), world)
    assert states(state) == {"x": "gave_up", "y": "gave_up", "z": "succeeded"}
    assert deaths == 2


@pytest.mark.parametrize("nodes", [1, 3, 8])
def test_a_storm_of_kills_from_outside_ends_nobody(make_plan, nodes):
    """Killed nine times before anything can end; then left in peace."""
    plan = make_plan({f"n{place}": [] for place in range(nodes)})
    action = ScriptedAction(default=Step(seconds=5))
    world = Guarded(action=action)
    for deaths in range(MAX_CRASHES_APART - 1):
        done = len(world.store.journal.get("run", []))
        world.store.kill_after = done + 1 + min(nodes, SUSPECTS_AT_ONCE if deaths > 1 else nodes)
        with pytest.raises(Killed):
            run_plan(plan, world, resume=deaths > 0)
        world = restarted(world)
    state = run_plan(plan, world, resume=True)
    assert set(states(state).values()) == {"succeeded"}


def test_a_node_over_which_the_run_died_ten_times_is_for_a_person_to_look_at(make_plan):
    plan = make_plan({"n": [], "other": []}, execution=Execution(max_concurrency=1))
    action = ScriptedAction(default=Step(seconds=5))
    world = Guarded(action=action)
    for deaths in range(MAX_CRASHES_APART):
        world.store.kill_after = len(world.store.journal.get("run", [])) + 2
        with pytest.raises(Killed):
            run_plan(plan, world, resume=deaths > 0)
        world = restarted(world)
    state = run_plan(plan, world, resume=True)
    assert states(state) == {"n": "gave_up", "other": "succeeded"}
    assert "the process ended 10 times while n was at work" in state.nodes["n"].final.reason


# ---- what was asked for ----------------------------------------------------------------------------------


def test_a_node_that_is_asked_for_again_is_not_reused_by_whoever_goes_on(make_plan):
    """The first of two dies at work, the second waits for it: neither is taken from the run before."""
    plan = make_plan({"first": [], "second": ["first"]}, **ONCE)
    world = World()
    run_plan(plan, world, run_id="before")
    world.store.kill_after = 2  # begun, and the first at work
    with contextlib.suppress(Killed):
        run_plan(plan, world, options=RunOptions(replace=frozenset({"first", "second"})))
    state = run_plan(plan, restarted(world), resume=True)
    assert states(state) == {"first": "succeeded", "second": "succeeded"}
    assert state.nodes["second"].why == "replaced on request"


def test_what_is_asked_for_when_a_run_goes_on_outlives_that_process_too(make_plan):
    plan = make_plan({"node": []}, **ONCE)
    world = World()
    run_plan(plan, world, run_id="before")
    world.store.kill_after = 1
    with contextlib.suppress(Killed):
        run_plan(plan, world)
    world = restarted(world)
    world.store.kill_after = 3  # gone on, and at work
    with contextlib.suppress(Killed):
        run_plan(plan, world, resume=True, options=RunOptions(replace=frozenset({"node"})))
    assert states(run_plan(plan, restarted(world), resume=True)) == {"node": "succeeded"}


# ---- time ------------------------------------------------------------------------------------------------


def test_a_node_s_time_goes_on_where_the_dead_process_left_it(make_plan):
    """6 s are used when the process dies; of 10 s only 4 are left, so 8 s of work do not fit any more."""
    plan = make_plan({"slow": [], "tick": []}, timeout_s=10.0, attempt_timeout_s=10.0, **ONCE)
    script = ScriptedAction({"slow": [Step(seconds=20), Step(seconds=8)], "tick": [Step(seconds=6)]})
    world = World(action=script)
    world.store.kill_after = 4  # started, both tries, and the end of "tick" after 6 s
    with contextlib.suppress(Killed):
        run_plan(plan, world)
    state = run_plan(plan, restarted(world), resume=True)
    assert states(state)["slow"] == "gave_up"
    assert "no result within 10 s" in state.nodes["slow"].final.reason
    assert state.active_s < 11


def test_when_its_time_is_up_a_node_begins_no_try_that_would_be_charged(make_plan, make_persona):
    plan = make_plan(
        {"late": [], "tick": []},
        personas=(make_persona("p"),),
        persona_id="p",
        prompt=Prompt(system="", user="x" * 100),
        timeout_s=10.0,
        attempt_timeout_s=30.0,
        **ONCE,
    )
    script = ScriptedAction({"late": [Step(seconds=30)], "tick": [Step(seconds=10)]})
    world = World(action=script, prices=FlatPrices(nano_usd=1))
    world.store.kill_after = 5  # both tries and the end of "tick", when "late" has no time left either
    with contextlib.suppress(Killed):
        run_plan(plan, world)
    state = run_plan(plan, restarted(world), resume=True)
    assert (states(state)["late"], state.nodes["late"].fence) == ("gave_up", 1)
    assert "no result within 10 s" in state.nodes["late"].final.reason


def test_a_new_chance_by_a_person_has_the_whole_time_again(make_plan):
    plan = make_plan({"slow": []}, timeout_s=10.0, attempt_timeout_s=10.0, give_up=GiveUp.ASK, **ONCE)
    script = ScriptedAction({"slow": [failing(Failure.INVALID, "no", seconds=8.0), Step(seconds=8)]})
    world = World(action=script)
    assert states(run_plan(plan, world)) == {"slow": "waiting"}
    answer = RunOptions(decisions=(NodeDecided(node="slow", decision="retry"),))
    state = run_plan(plan, replace(world, epoch=2), resume=True, options=answer)
    assert states(state) == {"slow": "succeeded"}


# ---- money -----------------------------------------------------------------------------------------------


def lying_plan(make_plan, make_persona, **rails):
    return make_plan(
        {"liar": [], "next": ["liar"]},
        personas=(make_persona("p", token_budget=100_000),),
        persona_id="p",
        prompt=Prompt(system="", user="x" * 1_000),
        guardrails=Guardrails(max_cost_nano_usd=1_000_000, **rails),
    )


def lying(tokens=5_000):
    usage = Usage(input_tokens=tokens)
    return Step(result=AttemptResult(usage=usage, nano_usd=tokens))


def test_a_call_above_its_reservation_is_booked_whole_and_pauses_the_run(make_plan, make_persona):
    plan = lying_plan(make_plan, make_persona)
    world = World(action=ScriptedAction({"liar": [lying()]}), prices=FlatPrices(nano_usd=1))
    state = run_plan(plan, world)
    assert (state.status, state.paused.by, state.tokens, state.nano_usd) == (
        "paused",
        "guardrail",
        5_000,
        5_000,
    )
    assert states(state) == {"liar": "succeeded"}  # what it made is paid for
    (alert,) = [event.body for event in world.store.events("run") if isinstance(event.body, AlertRaised)]
    assert (alert.kind, alert.subject) == ("overrun", "liar")
    assert alert.message == state.paused.reason
    assert "reports 5,000 tokens (0.0001 USD) where at most 2,000" in alert.message
    done = run_plan(plan, replace(world, epoch=2), resume=True, options=RunOptions(limits=LimitRaised()))
    assert done.status == "completed"


def test_an_overrun_ends_a_run_that_is_not_to_pause(make_plan, make_persona):
    plan = lying_plan(make_plan, make_persona, on_exceeded="fail")
    world = World(action=ScriptedAction({"liar": [lying()]}), prices=FlatPrices(nano_usd=1))
    state = run_plan(plan, world)
    assert (state.status, states(state)) == ("failed", {"liar": "succeeded", "next": "cancelled"})
    assert "its limits cannot be trusted" in state.reason


def test_an_overrun_of_a_call_whose_node_then_runs_out_of_time_holds_the_run_too(make_plan, make_persona):
    class Late(ScriptedAction):
        async def work(self, spec, context):
            answer = context.artifacts.put(b"much")
            await context.answered("request", answer, Usage(input_tokens=5_000), 5_000)
            return await super().work(spec, context)

    plan = lying_plan(make_plan, make_persona)
    nodes = tuple(replace(node, timeout_s=10.0, edges=()) for node in plan.nodes)
    plan = replace(plan, nodes=nodes, execution=Execution(max_concurrency=1))
    world = World(action=Late(default=Step(seconds=60)), prices=FlatPrices(nano_usd=1))
    state = run_plan(plan, world)
    assert (state.status, state.paused.by, state.tokens) == ("paused", "guardrail", 5_000)
    assert "its limits cannot be trusted" in state.paused.reason
    assert states(state) == {"liar": "gave_up"}
    (tried,) = state.nodes["liar"].tries
    assert (tried.failure, tried.result_digest) == ("cancelled", None)


def test_an_overrun_is_not_forgotten_by_the_ledger_after_a_resume(make_plan, make_persona):
    plan = lying_plan(make_plan, make_persona)
    world = World(action=ScriptedAction({"liar": [lying(2_000_000)]}), prices=FlatPrices(nano_usd=1))
    run_plan(plan, world)
    again = run_plan(plan, replace(world, epoch=2), resume=True)
    assert (again.status, len(world.action.specs)) == ("paused", 1)
    assert "could pass the limit" in again.paused.reason
