"""The ways in which an attempt can fail, and which of them a new try may mend; how often, policies say."""

from __future__ import annotations

from enum import StrEnum


class Failure(StrEnum):
    """The retry taxonomy; each has its own counter."""

    TRANSPORT = "transport"
    THROTTLE = "throttle"
    OVERLOAD = "overload"
    TIMEOUT = "timeout"
    UNPARSABLE = "unparsable"
    INVALID = "invalid"
    LOW_QUALITY = "low_quality"
    JUDGE_ERROR = "judge_error"
    BUDGET = "budget"
    CANNOT = "cannot"
    """The provider cannot do this kind of task at all."""
    FATAL = "fatal"


CONTENT_FAILURES = frozenset({Failure.UNPARSABLE, Failure.INVALID, Failure.LOW_QUALITY})
"""Failures of what was written: they spend `max_attempts` and send the errors back."""


REPEATABLE_IN_SAFETY = CONTENT_FAILURES | {Failure.TRANSPORT, Failure.TIMEOUT, Failure.OVERLOAD}
"""Exhausted failures after which level 2 starts another round."""
