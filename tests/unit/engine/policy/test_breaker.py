from __future__ import annotations

import pytest

from maestro_dsl.compiler.plan import BreakerPolicy
from maestro_dsl.engine.policy import breaker
from maestro_dsl.engine.policy.breaker import PROBE, Admission, Breaker, BreakerMode
from maestro_dsl.engine.ports.failures import Failure

POLICY = BreakerPolicy()


def after(*failures, start=None, at=0.0):
    state = start or Breaker()
    for failure in failures:
        state = breaker.record(POLICY, state, failure, at)
    return state


def test_five_failures_in_a_row_open_it():
    assert after(*[Failure.TRANSPORT] * 4).mode is BreakerMode.CLOSED
    assert after(*[Failure.TRANSPORT] * 5).mode is BreakerMode.OPEN


@pytest.mark.parametrize("good", [None, Failure.INVALID, Failure.UNPARSABLE, Failure.LOW_QUALITY])
def test_an_answer_starts_the_count_again(good):
    state = after(*[Failure.TIMEOUT] * 4, good, *[Failure.OVERLOAD] * 4)
    assert state.mode is BreakerMode.CLOSED


@pytest.mark.parametrize("neutral", [Failure.THROTTLE, Failure.BUDGET, Failure.FATAL, Failure.CANNOT])
def test_what_says_nothing_about_the_provider_counts_neither_way(neutral):
    state = after(*[Failure.TRANSPORT] * 4, neutral)
    assert state.failures == 4


def test_open_waits_then_lets_one_probe_through():
    opened = after(*[Failure.TRANSPORT] * 5, at=100.0)
    assert breaker.admit(POLICY, opened, 130.0) == (Admission(wait_s=30.0), opened)
    admission, probing = breaker.admit(POLICY, opened, 160.0)
    assert (admission, probing.mode) == (PROBE, BreakerMode.HALF_OPEN)
    assert breaker.admit(POLICY, probing, 170.0) == (Admission(wait_s=50.0), probing)


def test_a_good_probe_closes_and_any_bad_one_opens_again():
    probing = breaker.admit(POLICY, after(*[Failure.TRANSPORT] * 5), 60.0)[1]
    assert breaker.record(POLICY, probing, None, 61.0, probe=True).mode is BreakerMode.CLOSED
    for bad in (Failure.TIMEOUT, Failure.THROTTLE, Failure.FATAL):
        reopened = breaker.record(POLICY, probing, bad, 61.0, probe=True)
        assert (reopened.mode, reopened.opened_at) == (BreakerMode.OPEN, 61.0)


def test_only_the_probe_decides_while_it_is_out_but_any_answer_closes():
    probing = breaker.admit(POLICY, after(*[Failure.TRANSPORT] * 5), 60.0)[1]
    older = breaker.record(POLICY, probing, Failure.TIMEOUT, 61.0)
    assert (older.mode, older.probe_at, older.failures) == (BreakerMode.HALF_OPEN, 60.0, 6)
    assert breaker.record(POLICY, probing, None, 61.0).mode is BreakerMode.CLOSED


def test_a_probe_that_never_asked_gives_the_turn_to_the_next():
    probing = breaker.admit(POLICY, after(*[Failure.TRANSPORT] * 5), 60.0)[1]
    back = breaker.record(POLICY, probing, Failure.BUDGET, 61.0, probe=True)
    assert breaker.admit(POLICY, back, 62.0)[0] == PROBE


def test_a_clock_that_was_put_back_keeps_nobody_waiting():
    opened = after(*[Failure.TRANSPORT] * 5, at=10_000.0)
    assert breaker.admit(POLICY, opened, 5_000.0)[0] == PROBE


def test_a_probe_that_never_answers_is_taken_for_lost():
    probing = breaker.admit(POLICY, after(*[Failure.TRANSPORT] * 5), 60.0)[1]
    admission, second = breaker.admit(POLICY, probing, 120.0)
    assert (admission, second.probe_at) == (PROBE, 120.0)


def test_a_probe_that_is_cut_off_lets_the_next_one_probe():
    probing = breaker.admit(POLICY, after(*[Failure.TRANSPORT] * 5), 60.0)[1]
    assert breaker.admit(POLICY, breaker.release(probing), 61.0)[0] == PROBE
