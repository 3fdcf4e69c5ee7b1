"""A node that failed for good asks for help: one ticket a node, in the transaction of its end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from maestro_dsl.compiler.plan import Guardrails, Prompt, RetryPolicy, SafetyPolicy
from maestro_dsl.engine.events import Issue, NodeDecided, NodeFinished, TicketOpened
from maestro_dsl.engine.ports.attempts import AttemptResult
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.engine.result import error_of
from maestro_dsl.engine.runtime import RunOptions
from maestro_dsl.engine.tickets import MAX_TEXT_CHARS, ticket_key
from maestro_dsl.errors import HelpNeeded, TokenBudgetExceeded, UnrecoverableError
from maestro_dsl.lang.model import GiveUp
from maestro_dsl.testing import FlatPrices, Killed, ScriptedAction, Step, World, failing, restarted, run_plan

TARGET = {"sink": "github", "token_env": "TOKEN"}
ONCE = {"retry": RetryPolicy(max_attempts=2, jitter=0.0), "safety": SafetyPolicy(max_attempts=1)}


def wrong(message="no route", **more):
    issue = Issue(severity="error", message="GET /tasks is missing", check="openapi", file="app.py", line=3)
    return failing(Failure.INVALID, message, issues=(issue,), **more)


def tickets(world):
    return [event.body for event in world.store.events("run") if isinstance(event.body, TicketOpened)]


def test_a_node_that_gives_up_opens_one_ticket_with_its_history_in_the_same_transaction(
    make_plan, make_persona
):
    plan = make_plan(
        {"build": [], "after": ["build"]},
        personas=(make_persona("back"),),
        persona_id="back",
        prompt=Prompt(system="s", user="u"),
        **ONCE,
    )
    world = World(action=ScriptedAction({"build": [wrong()]}), ticket_target=TARGET)
    state = run_plan(plan, world)
    (ticket,) = tickets(world)
    assert (ticket.node, ticket.key, ticket.target) == ("build", ticket_key("run", "build"), TARGET)
    assert ticket.title == "plan: build gave up"
    assert "Tried 2 times in 1 round(s)" in ticket.text
    assert "Persona back, model scripted/m." in ticket.text
    assert "- round 1, attempt 2: invalid (0 tokens, 0.00 USD): no route" in ticket.text
    assert "- error openapi app.py:3: GET /tasks is missing" in ticket.text
    assert "Prompt digest" in ticket.text
    assert "Try again: maestro retry run 'build'" in ticket.text
    events = list(world.store.events("run"))
    place = next(at for at, event in enumerate(events) if isinstance(event.body, TicketOpened))
    assert isinstance(events[place + 1].body, NodeFinished)
    assert events[place].at == events[place + 1].at
    assert state.tickets == {"build": ticket}


@pytest.mark.parametrize(
    ("step", "state", "opened"),
    [
        (wrong(), "gave_up", True),
        (failing(Failure.FATAL, "bug"), "failed", True),
        (failing(Failure.CANNOT, "no template"), "gave_up", True),
        (failing(Failure.BUDGET, "spent"), "budget_stopped", False),
        (Step(), "succeeded", False),
    ],
)
def test_only_what_a_person_has_to_look_at_opens_a_ticket(make_plan, step, state, opened):
    world = World(action=ScriptedAction({"a": [step]}), ticket_target=TARGET)
    final = run_plan(make_plan({"a": []}, **ONCE), world)
    assert (final.nodes["a"].state, bool(tickets(world))) == (state, opened)


def test_without_a_place_for_them_no_tickets_are_made(make_plan):
    world = World(action=ScriptedAction({"a": [wrong()]}))
    run_plan(make_plan({"a": []}, **ONCE), world)
    assert tickets(world) == []


def test_what_a_person_rejected_opens_no_ticket(make_plan):
    plan = make_plan({"a": []}, give_up=GiveUp.ASK, **ONCE)
    world = World(action=ScriptedAction({"a": [wrong()]}), ticket_target=TARGET)
    run_plan(plan, world)
    answer = RunOptions(decisions=(NodeDecided(node="a", decision="reject"),))
    state = run_plan(plan, replace(world, epoch=2), resume=True, options=answer)
    assert (state.nodes["a"].state, tickets(world)) == ("failed", [])


@pytest.mark.parametrize("kept", range(3, 12))
def test_whenever_the_process_dies_there_is_one_ticket_at_the_end(make_plan, kept):
    world = World(action=ScriptedAction({"a": [wrong()]}), ticket_target=TARGET)
    world.store.kill_after = kept
    plan = make_plan({"a": [], "b": ["a"]}, **ONCE)
    try:
        run_plan(plan, world)
    except Killed:
        run_plan(plan, restarted(world), resume=True)
    assert [ticket.node for ticket in tickets(world)] == ["a"]


def test_a_long_history_is_cut(make_plan):
    world = World(action=ScriptedAction({"a": [wrong("x" * 20_000)]}), ticket_target=TARGET)
    run_plan(make_plan({"a": []}, **ONCE), world)
    assert len(tickets(world)[0].text) == MAX_TEXT_CHARS


# ---- exceptions ------------------------------------------------------------------------------------------


def test_exhaustion_is_unrecoverable_and_needs_help_with_the_ticket_s_key(make_plan):
    world = World(action=ScriptedAction({"a": [wrong()]}), ticket_target=TARGET)
    state = run_plan(make_plan({"a": []}, **ONCE), world)
    error = error_of(state.nodes["a"], state.tickets["a"].key)
    assert isinstance(error, HelpNeeded)
    assert error.ticket == ticket_key("run", "a")
    assert error.message.startswith("a gave up: no route.")
    assert isinstance(error.__cause__, UnrecoverableError)
    assert error.__cause__.message == "no route"


def test_a_spent_budget_and_a_success_are_no_cry_for_help(make_plan, make_persona):
    plan = make_plan(
        {"a": [], "b": []},
        personas=(make_persona("p", token_budget=10),),
        persona_id="p",
        prompt=Prompt(system="", user="x" * 100),
        guardrails=Guardrails(),
    )
    state = run_plan(plan, World(prices=FlatPrices(nano_usd=1)))
    assert isinstance(error_of(state.nodes["a"]), TokenBudgetExceeded)
    good = run_plan(make_plan({"a": []}), World(action=ScriptedAction({"a": [Step(result=AttemptResult())]})))
    assert error_of(good.nodes["a"]) is None
