"""The breaker of one model: closed, open after failures in a row, half-open for a single probe.

Counts failures of the way there only (transport, timeout, overload). A value and two functions; who waits,
and for how long, is the caller's affair.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from maestro_dsl.engine.ports import CONTENT_FAILURES, Failure

if TYPE_CHECKING:
    from maestro_dsl.compiler.plan import BreakerPolicy

COUNTED: Final = frozenset({Failure.TRANSPORT, Failure.TIMEOUT, Failure.OVERLOAD})
ANSWERED: Final = CONTENT_FAILURES | {Failure.JUDGE_ERROR}
"""Failures that prove that the provider answered."""


class BreakerMode(StrEnum):
    """What the breaker lets through: everything, nothing, one probe."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """Failures in a row, when it opened, and when the probe in flight began. Times in seconds."""

    failures: int = 0
    opened_at: float | None = None
    probe_at: float | None = None

    @property
    def mode(self) -> BreakerMode:
        """Return where the breaker stands."""
        if self.opened_at is None:
            return BreakerMode.CLOSED
        return BreakerMode.OPEN if self.probe_at is None else BreakerMode.HALF_OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Go now (`wait_s` is None), or ask again after so many seconds."""

    wait_s: float | None = None


GO: Final = Admission()


def admit(policy: BreakerPolicy, breaker: Breaker, now: float) -> tuple[Admission, Breaker]:
    """Return whether a call may start at `now`, and the breaker after that.

    A probe that has not answered after `reset_after_s` is taken for lost, and the next caller probes.
    """
    if breaker.opened_at is None:
        return GO, breaker
    due = (breaker.opened_at if breaker.probe_at is None else breaker.probe_at) + policy.reset_after_s
    if now < due:
        return Admission(wait_s=due - now), breaker
    return GO, replace(breaker, probe_at=now)


def record(policy: BreakerPolicy, breaker: Breaker, failure: Failure | None, now: float) -> Breaker:
    """Return the breaker after a call ended; `failure` is None where it succeeded.

    Throttle, budget, fatal and our own cancelling say nothing about the provider and count neither way.
    """
    if failure is None or failure in ANSWERED:
        return Breaker()
    if failure not in COUNTED:
        return release(breaker)
    failures = breaker.failures + 1
    if breaker.probe_at is not None or (breaker.opened_at is None and failures >= policy.failures):
        return Breaker(failures=failures, opened_at=now)
    return replace(breaker, failures=failures)


def release(breaker: Breaker) -> Breaker:
    """Return the breaker after a probe that gave no answer to learn from: the next caller probes."""
    return replace(breaker, probe_at=None)
