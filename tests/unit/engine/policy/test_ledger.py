from __future__ import annotations

import pytest

from maestro_dsl.compiler.plan import Guardrails
from maestro_dsl.engine.policy import guardrail
from maestro_dsl.engine.policy.guardrail import LimitDecision, OnLimit
from maestro_dsl.engine.policy.ledger import Amount, Lease, Ledger, Refusal
from maestro_dsl.errors import IntegrityError


@pytest.fixture
def ledger():
    made = Ledger()
    made.account("run", max_tokens=1_000, max_nano_usd=500)
    made.account("persona:qa", max_tokens=300)
    return made


def test_a_lease_counts_against_every_account(ledger):
    lease = ledger.reserve(("run", "persona:qa"), Amount(tokens=200, nano_usd=20))
    assert isinstance(lease, Lease)
    assert ledger.accounts["run"].reserved_tokens == ledger.accounts["persona:qa"].reserved_tokens == 200
    ledger.settle(lease, Amount(tokens=150, nano_usd=10))
    assert (ledger.accounts["run"].spent_tokens, ledger.accounts["run"].reserved_tokens) == (150, 0)
    assert ledger.accounts["persona:qa"].spent_nano_usd == 10


def test_what_cannot_fit_is_refused_and_what_is_only_crowded_waits(ledger):
    assert ledger.reserve(("run", "persona:qa"), Amount(tokens=301)) == Refusal(
        account="persona:qa", kind="tokens", wait=False, amount=Amount(tokens=301)
    )
    ledger.reserve(("run", "persona:qa"), Amount(tokens=200))
    assert ledger.reserve(("run", "persona:qa"), Amount(tokens=200)) == Refusal(
        account="persona:qa", kind="tokens", wait=True, amount=Amount(tokens=200)
    )
    assert ledger.reserve(("run",), Amount(tokens=1, nano_usd=501)) == Refusal(
        account="run", kind="cost", wait=False, amount=Amount(tokens=1, nano_usd=501)
    )


def test_a_refused_reservation_leaves_no_trace(ledger):
    ledger.reserve(("run", "persona:qa"), Amount(tokens=301))
    assert ledger.accounts["run"].reserved_tokens == 0
    assert ledger.open_leases == 0


def test_unknown_usage_is_charged_at_the_reservation(ledger):
    lease = ledger.reserve(("run",), Amount(tokens=100, nano_usd=7))
    assert ledger.settle(lease, None) == Amount(tokens=100, nano_usd=7)
    assert ledger.accounts["run"].spent_tokens == 100


def test_a_lease_is_settled_once(ledger):
    lease = ledger.reserve(("run",), Amount(tokens=100))
    ledger.release(lease)
    assert ledger.accounts["run"].spent_tokens == 0
    with pytest.raises(IntegrityError, match="settled twice"):
        ledger.settle(lease, None)


def test_a_usage_above_its_bound_is_booked_as_it_is_and_stops_what_follows(ledger):
    lease = ledger.reserve(("run",), Amount(tokens=900))
    ledger.settle(lease, Amount(tokens=1_200))
    assert ledger.accounts["run"].spent_tokens == 1_200
    assert ledger.reserve(("run",), Amount(tokens=1)) == Refusal(
        account="run", kind="tokens", wait=False, amount=Amount(tokens=1)
    )


@pytest.mark.parametrize(
    ("account", "wait", "on_exceeded", "action"),
    [
        ("run", True, "pause", OnLimit.WAIT),
        ("run", False, "pause", OnLimit.PAUSE),
        ("run", False, "fail", OnLimit.STOP_NODE),
        ("persona:qa", False, "pause", OnLimit.STOP_NODE),
    ],
)
def test_only_a_limit_of_the_run_pauses_the_run(ledger, account, wait, on_exceeded, action):
    refusal = Refusal(account=account, kind="tokens", wait=wait)
    decision = guardrail.decide(Guardrails(on_exceeded=on_exceeded), refusal, ledger.accounts[account])
    assert decision.action is action


def test_a_refusal_names_the_limit(ledger):
    refusal = Refusal(account="persona:qa", kind="tokens", wait=False, amount=Amount(tokens=400))
    assert guardrail.decide(Guardrails(), refusal, ledger.accounts["persona:qa"]) == LimitDecision(
        action=OnLimit.STOP_NODE,
        reason="the next call could pass the limit of 300 tokens (persona qa):"
        " 0 tokens used, and it may take 400 tokens",
    )


def test_warnings_begin_at_the_threshold(ledger):
    account = ledger.accounts["persona:qa"]
    ledger.charge(("persona:qa",), Amount(tokens=239))
    assert not guardrail.should_warn(account, 0.8)
    ledger.charge(("persona:qa",), Amount(tokens=1))
    assert guardrail.should_warn(account, 0.8)


@pytest.mark.parametrize(
    ("limit", "active_s", "left_s"), [(None, 9.0, None), (10.0, 4.0, 6.0), (10.0, 12.0, 0.0)]
)
def test_time_left(limit, active_s, left_s):
    assert guardrail.time_left_s(limit, active_s) == left_s
