"""How a node ends: reuse of a stored result, publishing, the final event, or a question to a person.

Publishing is intent, renames, receipt: a process that dies in between does it again, and nothing is generated
for that. Nobody waits for the disk when a node ends: whatever starts because of it is written behind it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from maestro_dsl.engine.answers import answer_to
from maestro_dsl.engine.events import (
    AttemptFinished,
    Body,
    FileRef,
    NodeDecided,
    NodeFinished,
    NodeWaiting,
    Published,
    PublishStarted,
)
from maestro_dsl.engine.helpneeded import open_ticket
from maestro_dsl.engine.job import Outcome
from maestro_dsl.engine.keys import cached_verdict, reusable, too_large
from maestro_dsl.engine.policy import give_up
from maestro_dsl.engine.ports.attempts import AttemptResult
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.engine.ports.storage import CachedResult
from maestro_dsl.engine.state import NodeState
from maestro_dsl.errors import DiskFailure, IntegrityError, MaestroError
from maestro_dsl.lang.model import GiveUp
from maestro_dsl.records import maker

if TYPE_CHECKING:
    from collections.abc import Callable

    from maestro_dsl.engine.job import Desk, Job
    from maestro_dsl.engine.policy.give_up import Ending
    from maestro_dsl.engine.writer import Writer


_ended, _cached = maker(NodeFinished), maker(CachedResult)
# Looking a member up in its enum, or its word, takes ten times as long as a name of this module.
_SUCCEEDED: Final = NodeState.SUCCEEDED
_ON_MOCK: Final = NodeState.SUCCEEDED_ON_MOCK
_WORDS: Final = {state: state.value for state in NodeState}
_HELPLESS: Final = frozenset({NodeState.FAILED, NodeState.GAVE_UP})
"""Final states in which a person has to look; a spent budget is a person's own limit."""


