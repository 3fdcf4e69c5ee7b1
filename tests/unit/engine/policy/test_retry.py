from __future__ import annotations

import pytest

from maestro_dsl.compiler.plan import RetryPolicy
from maestro_dsl.engine.policy import retry
from maestro_dsl.engine.policy.retry import Again, Exhausted, History
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.testing import SeededRand


class Middle:
    def uniform(self, low, high):
        return (low + high) / 2


def decide(failure, failures, policy=None, *, waited_s=0.0, **more):
    history = History(failures=failures, waited_s=waited_s)
    return retry.decide(policy or RetryPolicy(), history, failure, Middle(), **more)


@pytest.mark.parametrize("failure", ["unparsable", "invalid", "low_quality"])
@pytest.mark.parametrize(("count", "again"), [(1, True), (2, True), (3, False)])
def test_content_failures_spend_max_attempts(failure, count, again):
    assert isinstance(decide(Failure(failure), {failure: count}), Again) is again


def test_content_failures_of_all_kinds_count_together():
    failures = {"unparsable": 1, "invalid": 1, "low_quality": 1}
    assert decide(Failure.INVALID, failures) == Exhausted(reason="3 of 3 attempts failed")


@pytest.mark.parametrize("failure", ["transport", "timeout", "judge_error"])
def test_technical_failures_have_counters_of_their_own(failure):
    others = {"invalid": 2, "throttle": 9, "overload": 9}
    assert isinstance(decide(Failure(failure), {failure: 4, **others}), Again)
    assert decide(Failure(failure), {failure: 5, **others}) == Exhausted(reason="5 of 5 tries failed")


@pytest.mark.parametrize("failure", ["budget", "cannot", "fatal"])
def test_some_failures_are_never_retried(failure):
    assert decide(Failure(failure), {failure: 1}) == Exhausted(reason=f"{failure} is never retried")


@pytest.mark.parametrize(
    ("count", "delay_s"), [(1, 1.0), (2, 2.0), (3, 4.0), (4, 5.0), (5, 5.0), (2000, 5.0)]
)
def test_delays_double_up_to_the_limit(count, delay_s):
    assert retry.backoff_s(RetryPolicy(), count) == delay_s


@pytest.mark.parametrize("seed", range(20))
def test_jitter_stays_between_the_first_and_the_longest_delay(seed):
    policy = RetryPolicy(max_attempts=9, jitter=0.5)
    history = History(failures={"invalid": 1 + seed % 6})
    decision = retry.decide(policy, history, Failure.INVALID, SeededRand(seed))
    assert 1.0 <= decision.delay_s <= 5.0


@pytest.mark.parametrize("failure", [Failure.THROTTLE, Failure.OVERLOAD])
def test_being_told_to_wait_never_waits_less_and_spends_no_attempt(failure):
    decision = decide(failure, {failure.value: 50, "invalid": 2}, retry_after_s=42.0)
    assert decision.delay_s == pytest.approx(42.5)
    assert decision.reason == f"{failure}, spends no attempt"


def test_waiting_ends_at_its_limit():
    assert isinstance(decide(Failure.THROTTLE, {"throttle": 1}, waited_s=599.0), Again)
    assert decide(Failure.THROTTLE, {"throttle": 1}, waited_s=599.5) == Exhausted(
        reason="throttle: waiting would pass 600 s"
    )


def test_a_false_condition_ends_retrying():
    assert decide(Failure.INVALID, {"invalid": 1}, wanted=False) == Exhausted(
        reason="the retry condition is false"
    )


@pytest.mark.parametrize(("place", "temperature"), [(0, 0.7), (1, 0.5), (2, 0.3), (3, 0.3), (9, 0.3)])
def test_the_last_value_of_a_schedule_holds(place, temperature):
    policy = RetryPolicy(temperatures=(0.7, 0.5, 0.3))
    assert retry.setting(policy, place) == retry.Setting(temperature=temperature)


def test_efforts_are_a_schedule_too():
    assert retry.setting(RetryPolicy(efforts=("low", "high")), 1) == retry.Setting(effort="high")
    assert retry.setting(RetryPolicy(), 3) == retry.Setting()
