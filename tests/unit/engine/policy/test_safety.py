from __future__ import annotations

import pytest

from maestro_dsl.compiler.plan import SafetyPolicy
from maestro_dsl.engine.policy import safety
from maestro_dsl.engine.policy.retry import Again, Exhausted
from maestro_dsl.engine.ports.failures import Failure


@pytest.mark.parametrize(
    "failure", ["transport", "timeout", "overload", "unparsable", "invalid", "low_quality"]
)
def test_what_another_round_may_mend(failure):
    first = safety.decide(SafetyPolicy(), 1, Failure(failure))
    assert first == Again(delay_s=5.0, reason=f"round 1 of 2 failed: {failure}")
    assert safety.decide(SafetyPolicy(), 2, Failure(failure)) == Exhausted(reason="2 of 2 rounds failed")


@pytest.mark.parametrize("failure", ["fatal", "budget", "cannot", "throttle", "judge_error"])
def test_what_no_round_mends(failure):
    decision = safety.decide(SafetyPolicy(max_attempts=9), 1, Failure(failure))
    assert decision == Exhausted(reason=f"no further round helps against {failure}")


@pytest.mark.parametrize(("rounds", "delay_s"), [(1, 5.0), (2, 10.0), (3, 20.0), (4, 20.0)])
def test_waits_between_rounds(rounds, delay_s):
    assert safety.delay_s(SafetyPolicy(max_attempts=9), rounds) == delay_s


def test_no_delays_is_no_wait():
    assert safety.delay_s(SafetyPolicy(delays_s=()), 1) == 0.0
