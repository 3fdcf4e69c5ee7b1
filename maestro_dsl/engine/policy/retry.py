"""Level 1: whether a failed try is followed by another, when, and with which setting.

Each kind of failure has its own counter. Only failures of content spend attempts and move along the schedule;
failures of the way there (transport, timeout, a judge) have a limit of their own, and being told to wait
(throttle, overload) is limited by the time waited.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from maestro_dsl.engine.ports.failures import CONTENT_FAILURES, Failure

if TYPE_CHECKING:
    from maestro_dsl.compiler.plan import RetryPolicy
    from maestro_dsl.ports import Rand

T = TypeVar("T")
WAITING: Final = frozenset({Failure.THROTTLE, Failure.OVERLOAD})
NEVER: Final = frozenset({Failure.BUDGET, Failure.CANNOT, Failure.FATAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The failed tries of this round, the last one included, and the seconds spent waiting on request."""

    failures: Mapping[str, int]
    waited_s: float = 0.0

    def count(self, kinds: frozenset[Failure]) -> int:
        """Return how many failures are of these kinds."""
        return sum(self.failures.get(kind.value, 0) for kind in kinds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Try again after `delay_s` seconds."""

    delay_s: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhausted:
    """This level has done what it can."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What the schedule says for a try; None = the persona's own setting."""

    temperature: float | None = None
    effort: str | None = None


def decide(
    policy: RetryPolicy,
    history: History,
    failure: Failure,
    rand: Rand,
    *,
    retry_after_s: float | None = None,
    wanted: bool = True,
) -> Again | Exhausted:
    """Return what follows a failed try; `wanted` is the outcome of the policy's `when`."""
    if failure in NEVER:
        return Exhausted(reason=f"{failure} is never retried")
    if not wanted:
        return Exhausted(reason="the retry condition is false")
    if failure in WAITING:
        return _wait(policy, history, failure, rand, retry_after_s or 0.0)
    if failure in CONTENT_FAILURES:
        used, limit, what = history.count(CONTENT_FAILURES), policy.max_attempts, "attempts"
    else:
        used, limit, what = history.count(frozenset({failure})), policy.max_transport_attempts, "tries"
    if used >= limit:
        return Exhausted(reason=f"{used} of {limit} {what} failed")
    return Again(delay_s=_jittered(policy, used, rand), reason=f"{failure}, {used} of {limit} {what} used")


def _wait(
    policy: RetryPolicy, history: History, failure: Failure, rand: Rand, retry_after_s: float
) -> Again | Exhausted:
    base = backoff_s(policy, history.count(frozenset({failure})))
    asked = max(base, retry_after_s)
    if history.waited_s + asked > policy.max_throttle_wait_s:
        return Exhausted(reason=f"{failure}: waiting would pass {policy.max_throttle_wait_s:g} s")
    delay_s = asked + rand.uniform(0.0, policy.jitter * base)  # never earlier than asked for
    return Again(delay_s=delay_s, reason=f"{failure}, spends no attempt")


def backoff_s(policy: RetryPolicy, failures: int) -> float:
    """Return the wait after the n-th failure in a row, without jitter: doubling from `delay_s`."""
    doubled: float = policy.delay_s * 2.0 ** min(max(0, failures - 1), 60)
    return min(policy.max_delay_s, doubled)


def _jittered(policy: RetryPolicy, failures: int, rand: Rand) -> float:
    base = backoff_s(policy, failures)
    spread = policy.jitter * base
    return min(policy.max_delay_s, max(policy.delay_s, base + rand.uniform(-spread, spread)))


def setting(policy: RetryPolicy, content_failures: int) -> Setting:
    """Return the scheduled setting after so many failed contents; past its end the last value holds."""
    return Setting(
        temperature=_at(policy.temperatures, content_failures), effort=_at(policy.efforts, content_failures)
    )


def _at(schedule: tuple[T, ...], place: int) -> T | None:
    return schedule[min(place, len(schedule) - 1)] if schedule else None