class Finisher:
    """Ends nodes of one run."""

    def __init__(self, *, desk: Desk, writer: Writer, stop: Callable[[str], None]) -> None:
        self._desk = desk
        self._writer = writer
        self.stop = stop
        self.damaged: set[str] = set()
        """Nodes whose stored result has to be made anew: its contents are not what they were."""
        self.refused: dict[str, str] = {}
        """Nodes whose stored results are whole and not allowed any more, with the reasons."""

    async def reuse(self, job: Job) -> bool:
        """End the node with the stored result of its key; False where there is none that is whole."""
        node, runtime = job.node, self._desk.runtime
        if self._writer.is_on_its_way(job.key):
            await self._writer.commit()
        stored = runtime.store.result(job.key) if reusable(node) else None
        if stored is None or not self._whole(stored):
            return False
        if refused := too_large(stored, self._desk.index.plan.sizes):
            self.refused[node.address] = refused
            return False
        final = NodeFinished(
            node=node.address,
            state=NodeState.CACHED.value,
            key=job.key,
            reason="unchanged",
            result_digest=stored.result_digest,
            score=stored.score,
            verdict=cached_verdict(node, stored),
            files=stored.files,
            outputs=stored.outputs,
            saved_tokens=stored.tokens,
            saved_nano_usd=stored.nano_usd,
            saved_s=stored.duration_s,
            recorded_calls=stored.recorded_calls,
        )
        last = runtime.store.last_result(self._desk.index.plan.id, node.address)
        is_newest = last is not None and last.key == job.key
        # Reuse makes it the newest result of its node again: the next change is told against this one.
        again = None if is_newest else replace(stored, node=node.address)
        if not stored.files and not node.writes:
            self._writer.post(final, result=again)
        else:
            await self._publish_and_end(job, (), stored.files, stored.result_digest, final, again)
            if node.address in self.damaged:
                return False
        await self._writer.commit()  # nothing else makes it wait: thousands of them would keep the loop
        return True

    def _whole(self, stored: CachedResult) -> bool:
        has = self._desk.runtime.artifacts.has
        wanted = [stored.result_digest, *(item.digest for item in stored.files)]
        if stored.recorded_calls is not None:
            wanted.append(stored.recorded_calls)
        return all(has(item) for item in wanted)

    async def succeed(self, job: Job, outcome: Outcome) -> None:
        """End the node well, or ask what its result asks."""
        question = outcome.result.question
        if question is not None and job.record.decision is None:
            given = answer_to(self._desk.state, job.node.address, job.key)
            if given is not None:
                await self.answered(job, outcome, given)
                return
            self._writer.post(*outcome.unwritten, NodeWaiting(node=job.node.address, question=question))
            return
        await self._end_with_files(job, outcome, self._success(job), "")

    async def give_up(self, job: Job, outcome: Outcome) -> None:
        """End the node after its last failure, as its policy says."""
        if outcome.result.verdict is not None:
            self._judged(job, outcome)
            return
        report = _report(job, outcome)
        if outcome.result.usable and job.node.give_up is not GiveUp.ACCEPT_DEGRADED:
            report += " To publish the files all the same, state give_up: accept_degraded in the contract."
        if self._desk.repeats_itself(job, outcome) and job.model is not None:
            report += f" The provider {job.model[0]} is a program and would answer the same again."
        ending = give_up.decide(
            job.node.give_up,
            outcome.failure,
            report,
            give_up_on_failure=job.persona is None or job.persona.give_up_on_failure,
            usable=outcome.result.usable,
        )
        await self.end(job, outcome, ending)

    async def end(self, job: Job, outcome: Outcome, ending: Ending) -> None:
        """Write a decided ending."""
        if ending.ask:
            question = f"{ending.reason} What now: retry, approve (take what there is), skip or reject?"
            self._writer.post(*outcome.unwritten, NodeWaiting(node=job.node.address, question=question))
            return
        if ending.state is NodeState.DEGRADED:
            await self._end_with_files(job, outcome, ending.state, ending.reason)
            return
        self._writer.post(
            *outcome.unwritten,
            *self._ticket(job, outcome, ending.state, ending.reason),
            self._final(job, outcome, ending.state, ending.reason, ()),
        )
        if ending.stop_run:
            self.stop(f"{job.node.address} {ending.state}: {outcome.result.message}")

    def _judged(self, job: Job, outcome: Outcome) -> None:
        reason = outcome.result.message or f"the verdict is {(outcome.verdict or '').replace('_', ' ')}"
        ending = give_up.decide(job.node.give_up, Failure.FATAL, reason)
        self._writer.post(
            *outcome.unwritten,
            *self._ticket(job, outcome, ending.state, reason),
            self._final(job, outcome, ending.state, reason, ()),
        )
        if ending.stop_run:
            self.stop(f"{job.node.address}: {reason}")

    def _ticket(self, job: Job, outcome: Outcome, state: NodeState, reason: str) -> tuple[Body, ...]:
        """Return the event of the node's one ticket, where tickets go anywhere."""
        target = self._desk.runtime.ticket_target
        if target is None or state not in _HELPLESS or job.node.address in self._desk.state.tickets:
            return ()
        return (open_ticket(self._desk, job, outcome, state=state, reason=reason, target=target),)

    async def answered(self, job: Job, outcome: Outcome, decision: NodeDecided) -> None:
        """End a node as a person decided: approve, skip or reject."""
        who = f"by {decision.by}" if decision.by else "by a person"
        note = f": {decision.note}" if decision.note else ""
        if decision.decision == "approve":
            asked = outcome.result.failure is None
            if asked or outcome.result.usable:
                state = self._success(job) if asked else NodeState.DEGRADED
                await self._end_with_files(job, outcome, state, f"approved {who}{note}")
                return
        skipped = decision.decision == "skip"
        state = NodeState.SKIPPED if skipped else NodeState.FAILED
        word = "skipped" if skipped else "rejected"
        reason = f"{word} {who}{note}"
        self._writer.post(*outcome.unwritten, self._final(job, outcome, state, reason, ()))

    def _success(self, job: Job) -> NodeState:
        return _ON_MOCK if job.node.consumes_mock and self._desk.index.uses_mock(job.node) else _SUCCEEDED

    async def _end_with_files(self, job: Job, outcome: Outcome, state: NodeState, reason: str) -> None:
        result = outcome.result
        digest = outcome.result_digest or ""
        final = self._final(job, outcome, state, reason, result.files)
        stored = None
        runtime, good = self._desk.runtime, state is _SUCCEEDED or state is _ON_MOCK
        unchanged = runtime.unchanged
        if good and digest and reusable(job.node) and (unchanged is None or unchanged(job.node)):
            stored = _stored(job, outcome, final, runtime.clock.now())
        if not result.files and not job.node.writes:
            self._writer.post(*outcome.unwritten, final, result=stored)
        else:
            await self._publish_and_end(job, outcome.unwritten, result.files, digest, final, stored)

    async def _publish_and_end(
        self,
        job: Job,
        unwritten: tuple[Body, ...],
        files: tuple[FileRef, ...],
        digest: str,
        final: NodeFinished,
        stored: CachedResult | None,
    ) -> None:
        intent = PublishStarted(node=job.node.address, key=job.key, files=files, result_digest=digest)
        if unwritten or job.record.publishing != intent:
            await self._writer.commit(*unwritten, intent)
        try:
            self._desk.runtime.publisher.publish(job.node.address, job.key, files)
        except DiskFailure:
            raise  # no node's fault: the run stops, and the intent is carried out when there is room
        except (MaestroError, OSError) as error:
            if isinstance(error, IntegrityError) and final.state == NodeState.CACHED.value:
                self.damaged.add(job.node.address)  # nothing is in place; what is made again mends the store
                return
            reason = f"its files could not be put in place: {error}"
            failed = NodeFinished(
                node=job.node.address, state=NodeState.FAILED.value, reason=reason, result_digest=digest
            )
            ended = Outcome(result=AttemptResult(failure=Failure.FATAL, message=reason))
            self._writer.post(*self._ticket(job, ended, NodeState.FAILED, reason), failed)
            if job.node.give_up is GiveUp.FAIL_PLAN:
                self.stop(f"{job.node.address}: {reason}")
            return
        self._writer.post(Published(node=job.node.address), final, result=stored)

    def _final(
        self, job: Job, outcome: Outcome, state: NodeState, reason: str, files: tuple[FileRef, ...]
    ) -> NodeFinished:
        result = outcome.result
        return _ended(
            node=job.node.address,
            state=_WORDS[state],
            key=job.key,
            reason=reason,
            result_digest=outcome.result_digest,
            score=result.score,
            verdict=outcome.verdict,
            files=files,
            outputs=result.outputs,
            recorded_calls=result.recorded_calls,
        )


