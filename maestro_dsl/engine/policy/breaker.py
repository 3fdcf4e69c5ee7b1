"""The breaker of one model: closed, open after failures in a row, half-open for a single probe.

Counts failures of the way there only (transport, timeout, overload). A value and three functions; who waits,
for how long, and where the value is kept is the caller's affair.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from maestro_dsl.engine.ports.failures import CONTENT_FAILURES, Failure

if TYPE_CHECKING:
    from maestro_dsl.compiler.plan import BreakerPolicy

COUNTED: Final = frozenset({Failure.TRANSPORT, Failure.TIMEOUT, Failure.OVERLOAD})
ANSWERED: Final = CONTENT_FAILURES | {Failure.JUDGE_ERROR}
"""Failures that prove that the provider answered."""
NEVER_ASKED: Final = frozenset({Failure.BUDGET, Failure.CANNOT})
"""Failures that came before any call."""


class BreakerMode(StrEnum):
    """What the breaker lets through: everything, nothing, one probe."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """Failures in a row, when it opened, and when the probe in flight began. Wall times in seconds.

    What is kept of a provider as a whole is only `held_until`: before that nobody calls any of its models.
    """

    failures: int = 0
    opened_at: float | None = None
    probe_at: float | None = None
    held_until: float = 0.0

    @property
    def mode(self) -> BreakerMode:
        """Return where the breaker stands."""
        if self.opened_at is None:
            return BreakerMode.CLOSED
        return BreakerMode.OPEN if self.probe_at is None else BreakerMode.HALF_OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Go now (`wait_s` is None), perhaps as the probe, or ask again after so many seconds."""

    wait_s: float | None = None
    probe: bool = False


GO: Final = Admission()
PROBE: Final = Admission(probe=True)


def admit(policy: BreakerPolicy, breaker: Breaker, now: float) -> tuple[Admission, Breaker]:
    """Return whether a call may start at `now`, and the breaker after that.

    A probe that has not answered after `reset_after_s` is taken for lost, and the next caller probes. A time
    in the future is that of a clock that was put back; nobody waits longer than `reset_after_s` for it.
    """
    if breaker.opened_at is None:
        return GO, breaker
    since = breaker.opened_at if breaker.probe_at is None else breaker.probe_at
    if since <= now < since + policy.reset_after_s:
        return Admission(wait_s=since + policy.reset_after_s - now), breaker
    return PROBE, replace(breaker, probe_at=now)


def record(
    policy: BreakerPolicy, breaker: Breaker, failure: Failure | None, now: float, *, probe: bool = False
) -> Breaker:
    """Return the breaker after a call ended; `failure` is None where it succeeded.

    Throttle and fatal say nothing about a provider that is in use, but a probe has to succeed: whatever else
    comes back from it opens the breaker again. An answer closes it, whoever asked.
    """
    if failure is None or failure in ANSWERED:
        return Breaker()
    if failure in NEVER_ASKED:
        return release(breaker) if probe else breaker
    if probe:
        return Breaker(failures=breaker.failures + (failure in COUNTED), opened_at=now)
    if failure not in COUNTED:
        return breaker
    failures = breaker.failures + 1
    if breaker.opened_at is None and failures >= policy.failures:
        return Breaker(failures=failures, opened_at=now)
    return replace(breaker, failures=failures)


def release(breaker: Breaker) -> Breaker:
    """Return the breaker after a probe that gave no answer to learn from: the next caller probes."""
    return replace(breaker, probe_at=None)
