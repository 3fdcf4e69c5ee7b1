"""Limits that a person changes while a run is paused: each holds, none is forgotten, each warns anew."""

from __future__ import annotations

from dataclasses import replace

import pytest

from maestro_dsl.compiler.plan import Guardrails, Prompt
from maestro_dsl.engine.events import AlertRaised, LimitRaised, Usage
from maestro_dsl.engine.ports.attempts import AttemptResult
from maestro_dsl.engine.runtime import RunOptions
from maestro_dsl.testing import FlatPrices, ScriptedAction, Step, World, run_plan

CHAIN = {"a": [], "b": ["a"], "c": ["b"], "d": ["c"]}
CALL = Step(seconds=10, result=AttemptResult(usage=Usage(input_tokens=1_500), nano_usd=1_500))


@pytest.fixture
def world():
    return World(action=ScriptedAction(default=CALL), prices=FlatPrices(nano_usd=1))


@pytest.fixture
def plan_with(make_plan, make_persona):
    def make(**rails):
        return make_plan(
            CHAIN,
            personas=(make_persona("p"),),
            persona_id="p",
            prompt=Prompt(system="", user="x" * 1_000),
            guardrails=Guardrails(**rails),
        )

    return make


def again(plan, world, epoch, **limits):
    options = RunOptions(limits=LimitRaised(**limits)) if limits else RunOptions()
    return run_plan(plan, replace(world, epoch=epoch), resume=True, options=options)


def done(state):
    return sum(record.final is not None for record in state.nodes.values())


@pytest.mark.parametrize(
    ("rails", "raised", "by"),
    [
        ({"max_cost_nano_usd": 3_000}, {"max_cost_nano_usd": 10_000}, "max_cost"),
        ({"max_cost_nano_usd": None, "max_tokens": 3_000}, {"max_tokens": 10_000}, "max_tokens"),
        ({"max_duration_s": 5.0}, {"max_duration_s": 500.0}, "max_duration"),
    ],
)
def test_every_limit_pauses_says_which_it_is_and_can_be_raised(plan_with, world, rails, raised, by):
    plan = plan_with(**rails)
    held = run_plan(plan, world)
    assert (held.status, held.paused.by, done(held)) == ("paused", by, 1)
    still = again(plan, world, 2)
    assert (still.status, still.paused.by, done(still)) == ("paused", by, 1)
    assert (again(plan, world, 3, **raised).status) == "completed"


def test_a_limit_that_is_raised_leaves_the_others_as_they_were_raised(plan_with, world):
    plan = plan_with(max_cost_nano_usd=3_000, max_tokens=3_000)
    assert run_plan(plan, world).paused.by == "max_tokens"
    assert again(plan, world, 2, max_tokens=100_000).paused.by == "max_cost"
    last = again(plan, world, 3, max_cost_nano_usd=100_000)
    assert (last.status, last.limits.max_tokens) == ("completed", 100_000)


def test_a_new_limit_warns_anew(plan_with, world):
    plan = plan_with(max_cost_nano_usd=4_000, warn_at=0.5)
    run_plan(plan, world)
    again(plan, world, 2, max_cost_nano_usd=8_000)
    bodies = [event.body for event in world.store.journal["run"]]
    warnings = [body.message for body in bodies if isinstance(body, AlertRaised) and body.subject == "run"]
    assert warnings == ["75% of the limit of run is spent", "56% of the limit of run is spent"]
