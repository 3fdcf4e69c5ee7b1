"""Entries of usage: every token the ledger booked is in exactly one of them."""

from __future__ import annotations

import pytest

from maestro_dsl.compiler.plan import Guardrails, Prompt
from maestro_dsl.engine.events import (
    AlertRaised,
    AttemptFinished,
    AttemptStarted,
    Event,
    ModelResponded,
    NodeFinished,
    RunResumed,
    RunStarted,
    Usage,
)
from maestro_dsl.engine.ports.attempts import AttemptResult
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.engine.usage import Spending, entries
from maestro_dsl.testing import FlatPrices, ScriptedAction, Step, World, failing, run_plan

DAY = 86_400.0
STARTED = RunStarted(plan_id="plan", plan_digest="d", output="o", tool_version="1")


@pytest.fixture
def plan(make_plan, make_persona):
    return make_plan(
        {"a": [], "b": ["a"]},
        personas=(make_persona("p"),),
        persona_id="p",
        prompt=Prompt(system="", user="x"),
    )


def history(*bodies):
    return [Event(run_id="r", seq=seq, at=seq * DAY, body=body) for seq, body in enumerate(bodies, 1)]


def started(fence=1, *, reserved=500, nano_usd=0):
    return AttemptStarted(
        node="a",
        attempt=1,
        round=1,
        fence=fence,
        key="k",
        reserved_tokens=reserved,
        reserved_nano_usd=nano_usd,
    )


def answered(tokens, nano_usd=None, request="q"):
    usage = Usage(input_tokens=tokens)
    return ModelResponded(
        node="a", attempt=1, request_digest=request, response_digest="r", usage=usage, nano_usd=nano_usd
    )


def finished(tokens, nano_usd=0, fence=1):
    usage = Usage(input_tokens=tokens)
    return AttemptFinished(
        node="a", attempt=1, round=1, fence=fence, failure=None, usage=usage, nano_usd=nano_usd
    )


def total(found):
    spending = Spending()
    for item in found:
        spending = spending.plus(item.spending)
    return spending


def test_the_entries_of_a_run_add_up_to_what_the_ledger_booked(plan):
    steps = {
        "a": [failing(Failure.INVALID, usage=Usage(input_tokens=5), nano_usd=15), Step()],
        "b": [Step(result=AttemptResult(usage=Usage(input_tokens=3, output_tokens=4), nano_usd=21))],
    }
    world = World(action=ScriptedAction(steps), prices=FlatPrices(nano_usd=3))
    state = run_plan(plan, world)
    found, folded = entries(plan, world.store.events("run"))
    assert (total(found).tokens, total(found).nano_usd) == (state.tokens, state.nano_usd) == (12, 36)
    assert folded == state
    assert {(item.persona, item.model) for item in found} == {("p", "scripted/m")}


def test_an_answer_counts_on_the_day_it_came_and_its_end_adds_nothing(plan):
    found, _ = entries(plan, history(STARTED, started(), answered(100, 7), finished(100, 7)))
    (entry,) = found
    assert (entry.day, entry.spending.tokens, entry.spending.nano_usd, entry.spending.calls) == (
        "1970-01-04",
        100,
        7,
        1,
    )


def test_a_call_that_died_with_its_process_counts_at_its_reservation(plan):
    resumed = RunResumed(epoch=1, interrupted=("a",))
    found, state = entries(plan, history(STARTED, started(nano_usd=9), resumed))
    (entry,) = found
    assert (entry.spending.lost_tokens, entry.spending.nano_usd, entry.spending.calls) == (500, 9, 1)
    assert state.tokens == 500


def test_a_stored_answer_that_is_used_again_is_one_call(plan):
    resumed = RunResumed(epoch=1, interrupted=("a",))
    events = history(STARTED, started(), answered(100, 7), resumed, started(2), finished(100, 7, fence=2))
    found, _ = entries(plan, events)
    assert (total(found).calls, total(found).tokens) == (1, 100)


def test_a_model_without_a_price_is_unknown_and_not_free(plan):
    found, _ = entries(plan, history(STARTED, started(), answered(100, None), finished(100)))
    assert (total(found).unpriced_calls, total(found).nano_usd) == (1, 0)
    lost, _ = entries(plan, history(STARTED, started(), RunResumed(epoch=1, interrupted=("a",))))
    assert total(lost).unpriced_calls == 1


def test_reuse_counts_what_it_saved(plan):
    cached = NodeFinished(node="a", state="cached", key="k", saved_tokens=40, saved_nano_usd=8, saved_s=2.5)
    found, state = entries(plan, history(STARTED, cached))
    spending = total(found)
    assert (spending.hits, spending.saved_tokens, spending.saved_nano_usd, spending.tokens) == (1, 40, 8, 0)
    assert state.saved_s == 2.5


def test_tries_are_counted_each(plan):
    steps = {"a": [failing(Failure.INVALID, usage=Usage(input_tokens=5))] * 2 + [Step()]}
    world = World(action=ScriptedAction(steps))
    run_plan(plan, world)
    found, _ = entries(plan, world.store.events("run"))
    assert total(found).calls == 2


def test_calls_that_end_at_the_same_moment_warn_once(make_plan, make_persona):
    plan = make_plan(
        {name: [] for name in "abc"},
        personas=(make_persona("p"),),
        guardrails=Guardrails(max_tokens=10_000, warn_at=0.05),
        persona_id="p",
        prompt=Prompt(system="", user="x"),
    )
    spent = Step(seconds=1, result=AttemptResult(usage=Usage(input_tokens=900)))
    world = World(action=ScriptedAction(default=spent))
    run_plan(plan, world)
    warned = [
        event.body.subject for event in world.store.events("run") if isinstance(event.body, AlertRaised)
    ]
    assert warned == ["run"]