def _stored(job: Job, outcome: Outcome, final: NodeFinished, now: float) -> CachedResult:
    record, result = job.record, outcome.result
    busy_s = 0.0
    for body in outcome.unwritten:
        if type(body) is AttemptFinished:
            busy_s += body.duration_s
    return _cached(
        key=job.key,
        node=final.node,
        parts=job.parts,
        result_digest=final.result_digest or "",
        files=final.files,
        state=final.state,
        score=final.score,
        outputs=final.outputs,
        tokens=max(record.tokens_spent, result.usage.total),
        nano_usd=max(record.nano_usd_spent, result.nano_usd),
        recorded_calls=final.recorded_calls,
        made_at=now,
        duration_s=round(record.busy_s + busy_s, 3),
    )


def _report(job: Job, outcome: Outcome) -> str:
    """Return why the node ended, in one paragraph: the last error first, then what was tried."""
    tries = len(job.record.tries) + sum(1 for body in outcome.unwritten if type(body).__name__ == _TRY)
    said = outcome.result.message or outcome.failure.value
    text = said if said.endswith((".", "!", "?")) else f"{said}."
    worst = next((item for item in outcome.result.issues if item.severity in {"critical", "error"}), None)
    if worst is not None and worst.message not in text:
        first_line = worst.message.partition("\n")[0].rstrip(".:")
        text += f" First issue: {first_line}."
    if tries > 1 or job.record.round > 1:
        text += f" Tried {tries} times in {job.record.round - job.record.round_offset} round(s)."
    return text


_TRY = "AttemptFinished"
