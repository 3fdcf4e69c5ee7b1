"""Level 2: whole rounds around level 1, with a fresh transcript and longer waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.engine.policy.retry import Again, Exhausted
from maestro_dsl.engine.ports.failures import REPEATABLE_IN_SAFETY, Failure

if TYPE_CHECKING:
    from maestro_dsl.compiler.plan import SafetyPolicy


def decide(policy: SafetyPolicy, rounds: int, failure: Failure) -> Again | Exhausted:
    """Return what follows a round that level 1 gave up; `rounds` counts the rounds done, this one too."""
    if failure not in REPEATABLE_IN_SAFETY:
        return Exhausted(reason=f"no further round helps against {failure}")
    if rounds >= policy.max_attempts:
        return Exhausted(reason=f"{rounds} of {policy.max_attempts} rounds failed")
    return Again(
        delay_s=delay_s(policy, rounds), reason=f"round {rounds} of {policy.max_attempts} failed: {failure}"
    )


def delay_s(policy: SafetyPolicy, rounds: int) -> float:
    """Return the wait before round `rounds` + 1; past the end of the list its last value holds."""
    if not policy.delays_s:
        return 0.0
    return policy.delays_s[min(rounds, len(policy.delays_s)) - 1]
