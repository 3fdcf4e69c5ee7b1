"""The coordinator half of a node: every try, and what is decided between them.

`Coordinator.layers` is the one place where the order of the policies stands. Each layer takes what is inside
it and returns something of the same shape, so each can be read alone. All counters live in the fold:
a layer that starts in the middle of a resumed node sees the same numbers as one that never stopped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, cast

from maestro_dsl.engine.booking import Booking
from maestro_dsl.engine.events import ModelResponded, RetryScheduled
from maestro_dsl.engine.failures import failure_of
from maestro_dsl.engine.job import Desk, Job, Outcome, booked_of, less, recorded_outcome, too_late
from maestro_dsl.engine.policy import retry, safety
from maestro_dsl.engine.policy.guardrail import LimitDecision
from maestro_dsl.engine.policy.ledger import NOTHING, Lease
from maestro_dsl.engine.policy.retry import Again, History
from maestro_dsl.engine.ports.attempts import AttemptResult
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.engine.ports.work import AttemptLink
from maestro_dsl.engine.purse import FREE, Purse
from maestro_dsl.errors import DiskFailure
from maestro_dsl.records import maker

if TYPE_CHECKING:
    from maestro_dsl.engine.breakers import Gate
    from maestro_dsl.engine.deadlines import Deadlines
    from maestro_dsl.engine.events import Usage
    from maestro_dsl.engine.finish import Finisher
    from maestro_dsl.engine.pacing import Pacer
    from maestro_dsl.engine.ports.models import ModelKey
    from maestro_dsl.engine.writer import Writer
    from maestro_dsl.lang.model import Json

Layer: TypeAlias = Callable[[Job], Awaitable[Outcome]]
Gated: TypeAlias = Callable[[Job, Callable[[], bool]], Awaitable[Outcome | None]]
"""A layer that asks once more whether the way is open, and gives None where it is not."""
Try: TypeAlias = Callable[[Job, Lease], Awaitable[AttemptResult]]
_link = maker(AttemptLink)


def _open() -> bool:
    """Say that nothing stands in the way of a node that calls no model."""
    return True


class Coordinator:
    """Works nodes of one run; the interpreter says which and when."""

    def __init__(
        self,
        *,
        desk: Desk,
        writer: Writer,
        purse: Purse,
        gate: Gate,
        pacer: Pacer,
        deadlines: Deadlines,
        finisher: Finisher,
        pause: Callable[[str, str], None],
    ) -> None:
        self._desk = desk
        self._writer = writer
        self._purse = purse
        self._gate = gate
        self._pacer = pacer
        self._deadlines = deadlines
        self._finisher = finisher
        self._booking = Booking(
            desk=desk, writer=writer, purse=purse, pacer=pacer, pause=pause, stop=finisher.stop
        )
        self.work = self.layers()

    def layers(self) -> Callable[[Job], Awaitable[None]]:
        """Return a node's whole way, outermost first; nothing else decides this order."""
        return self._give_up(
            self._safety(
                self._retry(
                    self._breaker(
                        self._ledger(
                            self._attempt_timeout(
                                self._attempt,
                            )
                        )
                    )
                )
            )
        )

    def _give_up(self, inner: Layer) -> Callable[[Job], Awaitable[None]]:
        limit = self._deadlines.limit

        async def work(job: Job) -> None:
            outcome = None
            left_s = self._desk.time_left_s(job)
            # A try that begins when the time is up would be charged for a call that nobody makes.
            if left_s or job.record.undecided is not None:
                try:
                    with limit(left_s):
                        outcome = await inner(job)
                except TimeoutError:
                    pass
            outcome = outcome or too_late(job)
            if outcome.ok:
                await self._finisher.succeed(job, outcome)
            else:
                await self._finisher.give_up(job, outcome)

        return work

    def _safety(self, inner: Layer) -> Layer:
        async def rounds(job: Job) -> Outcome:
            while True:
                outcome = await inner(job)
                if outcome.ok or self._stands(job, outcome):
                    return outcome
                done = job.record.round - job.record.round_offset
                decision = safety.decide(job.node.safety, done, outcome.failure)
                job.reasons.append(decision.reason)
                if not isinstance(decision, Again):
                    return outcome
                await self._schedule(job, outcome, decision, level=2)

        return rounds

    def _retry(self, inner: Layer) -> Layer:
        async def tries(job: Job) -> Outcome:
            while True:
                record = job.record
                was_tried = record.undecided is not None or record.retry_at is not None
                outcome = (was_tried and await self._decided_before(job)) or await inner(job)
                if outcome.ok or self._stands(job, outcome):
                    return outcome
                decision = self._retry_decision(job, outcome)
                job.reasons.append(decision.reason)
                if not isinstance(decision, Again):
                    return outcome
                if outcome.failure in retry.WAITING and job.model is not None:
                    self._gate.hold(job.model[0], decision.delay_s, decision.reason)
                await self._schedule(job, outcome, decision, level=1)

        return tries

    def _breaker(self, inner: Gated) -> Layer:
        always = cast("Callable[[Job, Callable[[], bool]], Awaitable[Outcome]]", inner)

        def admitted(job: Job) -> Awaitable[Outcome]:
            return always(job, _open) if job.model is None else asked(job, job.model)

        async def asked(job: Job, model: ModelKey) -> Outcome:
            outcome = None
            while outcome is None:
                outcome = await once(job, model)
            return outcome

        async def once(job: Job, model: ModelKey) -> Outcome | None:
            policy = job.node.safety.breaker
            longest_s = job.node.retry.max_throttle_wait_s
            if not await self._gate.patience(model, longest_s - job.record.waited_s):
                message = f"{model[0]} asks for more patience than {longest_s:g} s"
                return Outcome(result=AttemptResult(failure=Failure.THROTTLE, message=message), final=True)
            probe = await self._gate.admitted(model, policy)
            if probe is None:
                message = f"{'/'.join(model)} is cut off after failures in a row; no probe succeeded"
                return Outcome(result=AttemptResult(failure=Failure.OVERLOAD, message=message), final=True)
            try:
                outcome = await inner(job, lambda: self._gate.still_open(model, probe=probe))
            except BaseException:
                self._gate.release(model, probe=probe)
                raise
            if outcome is None:
                self._gate.release(model, probe=probe)
            else:
                self._gate.record(model, policy, outcome.result.failure, probe=probe)
            return outcome

        return admitted

    def _ledger(self, inner: Try) -> Gated:
        monotonic = self._desk.runtime.clock.monotonic

        async def paid(job: Job, still_open: Callable[[], bool]) -> Outcome | None:
            job.settings = self._desk.settings(job)
            bound, free, priced = self._desk.bound(job)
            refused = None if priced else self._booking.unpriced(job)
            # Answers that a dead process paid for are booked already; this try only adds to them.
            booked = booked_of(job.record)
            nothing = bound is NOTHING
            granted = refused or (FREE if nothing else await self._purse.reserve(job, less(bound, booked)))
            if isinstance(granted, LimitDecision):
                return self._booking.refused(granted)
            if not still_open():  # it closed while others held what this call may cost
                self._purse.settle(job, granted, NOTHING)
                return None
            began = monotonic()
            try:
                self._pacer.check()
                await self._writer.commit(self._booking.start_of(job, bound, free=free))
                result = await inner(job, granted)
            except BaseException as error:
                self._booking.cut_off(job, granted, booked, error, monotonic() - began)
                raise
            return self._booking.settled(job, granted, booked, result, monotonic() - began)

        return paid

    def _attempt_timeout(self, inner: Try) -> Try:
        limit = self._deadlines.limit

        async def in_time(job: Job, lease: Lease) -> AttemptResult:
            try:
                with limit(job.node.attempt_timeout_s):
                    return await inner(job, lease)
            except TimeoutError:
                message = f"no answer within {job.node.attempt_timeout_s:g} s"
                return AttemptResult(failure=Failure.TIMEOUT, message=message, usage_known=False)

        return in_time

    async def _attempt(self, job: Job, lease: Lease) -> AttemptResult:
        link = _link(answered=partial(self._answered, job), stored=job.record.responses)
        try:
            return await self._desk.dispatcher(job).submit(self._desk.spec(job, lease.amount), link)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return failure_of(error)  # nobody cancelled us: a task inside the action was, by the action
        except Exception as error:  # noqa: BLE001 - an action's bug is the failure of its node alone
            if isinstance(error, DiskFailure) or self._writer.broken is not None:
                raise (self._writer.broken or error) from None  # a disk is no node's fault: the run stops
            return failure_of(error)

    # ---- parts of the layers -----------------------------------------------------------------------------

    async def _answered(
        self, job: Job, request: str, response: str, usage: Usage, nano_usd: int | None
    ) -> None:
        await self._writer.commit(
            ModelResponded(
                node=job.node.address,
                attempt=job.record.attempt,
                request_digest=request,
                response_digest=response,
                usage=usage,
                nano_usd=nano_usd,
            )
        )

    def _stands(self, job: Job, outcome: Outcome) -> bool:
        """Return whether another try would change nothing about a failure."""
        return not outcome.repeatable or self._desk.repeats_itself(job, outcome)

    async def _decided_before(self, job: Job) -> Outcome | None:
        """Return the outcome of a try that ended before a restart, or wait for the next try's time."""
        if job.record.undecided is not None:
            return recorded_outcome(self._desk.runtime.artifacts, job.record.undecided)
        if job.record.retry_at is not None:
            await self._pacer.sleep(job.record.retry_at - self._desk.runtime.clock.now())
        return None

    def _retry_decision(self, job: Job, outcome: Outcome) -> Again | retry.Exhausted:
        counts = dict(job.record.failures)
        kind = outcome.failure.value
        if outcome.unwritten:  # this failure is not in the fold yet
            counts[kind] = counts.get(kind, 0) + 1
        return retry.decide(
            job.node.retry,
            History(failures=counts, waited_s=job.record.waited_s),
            outcome.failure,
            self._desk.runtime.rand,
            retry_after_s=outcome.result.retry_after_s,
            wanted=self._retry_wanted(job, kind),
        )

    def _retry_wanted(self, job: Job, kind: str) -> bool:
        condition = self._desk.runtime.condition
        if job.node.retry.when is None or condition is None:
            return True
        context: dict[str, Json] = {"failure": kind, "attempt": job.record.attempt, "round": job.record.round}
        return condition(job.node.retry.when, context)

    async def _schedule(self, job: Job, outcome: Outcome, decision: Again, *, level: int) -> None:
        await self._writer.commit(
            *outcome.unwritten,
            RetryScheduled(
                node=job.node.address,
                failure=outcome.failure.value,
                delay_s=decision.delay_s,
                level=level,
                reason=decision.reason,
            ),
        )
