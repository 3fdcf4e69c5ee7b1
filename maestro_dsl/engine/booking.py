"""What a try reserves, costs and leaves behind: the events that say so, and the limits that it meets.

Decides nothing about other tries; the order of the policies stands in `attempt`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from maestro_dsl.engine.events import NO_USAGE, AlertRaised, AttemptFinished, AttemptStarted
from maestro_dsl.engine.job import Outcome, amount_of, encoded_result, less, spent_by
from maestro_dsl.engine.policy import retry
from maestro_dsl.engine.policy.guardrail import LimitDecision, OnLimit
from maestro_dsl.engine.policy.ledger import NOTHING, Amount, Lease
from maestro_dsl.engine.ports.attempts import AttemptResult
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.engine.purse import FREE, OVERRUN, Purse
from maestro_dsl.engine.state import CANCELLED_TRY
from maestro_dsl.errors import DiskFailure
from maestro_dsl.records import maker

if TYPE_CHECKING:
    from collections.abc import Callable

    from maestro_dsl.engine.job import Desk, Job
    from maestro_dsl.engine.pacing import Pacer
    from maestro_dsl.engine.writer import Writer

_started, _finished, _outcome = maker(AttemptStarted), maker(AttemptFinished), maker(Outcome)


class Booking:
    """Books the tries of one run."""

    def __init__(
        self,
        *,
        desk: Desk,
        writer: Writer,
        purse: Purse,
        pacer: Pacer,
        pause: Callable[[str, str], None],
        stop: Callable[[str], None],
    ) -> None:
        self._desk = desk
        self._writer = writer
        self._purse = purse
        self._pacer = pacer
        self._pause = pause
        self._stop = stop

    def unpriced(self, job: Job) -> LimitDecision | None:
        """Return why a model without a known price is not called; where it is, tell once."""
        name = "/".join(job.model or ())
        if self._desk.index.plan.guardrails.on_unknown_price == "refuse":
            return LimitDecision(action=OnLimit.STOP_NODE, reason=f"{name} has no known price")
        if ("unknown_price", name) not in self._desk.state.alerts:
            message = f"{name} has no known price; its cost is unknown, not zero"
            self._writer.post(AlertRaised(kind="unknown_price", subject=name, message=message))
        return None

    def refused(self, decision: LimitDecision) -> Outcome:
        """Return the outcome of a try that a limit forbids.

        Raises:
            Halted: the limit pauses the run.
        """
        if decision.action is OnLimit.PAUSE:
            self._pause(decision.reason, decision.limit)
            self._pacer.check()
        return Outcome(result=AttemptResult(failure=Failure.BUDGET, message=decision.reason), final=True)

    def _limit_passed(self, reason: str) -> None:
        """Start nothing new: what was reserved did not bound the cost, so nothing does."""
        if self._desk.index.plan.guardrails.on_exceeded == "pause":
            self._pause(reason, "guardrail")
        else:
            self._stop(reason)

    def start_of(self, job: Job, bound: Amount, *, free: bool) -> AttemptStarted:
        """Return the event by which the node's next try begins."""
        record, settings = job.record, job.settings
        return _started(
            node=job.node.address,
            attempt=record.content_failures + 1,
            round=record.round,
            fence=record.fence + 1,
            key=job.key,
            reserved_tokens=bound.tokens,
            reserved_nano_usd=bound.nano_usd,
            reason=job.why,
            temperature=settings.temperature,
            effort=settings.effort,
            free=free,
        )

    def settled(
        self,
        job: Job,
        lease: Lease,
        booked: Amount,
        result: AttemptResult,
        duration_s: float,
        *,
        cancelled: bool = False,
    ) -> Outcome:
        """Book what a try cost that ended, and return its outcome; of a `cancelled` one no result is kept."""
        record = job.record
        usage, nano_usd = spent_by(record, lease.amount, result)
        alerts: tuple[AlertRaised, ...] = ()
        if lease is not FREE or usage is not NO_USAGE or nano_usd:
            alerts = self._purse.settle(job, lease, less(amount_of(usage, nano_usd), booked))
            for alert in alerts:
                if alert.kind == OVERRUN:
                    self._limit_passed(alert.message)
        failure: str | None = CANCELLED_TRY
        digest: str | None = None
        if not cancelled:
            failure = None if result.failure is None else result.failure.value
            digest = self._writer.hold(*encoded_result(result))
        finished = _finished(
            node=job.node.address,
            attempt=record.attempt,
            round=record.round,
            fence=record.fence,
            failure=failure,
            message=result.message,
            issues=result.issues,
            healed=result.healed,
            score=result.score,
            usage=usage,
            nano_usd=nano_usd,
            duration_s=duration_s,
            result_digest=digest,
        )
        return _outcome(
            result=result,
            result_digest=digest,
            unwritten=(finished, *alerts),
            final=result.failure is not None and result.failure in retry.NEVER,
        )

    def cut_off(
        self, job: Job, lease: Lease, booked: Amount, error: BaseException, duration_s: float
    ) -> None:
        """Settle a try that was cancelled, and leave its last event to whoever catches the cancellation."""
        stopped = isinstance(error, (asyncio.CancelledError, DiskFailure))
        if stopped and self._writer.broken is None:
            self._writer.flush()  # the start of this try may still be on its way
        if job.record.in_flight is None or not stopped:
            self._purse.settle(job, lease, NOTHING)
            return
        asked_nobody = isinstance(error, DiskFailure) and error.before_work
        nothing = AttemptResult(message="stopped before it ended", usage_known=asked_nobody)
        job.unwritten = self.settled(job, lease, booked, nothing, duration_s, cancelled=True).unwritten
