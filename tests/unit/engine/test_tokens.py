from __future__ import annotations

import pytest

from maestro_dsl.compiler.plan import Prompt
from maestro_dsl.engine.events import Usage
from maestro_dsl.engine.ports.attempts import AttemptResult
from maestro_dsl.engine.tokens import TokenTracker
from maestro_dsl.errors import TokenBudgetExceeded
from maestro_dsl.testing import ScriptedAction, Step, World, run_plan


def test_what_is_recorded_is_reported_against_the_budget():
    tracker = TokenTracker(max_tokens_per_persona=100_000)
    tracker.record("backend", 60_000)
    tracker.record("backend", 25_000)
    tracker.record("qa", 10)
    used = tracker.get_usage("backend")
    assert (used.tokens_used, used.budget, used.remaining) == (85_000, 100_000, 15_000)
    assert (used.warning, used.exceeded) == (True, False)
    report = tracker.get_report()
    assert [item.persona_id for item in report.personas] == ["backend", "qa"]
    assert [item.persona_id for item in report.warnings] == ["backend"]
    assert report.total == 85_010


def test_the_common_budget_is_the_reference_s_and_single_ones_differ():
    tracker = TokenTracker(budgets={"qa": 500})
    assert tracker.get_usage("anybody").budget == 100_000
    assert tracker.get_usage("qa").budget == 500


def test_what_was_used_is_booked_beyond_the_budget_too():
    used = TokenTracker(10).record("qa", 25)
    assert (used.tokens_used, used.remaining, used.exceeded) == (25, 0, True)


def test_a_call_that_could_pass_the_budget_is_refused_before_it():
    tracker = TokenTracker(1_000)
    tracker.require("qa", 1_000)
    tracker.record("qa", 1)
    with pytest.raises(TokenBudgetExceeded, match="qa has 999 of 1,000 tokens left; a call may take 1,000"):
        tracker.require("qa", 1_000)


def test_a_budget_of_nothing_allows_nothing():
    with pytest.raises(TokenBudgetExceeded):
        TokenTracker(0).require("qa", 1)


def test_negative_tokens_are_no_refund():
    with pytest.raises(ValueError, match="not negative"):
        TokenTracker().record("qa", -1)


def test_the_tracker_of_a_run_says_what_its_ledger_booked(make_plan, make_persona):
    plan = make_plan(
        {"a": [], "b": []},
        personas=(make_persona("p", token_budget=10_000), make_persona("idle")),
        persona_id="p",
        prompt=Prompt(system="", user="x"),
    )
    spent = Step(result=AttemptResult(usage=Usage(input_tokens=400, output_tokens=100)))
    state = run_plan(plan, World(action=ScriptedAction(default=spent)))
    report = TokenTracker.of_run(plan, state).get_report()
    assert [(item.persona_id, item.tokens_used, item.budget) for item in report.personas] == [
        ("idle", 0, 100_000),
        ("p", 1_000, 10_000),
    ]
    assert report.total == state.tokens
