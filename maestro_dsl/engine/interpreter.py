"""The loop around the state machine: starts what is ready, ends what stops, and closes the run.

It decides nothing that `readiness`, the policies or `verdict` decide, and it keeps no result of its own: what
it returns is the fold of what is stored.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from maestro_dsl.collector import collector_seldom
from maestro_dsl.engine.attempt import Coordinator
from maestro_dsl.engine.breakers import Gate, MemoryBreakers
from maestro_dsl.engine.closing import REPORT, cancelled, close, open_nodes
from maestro_dsl.engine.commands import BY_PERSON
from maestro_dsl.engine.crew import Crew
from maestro_dsl.engine.deadlines import Deadlines
from maestro_dsl.engine.events import (
    AlertRaised,
    Body,
    NodeDecided,
    RunPaused,
    ServiceReady,
    ServiceStopped,
)
from maestro_dsl.engine.finish import Finisher
from maestro_dsl.engine.graph import PlanIndex
from maestro_dsl.engine.job import Desk
from maestro_dsl.engine.keys import InterfaceHistory
from maestro_dsl.engine.listener import Listener
from maestro_dsl.engine.opening import (
    GOES_ON,
    asked_again,
    asked_for,
    begin,
    refuse_another_plan,
    replay,
    stated,
    stopped_before,
    taken_up,
)
from maestro_dsl.engine.pacing import Pacer
from maestro_dsl.engine.policy import guardrail
from maestro_dsl.engine.purse import Purse
from maestro_dsl.engine.readiness import ReadyQueue
from maestro_dsl.engine.runtime import RunControl, RunOptions, Runtime
from maestro_dsl.engine.skips import Skips
from maestro_dsl.engine.state import NodeState, RunState
from maestro_dsl.engine.worker import NodeWorker
from maestro_dsl.engine.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maestro_dsl.compiler.plan import CompiledPlan

SIGNAL = "signal"
"""`RunPaused.by` of a run that was interrupted and may be continued without asking."""
AT_ONCE: Final = 8
"""How many tasks start before others have their turn: the first of many are at work, and the ends of nodes
that last alike do not all come at once, while the last are still being started."""


async def run(
    plan: CompiledPlan,
    *,
    run_id: str,
    runtime: Runtime,
    resume: bool = False,
    options: RunOptions | None = None,
    control: RunControl | None = None,
    plan_digest: str | None = None,
) -> RunState:
    """Run a plan to its end, to a pause or to a stop, and return the fold of its events.

    `plan_digest` spares a caller who knows it the second digest of a large plan. The run must be registered
    in the store (`create_run`). Cancelling the task stops hard, writes what is known and raises; everything
    else returns.

    Raises:
        StateError: another process took the run over.
        IntegrityError: the journal is damaged, or belongs to another plan.
    """
    interpreter = Interpreter(
        plan, run_id=run_id, runtime=runtime, options=options or RunOptions(), plan_digest=plan_digest
    )
    with collector_seldom():  # nearly all that a run makes is kept in its fold
        try:
            return await interpreter.run(resume=resume, control=control)
        finally:
            if control is not None:
                control.bind(None)


class Interpreter:
    """One run in this process; implements `Steering`."""

    def __init__(
        self,
        plan: CompiledPlan,
        *,
        run_id: str,
        runtime: Runtime,
        options: RunOptions,
        plan_digest: str | None = None,
    ) -> None:
        self._plan = plan
        self._plan_digest = plan_digest or plan.digest
        self._run_id = run_id
        self._runtime = runtime
        self._options = options
        self._index = PlanIndex(plan)
        self._state = RunState()
        self._pacer = Pacer()
        self._deadlines = Deadlines()
        self._writer = Writer(
            store=runtime.store,
            artifacts=runtime.artifacts,
            clock=runtime.clock,
            state=self._state,
            run_id=run_id,
            plan_id=plan.id,
            epoch=runtime.epoch,
            appender=runtime.appender,
            inline_bytes=runtime.inline_bytes,
        )
        self._writer.on_break(self._fail)
        self._gate = Gate(
            clock=runtime.clock,
            pacer=self._pacer,
            store=runtime.breakers or MemoryBreakers(),
            state=self._state,
            rand=runtime.rand,
            tell=self._writer.post,
        )
        execution = plan.execution
        if options.max_concurrency is not None:
            execution = replace(execution, max_concurrency=options.max_concurrency)
        self._execution = execution
        self._crew = Crew(failed=self._fail, ended=self._pump)
        self._idle: asyncio.Event = asyncio.Event()
        self._failure: BaseException | None = None
        self._stopped: str | None = None
        self._cancelled: str | None = None
        self._stops = 0
        self._fail_fast = options.fail_fast
        self._paused: str | None = None
        self._closing = False
        self._deciding: set[str] = set()
        self._desk = Desk(run_id=self._run_id, index=self._index, state=self._state, runtime=self._runtime)

    async def run(self, *, resume: bool, control: RunControl | None = None) -> RunState:
        """Run to the end; see `run`."""
        if resume:
            replay(self._runtime.store, self._run_id, self._state)
            refuse_another_plan(self._state, self._run_id, self._plan_digest)
            if self._state.is_final:
                return self._state
        self._writer.subscribe(self._runtime.sinks)
        await self._open(resume=resume)
        history = InterfaceHistory(self._runtime.artifacts, self._runtime.interfaces)
        history.remember()
        self._queue = ReadyQueue(self._index, self._state, self._execution)
        self._skips = Skips(
            index=self._index, state=self._state, writer=self._writer, finished=self._queue.finished
        )
        self._worker = self._build_worker(history)
        deadline = self._arm_deadline()
        if control is not None:
            control.bind(self)
        listener = self._listener()
        ear = None if listener is None else asyncio.get_running_loop().create_task(listener.listen())
        try:
            self._skip(self._queue.take_doomed())
            self._pump()
            await self._idle.wait()
            await self._report_what_stopped()
        except asyncio.CancelledError:
            self._pacer.halt()
            await self._crew.dismiss()
            self._post_pause("interrupted", SIGNAL)
            self._writer.flush()
            raise
        finally:
            if deadline is not None:
                deadline.cancel()
            if ear is not None:
                ear.cancel()
            self._deadlines.close()
        if self._failure is not None:
            await self._crew.dismiss()
            if self._writer.broken is None:
                self._writer.flush()  # what cut-off attempts left behind, so that they are no crashes
            raise self._failure
        await self._close()
        if listener is not None:
            listener.ended()
        return self._state

    def _listener(self) -> Listener | None:
        queue = self._runtime.commands
        return None if queue is None else Listener(queue, self._state, self._writer, self)

    # ---- begin and end -----------------------------------------------------------------------------------

    async def _open(self, *, resume: bool) -> None:
        begun = resume and self._state.seq > 0
        first: Body = (
            taken_up(self._state, self._runtime.epoch)
            if begun
            else begin(
                self._plan,
                self._plan_digest,
                self._runtime.tool_version,
                stated(self._options, self._execution),
            )
        )
        await self._writer.commit(first, *asked_for(self._index, self._state, self._options, self._run_id))
        started = self._state.started  # a run keeps what it was begun with
        self._fail_fast |= started is not None and bool(started.options.get("fail_fast"))
        if begun:
            self._stopped = stopped_before(self._index, self._state, fail_fast=self._fail_fast)
        if self._stopped is not None:
            self._pacer.halt()

    def _build_worker(self, history: InterfaceHistory) -> NodeWorker:
        desk = self._desk
        finisher = Finisher(desk=desk, writer=self._writer, stop=self._stop_for)
        coordinator = Coordinator(
            desk=desk,
            writer=self._writer,
            purse=Purse(self._index, self._state, self._pacer),
            gate=self._gate,
            pacer=self._pacer,
            deadlines=self._deadlines,
            finisher=finisher,
            pause=self.pause,
        )
        return NodeWorker(
            desk=desk,
            writer=self._writer,
            finisher=finisher,
            coordinator=coordinator,
            history=history,
            replace=asked_again(self._state, self._options),
        )

    def _arm_deadline(self) -> asyncio.TimerHandle | None:
        limit = guardrail.in_force(self._plan.guardrails, self._state.limits).max_duration_s
        left = guardrail.time_left_s(limit, self._state.active_s)
        if left is None:
            return None
        reason = f"the run has been at work for its limit of {limit:g} s"
        if not left:
            self.pause(reason, "max_duration")  # at once: a timer would let the next node begin
            return None
        return asyncio.get_running_loop().call_later(left, self.pause, reason, "max_duration")

    async def _close(self) -> None:
        self._closing = True
        self._writer.flush()  # what a cut-off attempt left behind
        await close(self._writer, self._desk, cancelled_because=self._cancelled, stopped=self._stopped)

    async def _report_what_stopped(self) -> None:
        """Let the reports of a run that was stopped run over what there is; nothing else starts any more."""
        if self._stopped is None or self._cancelled is not None or self._failure is not None or self._paused:
            return
        others = [
            item for item in open_nodes(self._index, self._state) if self._index.nodes[item].action != REPORT
        ]
        await self._writer.commit(*cancelled(others, f"stopped: {self._stopped}"))
        for address in others:
            self._queue.finished(address)
        self._pacer.release()
        self._idle.clear()
        self._pump()
        await self._idle.wait()

    # ---- tasks -------------------------------------------------------------------------------------------

    def _pump(self) -> None:
        for _ in range(AT_ONCE):
            address = self._take()
            if address is None:
                break
            self._crew.start(self._work(address))
        else:
            asyncio.get_running_loop().call_soon(self._pump)
        if self._crew.is_idle:
            self._idle.set()

    def _take(self) -> str | None:
        """Return the next node to start, or None."""
        return None if self._pacer.halted or self._failure is not None else self._queue.take()

    async def _work(self, first: str) -> None:
        """Work a node, then one that may start now that it has ended; a task for each costs twice as much."""
        address: str | None = first
        while address is not None:
            try:
                await self._worker.work(address)
            finally:
                self._left(address)
            address = self._take()
            if address is not None:  # else nothing may start, or the end of this task pumps
                self._pump()

    def _left(self, address: str) -> None:
        """Take note that nobody works on a node any more."""
        record = self._state.nodes.get(address)
        if record is None or record.final is None:
            self._queue.release(address)
            return
        if self._fail_fast and record.state not in GOES_ON:
            self._stop_for(f"{address} {record.state} (--fail-fast)")
        doomed = self._queue.finished(address)
        if doomed:
            self._skip(doomed)

    def _fail(self, error: BaseException) -> None:
        """Stop everything: the run cannot go on."""
        if self._failure is None:
            self._failure = error
            self._pacer.halt()
            self._crew.cancel()

    def _skip(self, addresses: Sequence[str]) -> None:
        work = self._skips.writing(addresses)
        if work is not None:
            self._crew.start(work)

    # ---- steering ----------------------------------------------------------------------------------------

    def _stop_for(self, reason: str) -> None:
        """Let running attempts end and start nothing new; the run has failed."""
        if self._stopped is None:
            self._stopped = reason
        self._pacer.halt()

    def stop(self) -> None:
        """Start nothing new; called again: cancel what runs."""
        self._stops += 1
        if self._stops == 1:
            self._pacer.halt()
            self._post_pause("interrupted", SIGNAL)
        else:
            self._crew.cancel()

    @property
    def closing(self) -> bool:
        """Whether the last events of the run are on their way."""
        return self._closing

    def pause(self, reason: str, by: str, *, now: bool = False) -> None:
        """Start nothing new and leave the run to be continued; `now` = end what runs, to be run again."""
        self._pacer.halt()
        self._post_pause(reason, by)
        if now:
            self._crew.cancel()

    def cancel(self, reason: str) -> None:
        """End the run for good."""
        self._cancelled = reason
        self._pacer.halt()
        self._crew.cancel()

    def decide(self, decision: NodeDecided) -> asyncio.Task[None] | None:
        """Answer a node that waits; an answer nobody waits for is dropped (None)."""
        record = self._state.nodes.get(decision.node)
        asked = record is not None and record.state is NodeState.WAITING and record.decision is None
        if not asked or self._closing or decision.node in self._deciding:
            return None
        self._deciding.add(decision.node)
        return self._crew.start(self._decided(decision))

    async def _decided(self, decision: NodeDecided) -> None:
        try:
            await self._writer.commit(decision)
        finally:
            self._deciding.discard(decision.node)
        self._queue.offer(decision.node)

    def post(self, body: ServiceReady | ServiceStopped | AlertRaised) -> None:
        """Add an event that an adapter saw."""
        too_late = self._state.is_final or (self._closing and isinstance(body, ServiceReady))
        if self._writer.broken is None and not too_late:
            self._writer.post(body)

    def _post_pause(self, reason: str, by: str) -> None:
        if self._closing or self._writer.broken is not None or self._state.is_final:
            return  # its last events may be on their way already
        # A person's word stands above a signal or a limit: such a run waits until that person resumes it.
        if self._paused is None or by == BY_PERSON != self._paused:
            self._paused = by
            self._writer.post(RunPaused(reason=reason, by=by))
