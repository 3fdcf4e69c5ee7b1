"""What happens to a node from the moment it may start: condition, key, reuse, or work.

Everything here looks at the fold first, so that a node that an earlier process began is taken up where that
one stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.engine.answers import answer_to
from maestro_dsl.engine.commands import effect_question
from maestro_dsl.engine.events import NodeFinished, NodeWaiting
from maestro_dsl.engine.job import Desk, Job, Outcome, recorded_outcome
from maestro_dsl.engine.keys import NEVER_RUN, InterfaceHistory, Keys, explain
from maestro_dsl.engine.policy import give_up
from maestro_dsl.engine.policy.give_up import Ending
from maestro_dsl.engine.ports.attempts import AttemptResult
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.engine.state import CANCELLED_TRY, NodeRecord, NodeState
from maestro_dsl.errors import DiskFailure, MaestroError
from maestro_dsl.lang.model import GiveUp
from maestro_dsl.records import maker

if TYPE_CHECKING:
    from maestro_dsl.engine.attempt import Coordinator
    from maestro_dsl.engine.finish import Finisher
    from maestro_dsl.engine.writer import Writer


REPLACED: Final = "replaced on request"
_new_job = maker(Job)


class NodeWorker:
    """Takes nodes of one run from ready to final, or to a question."""

    def __init__(
        self,
        *,
        desk: Desk,
        writer: Writer,
        finisher: Finisher,
        coordinator: Coordinator,
        history: InterfaceHistory,
        replace: frozenset[str],
    ) -> None:
        self._desk = desk
        self._writer = writer
        self._finisher = finisher
        self._coordinator = coordinator
        self._history = history
        self._keys = Keys(desk.index, desk.state)
        self._replace = replace
        self._last_result = desk.runtime.store.last_result
        self._plan_id = desk.index.plan.id
        self._apart = desk.runtime.apart is not None

    async def work(self, address: str) -> None:
        """Do the node.

        Raises:
            Halted: the run stops; the node stays as it is.
        """
        job = self._job(address)
        try:
            await self._work(job)
        except MaestroError as error:
            if isinstance(error, DiskFailure):
                self._leave(job)
                raise
            if self._writer.broken is not None or job.record.in_flight is not None or job.record.is_final:
                raise
            await self._fail(job, error)
        except BaseException:
            self._leave(job)  # cancelled, or halted between two tries
            raise

    def _leave(self, job: Job) -> None:
        """Write what a cut-off try left, so that nobody takes it for a death."""
        if self._writer.broken is None and job.unwritten and job.record.in_flight is not None:
            self._writer.post(*job.unwritten)

    async def _fail(self, job: Job, error: MaestroError) -> None:
        """End a node that could not even be tried: its condition, its inputs or a stored result is bad."""
        reason = f"{error.message} ({error.hint})" if error.hint else error.message
        failed = Outcome(result=AttemptResult(failure=Failure.FATAL, message=reason), final=True)
        await self._finisher.give_up(job, failed)

    async def _work(self, job: Job) -> None:
        record = job.record
        if job.node.when is not None and not record.tries and not await self._wanted(job):
            return
        if record.crashes and give_up.crashed_too_often(record.crashes, apart=self._apart):
            await self._give_up_crashing(job)
        elif record.decision is not None and record.decision.decision not in {"retry", "rerun"}:
            await self._finisher.answered(job, self._last(record), record.decision)
        elif job.node.effect and (given := answer_to(self._desk.state, job.node.address, job.key)):
            await self._finisher.answered(job, self._last(record), given)  # it had happened before
        elif record.interrupted and job.node.effect:
            question = effect_question(job.node.address)
            await self._writer.commit(NodeWaiting(node=job.node.address, question=question))
        elif (
            record.undecided is None
            and job.node.address not in self._replace
            and record.why != REPLACED  # by a start that was interrupted since
            and await self._finisher.reuse(job)
        ):
            return
        else:
            job.why = self._why(job)
            await self._coordinator.work(job)

    def _job(self, address: str) -> Job:
        index = self._desk.index
        node = index.nodes[address]
        persona = None if node.persona_id is None else index.persona(node)
        inputs = index.inputs(node)
        key, parts = self._keys.of(node, inputs)
        return _new_job(
            node=node,
            record=self._desk.state.record(address),
            inputs=inputs,
            key=key,
            parts=parts,
            why="",
            persona=persona,
            model=None if persona is None else index.model(node),
        )

    def _why(self, job: Job) -> str:
        address, why = job.node.address, job.record.why
        if why:
            return why
        if address in self._replace:
            return REPLACED
        if address in self._finisher.damaged:
            return "its stored result is damaged"
        if address in self._finisher.refused:
            return self._finisher.refused[address]
        last = self._last_result(self._plan_id, address)
        return NEVER_RUN if last is None else explain(job.parts, last, self._history.detail)

    def _last(self, record: NodeRecord) -> Outcome:
        """Return how the last try went that was not cut off; a time limit may have cut off the very last."""
        tried = next((item for item in reversed(record.tries) if item.failure != CANCELLED_TRY), None)
        if tried is None:
            message = "no try of it came to an end" if record.tries else "it never ran"
            return Outcome(result=AttemptResult(failure=Failure.CANNOT, message=message))
        return recorded_outcome(self._desk.runtime.artifacts, tried)

    async def _wanted(self, job: Job) -> bool:
        """Return whether the node's own condition holds; where not, end it as skipped."""
        from maestro_dsl.compiler.late import condition_holds  # loads the expression engine

        if condition_holds(job.node, self._desk.outputs()):
            return True
        await self._writer.commit(
            NodeFinished(
                node=job.node.address,
                state=NodeState.SKIPPED.value,
                key=job.key,
                reason=f"its condition is false: {job.node.when}",
            )
        )
        return False

    async def _give_up_crashing(self, job: Job) -> None:
        reason = (
            f"help needed: the process ended {job.record.crashes} times while {job.node.address} was at work"
        )
        ending = Ending(state=NodeState.GAVE_UP, reason=reason, stop_run=job.node.give_up is GiveUp.FAIL_PLAN)
        failed = Outcome(result=AttemptResult(failure=Failure.CANNOT, message=reason), final=True)
        await self._finisher.end(job, failed, ending)
