"""Model providers that ask for patience or do not answer: one patience a provider, one breaker a model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from maestro_dsl.compiler.plan import BreakerPolicy, Guardrails, ModelRef, Prompt, RetryPolicy, SafetyPolicy
from maestro_dsl.engine.breakers import MemoryBreakers
from maestro_dsl.engine.events import AlertRaised, AttemptStarted, ProviderHeld, RetryScheduled
from maestro_dsl.engine.policy.breaker import Breaker, BreakerMode
from maestro_dsl.engine.ports.attempts import AttemptResult
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.engine.runtime import RunOptions
from maestro_dsl.storage.breakers import Breakers
from maestro_dsl.storage.database import open_database
from maestro_dsl.testing import START, Killed, ScriptedAction, Step, World, failing, run_plan

MODEL = ("acme", "m")
PROMPT = Prompt(system="", user="x")
ONCE = SafetyPolicy(max_attempts=1)
QUICK = RetryPolicy(delay_s=1.0, max_delay_s=1.0, jitter=0.0)


@pytest.fixture
def models(make_plan, make_persona):
    """Return a plan of nodes by the persona that does them, each persona with its model."""

    def build(nodes, personas, **defaults):
        team = tuple(
            make_persona(name, model=ModelRef(provider=model[0], model=model[1]), token_budget=10**9)
            for name, model in personas.items()
        )
        defaults = {"retry": QUICK, "safety": ONCE, "prompt": PROMPT, **defaults}
        plan = make_plan({name: [] for name in nodes}, personas=team, **defaults)
        done = tuple(replace(node, persona_id=nodes[node.address]) for node in plan.nodes)
        return replace(plan, nodes=done)

    return build


def at(world, kind, node=None):
    """Return when events of a kind (of a node) happened, in seconds of the run."""
    found = [event for event in world.store.events("run") if isinstance(event.body, kind)]
    return [
        round(event.at - START, 2) for event in found if node in {None, getattr(event.body, "node", None)}
    ]


def states(state):
    return {address: record.state.value for address, record in state.nodes.items()}


def throttled(retry_after_s):
    return Step(result=AttemptResult(failure=Failure.THROTTLE, message="429", retry_after_s=retry_after_s))


# ---- patience --------------------------------------------------------------------------------------------


def test_all_nodes_of_a_provider_wait_when_one_is_told_to_and_other_providers_do_not(models):
    plan = models(
        {"a": "p", "b": "q", "other": "r", "b2": "q"},
        {"p": ("acme", "m"), "q": ("acme", "n"), "r": ("else", "m")},
    )
    plan = replace(plan, execution=replace(plan.execution, max_per_persona=1))
    script = {"a": [throttled(30.0), Step()], "b": [Step(seconds=5)], "other": [Step(seconds=5)]}
    world = World(action=ScriptedAction(script))
    state = run_plan(plan, world)
    assert state.status == "completed"
    assert at(world, AttemptStarted, "a")[0] == 0
    assert at(world, AttemptStarted, "a")[1] >= 30.0
    assert 30.0 <= at(world, AttemptStarted, "b2")[0] <= 33.0  # after b's 5 s, had nobody been told to wait
    assert at(world, AttemptStarted, "other") == [0]
    (held,) = [event.body for event in world.store.events("run") if isinstance(event.body, ProviderHeld)]
    assert (held.provider, held.until - START >= 30.0) == ("acme", True)


@pytest.mark.parametrize("jitter", [0.0, 0.2, 1.0])
def test_nobody_calls_earlier_than_was_asked_for(models, jitter):
    retry = replace(QUICK, jitter=jitter)
    plan = models({"a": "p"}, {"p": MODEL}, retry=retry)
    world = World(action=ScriptedAction({"a": [throttled(7.0), throttled(None), throttled(2.5), Step()]}))
    assert run_plan(plan, world).status == "completed"
    first, second, third, fourth = at(world, AttemptStarted)
    assert second - first >= 7.0
    assert third - second >= 1.0
    assert fourth - third >= 2.5
    assert fourth <= 7.0 + 1.0 + 2.5 + 3 * (1.0 + jitter)


def test_being_told_to_wait_spends_no_attempt_and_ends_after_the_longest_wait(models):
    retry = replace(QUICK, max_attempts=1, max_throttle_wait_s=60.0)
    plan = models({"a": "p"}, {"p": MODEL}, retry=retry)
    world = World(action=ScriptedAction({"a": [throttled(25.0)]}))
    state = run_plan(plan, world)
    assert (states(state), len(world.action.specs)) == ({"a": "gave_up"}, 3)  # 25 s, 50 s; 75 s were too many
    assert len(at(world, RetryScheduled)) == 2


def test_a_node_that_would_wait_too_long_for_others_fails_as_throttled(models):
    plan = models({"a": "p", "b": "p"}, {"p": MODEL})
    short = replace(plan.nodes[1], retry=replace(QUICK, max_throttle_wait_s=10.0))
    plan = replace(plan, nodes=(plan.nodes[0], short))
    script = {"a": [throttled(100.0), Step()], "b": [failing(Failure.TRANSPORT, seconds=1.0), Step()]}
    state = run_plan(plan, World(action=ScriptedAction(script)))
    assert states(state) == {"a": "succeeded", "b": "gave_up"}
    assert "acme asks for more patience than 10 s" in state.nodes["b"].final.reason


def test_a_call_that_waited_for_money_looks_again_whether_its_provider_may_be_called(models):
    """It waits until the other gives its reservation back, and by then the provider wants patience."""
    plan = models({"a": "p", "b": "q"}, {"p": MODEL, "q": ("acme", "n")})
    plan = replace(plan, guardrails=Guardrails(max_tokens=1_500))  # a call may take 1,001
    step = Step(seconds=5, result=AttemptResult(failure=Failure.THROTTLE, message="429", retry_after_s=40.0))
    world = World(action=ScriptedAction({"a": [step, Step()], "b": [Step()]}))
    assert run_plan(plan, world).status == "completed"
    assert at(world, AttemptStarted, "b")[0] >= 45.0


def test_patience_is_shared_by_all_runs_on_the_state_directory(models):
    breakers = MemoryBreakers()
    breakers.change(("acme", ""), lambda found: replace(found, held_until=START + 20.0))  # by another run
    plan = models({"a": "p", "other": "r"}, {"p": MODEL, "r": ("else", "m")})
    world = World(breakers=breakers, action=ScriptedAction({"a": [throttled(50.0), Step()]}))
    assert run_plan(plan, world).status == "completed"
    first, second = at(world, AttemptStarted, "a")
    assert 20.0 <= first <= 22.0
    assert second - first >= 50.0
    assert at(world, AttemptStarted, "other") == [0]
    held = [event.body for event in world.store.events("run") if isinstance(event.body, ProviderHeld)]
    assert [item.reason for item in held] == ["another run was asked to wait", "throttle, spends no attempt"]
    assert breakers.load(("acme", "")).held_until == held[-1].until
    assert breakers.load(MODEL).held_until == 0.0


def test_a_time_of_patience_that_is_over_is_not_spoken_of(models):
    breakers = MemoryBreakers()
    breakers.change(("acme", ""), lambda found: replace(found, held_until=START - 1.0))
    world = World(breakers=breakers)
    assert run_plan(models({"a": "p"}, {"p": MODEL}), world).status == "completed"
    assert at(world, ProviderHeld) == []


def test_patience_goes_on_after_a_resume(models):
    plan = models({"a": "p", "b": "p"}, {"p": MODEL})
    plan = replace(plan, execution=replace(plan.execution, max_concurrency=1))
    world = World(action=ScriptedAction({"a": [throttled(40.0), Step()]}))
    world.store.kill_after = 5
    with pytest.raises(Killed):
        run_plan(plan, world)
    held = [event.body for event in world.store.events("run") if isinstance(event.body, ProviderHeld)]
    assert held
    world.store.kill_after = None
    run_plan(plan, replace(world, epoch=2), resume=True)
    assert at(world, AttemptStarted, "b")[0] >= 40.0


# ---- breaker ---------------------------------------------------------------------------------------------

BREAKER = SafetyPolicy(
    max_attempts=1, breaker=BreakerPolicy(failures=3, reset_after_s=60.0, max_wait_s=100.0)
)


def test_a_breaker_that_one_run_opened_holds_the_next_one_too(models):
    plan = models({"a": "p"}, {"p": MODEL}, safety=BREAKER, retry=replace(QUICK, max_transport_attempts=3))
    breakers = MemoryBreakers()
    down = World(action=ScriptedAction({"a": [failing(Failure.TRANSPORT)]}), breakers=breakers)
    assert states(run_plan(plan, down)) == {"a": "gave_up"}
    assert breakers.load(MODEL).mode is BreakerMode.OPEN
    breakers.change(MODEL, lambda found: replace(found, opened_at=START - 5.0))  # each run begins at START
    up = World(breakers=breakers)
    assert run_plan(plan, up).status == "completed"
    assert at(up, AttemptStarted) == [55.0]
    assert breakers.load(MODEL) == Breaker()
    kinds = [
        (event.body.kind, event.body.message)
        for event in up.store.events("run")
        if isinstance(event.body, AlertRaised)
    ]
    assert kinds == [("breaker", "acme/m answers again")]


def test_another_process_that_closes_the_breaker_frees_those_who_wait(models):
    plan = models({"a": "p"}, {"p": MODEL}, safety=BREAKER)

    class Elsewhere(MemoryBreakers):
        looks = 0

        def load(self, model):
            self.looks += 1
            if self.looks == 10:
                self._breakers.clear()
            return super().load(model)

    breakers = Elsewhere()
    breakers.change(MODEL, lambda _: Breaker(failures=3, opened_at=START))
    world = World(breakers=breakers)
    assert run_plan(plan, world).status == "completed"
    assert at(world, AttemptStarted)[0] < 15.0


def test_a_breaker_that_stays_open_ends_the_node_as_overloaded(models):
    short = replace(BREAKER, breaker=replace(BREAKER.breaker, max_wait_s=20.0))
    plan = models({"a": "p"}, {"p": MODEL}, safety=short)
    breakers = MemoryBreakers()
    breakers.change(MODEL, lambda _: Breaker(failures=3, opened_at=START))
    state = run_plan(plan, World(breakers=breakers))
    assert states(state) == {"a": "gave_up"}
    assert "acme/m is cut off after failures in a row" in state.nodes["a"].final.reason
    assert state.updated_at - state.started_at == pytest.approx(20.0)


def test_models_of_one_provider_have_breakers_of_their_own(models):
    plan = models({"a": "p", "b": "q"}, {"p": MODEL, "q": ("acme", "n")}, safety=BREAKER)
    breakers = MemoryBreakers()
    breakers.change(MODEL, lambda _: Breaker(failures=3, opened_at=START))
    world = World(breakers=breakers)
    run_plan(plan, world)
    assert at(world, AttemptStarted, "b") == [0]
    assert at(world, AttemptStarted, "a") == [60.0]


def test_only_one_of_many_becomes_the_probe(models):
    names = {f"n{place}": "p" for place in range(8)}
    plan = models(names, {"p": MODEL}, safety=BREAKER)
    plan = replace(plan, execution=replace(plan.execution, max_per_persona=8))
    breakers = MemoryBreakers()
    breakers.change(MODEL, lambda _: Breaker(failures=3, opened_at=START))
    world = World(action=ScriptedAction(default=Step(seconds=4)), breakers=breakers)
    run_plan(plan, world, options=RunOptions())
    assert at(world, AttemptStarted) == [60.0] + [64.0] * 7


def test_two_processes_on_one_state_directory_see_one_breaker(models, tmp_path):
    plan = models({"a": "p"}, {"p": MODEL}, safety=BREAKER, retry=replace(QUICK, max_transport_attempts=3))
    first, second = open_database(tmp_path), open_database(tmp_path)
    down = World(action=ScriptedAction({"a": [failing(Failure.TRANSPORT)]}), breakers=Breakers(first))
    run_plan(plan, down)
    assert Breakers(second).load(MODEL).mode is BreakerMode.OPEN
    Breakers(second).change(MODEL, lambda found: replace(found, opened_at=START - 1.0))
    up = World(breakers=Breakers(second))
    run_plan(plan, up)
    assert at(up, AttemptStarted) == [59.0]
    assert Breakers(first).load(MODEL) == Breaker()
    for database in (first, second):
        database.close()
