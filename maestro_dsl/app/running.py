"""`apply` and `resume`: one way to run a plan, and one to go on with a run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from maestro_dsl import __version__
from maestro_dsl.actions import ACTIONS
from maestro_dsl.app import apart
from maestro_dsl.app.begun import base_of, stored_plan, tickets_of
from maestro_dsl.app.conflicts import settle_conflicts
from maestro_dsl.app.history import result_of
from maestro_dsl.app.planning import interfaces_of
from maestro_dsl.app.retention import SpaceGuard, after_run, settings_of
from maestro_dsl.app.state import LAST, State, find_run, holder, open_state
from maestro_dsl.app.system import SystemClock, SystemIds, SystemRand, user
from maestro_dsl.app.taking_over import take_over
from maestro_dsl.app.tickets import courier_of, delivering, target_of
from maestro_dsl.app.wiring import condition_holds, make_provider, script_unchanged
from maestro_dsl.codec import canonical
from maestro_dsl.compiler.plan import CompiledPlan
from maestro_dsl.dispatch.apart import ApartDispatcher
from maestro_dsl.engine.events import LimitRaised, NodeDecided, ServiceReady, ServiceStopped
from maestro_dsl.engine.interpreter import run as run_plan
from maestro_dsl.engine.local import LocalDispatcher
from maestro_dsl.engine.ports.storage import RunRecord
from maestro_dsl.engine.runtime import RunControl, RunOptions, Runtime
from maestro_dsl.engine.state import RUN_FINAL
from maestro_dsl.errors import StateError
from maestro_dsl.lang.model import Json
from maestro_dsl.providers.prices import prices_of
from maestro_dsl.sandbox import choose
from maestro_dsl.sandbox.processes import end_orphans
from maestro_dsl.sandbox.services import LocalServices
from maestro_dsl.scratch import ScratchFolder, sweep
from maestro_dsl.storage.appender import DiskAppender
from maestro_dsl.storage.breakers import Breakers
from maestro_dsl.storage.commands import Commands
from maestro_dsl.storage.contents import MAX_BYTES
from maestro_dsl.storage.lease import RunLease
from maestro_dsl.storage.output import OutputFolder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maestro_dsl.app.values import ApplyOptions, PlanReport, RunResult
    from maestro_dsl.engine.ports.sinks import EventSink
    from maestro_dsl.lang.settings import Overrides


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run to be worked on by this process."""

    run_id: str
    plan: CompiledPlan
    base: Path
    """The folder of the plan; scripts and other files of providers are relative to it."""
    output: Path
    resume: bool
    options: RunOptions
    interfaces: Mapping[str, Json]
    tickets: Mapping[str, Json] | None = None
    """Where tickets go, as the project states it; None = no tickets."""
    prices: str | None = None
    """The project's own price file as it was when the run began; None = the packaged prices alone."""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Holds the secrets that tickets need."""


async def apply(
    report: PlanReport,
    *,
    options: ApplyOptions,
    environ: Mapping[str, str],
    sinks: Sequence[EventSink] = (),
    stop: asyncio.Event | None = None,
) -> RunResult:
    """Run exactly what was reported; goes on with an unfinished run of the same plan and output.

    Raises:
        OutputConflict: a person's files stand where the plan writes; nothing was run.
        StateError: the run or the output is in use by another process.
    """
    plan = replace(report.plan, output=str(report.output))
    clock = SystemClock()
    with open_state(report.state_dir, environ, origin=report.state_origin) as state, ExitStack() as held:
        folder = OutputFolder(report.output, state.artifacts, plan.id)
        held.enter_context(folder.lock().acquire(holder(clock)))
        settle_conflicts(folder, plan, options)
        listed = folder.files()
        # What retention has removed from the store is made anew by its node.
        folder.restore([path for path in folder.missing() if state.artifacts.has(listed[path].sha256)])
        unfinished = state.journal.unfinished(report.plan.digest, str(report.output))
        continued = unfinished[0].run_id if options.resume and unfinished else None
        run_id = continued or _create(state, plan, report, clock.now(), environ)
        left = take_over(state, run_id, report.plan.digest, report.output, at=clock.now())
        job = Job(
            run_id=run_id,
            plan=plan,
            base=(report.plan_file or Path()).resolve().parent,
            output=report.output,
            resume=continued is not None,
            options=RunOptions(
                fail_fast=options.fail_fast,
                replace=frozenset(name for name in options.replace if name in _addresses(plan)),
            ),
            interfaces=interfaces_of(report.compiled),
            tickets=target_of(report.compiled, environ),
            prices=report.prices if continued is None else prices_text_of(state, continued),
            environ=environ,
        )
        await work_on(job, state, folder, sinks, stop)
        result = result_of(
            state,
            run_id,
            estimate=report.estimate,
            continued=continued is not None,
            interrupted=stop is not None and stop.is_set(),
        )
        after_run(state, clock)
        return replace(result, left_behind=left)


async def resume(
    run_id: str | None,
    *,
    overrides: Overrides,
    environ: Mapping[str, str],
    state_dir: Path | None = None,
    sinks: Sequence[EventSink] = (),
    stop: asyncio.Event | None = None,
    decisions: Mapping[str, str] = MappingProxyType({}),
) -> RunResult:
    """Go on with a run: the one named by the beginning of its id, or the newest that has not ended.

    `decisions` answers nodes that wait, or effects that may have happened: address → rerun or skip.

    Raises:
        StateError: no such run, it has ended, or a process is at work on it.
        UsageError: a node that is answered waits for nothing.
    """
    clock = SystemClock()
    with open_state(state_dir, environ) as state, ExitStack() as held:
        record = _unfinished(state, run_id)
        plan = stored_plan(state, record.run_id)
        output = Path(record.output)
        folder = OutputFolder(output, state.artifacts, plan.id)
        held.enter_context(folder.lock().acquire(holder(clock)))
        settle_conflicts(folder, plan, None)
        limits = LimitRaised(
            max_cost_nano_usd=overrides.max_cost_nano_usd,
            max_tokens=overrides.max_tokens,
            max_duration_s=overrides.max_duration_s,
        )
        job = Job(
            run_id=record.run_id,
            plan=plan,
            base=base_of(state, record.run_id),
            output=output,
            resume=True,
            options=RunOptions(
                max_concurrency=overrides.max_concurrency,
                limits=None if limits == LimitRaised() else limits,
                decisions=tuple(
                    NodeDecided(node=node, decision=decision, by=user())
                    for node, decision in decisions.items()
                ),
            ),
            interfaces={},
            tickets=tickets_of(state, record.run_id),
            prices=prices_text_of(state, record.run_id),
            environ=environ,
        )
        await work_on(job, state, folder, sinks, stop)
        interrupted = stop is not None and stop.is_set()
        result = result_of(state, record.run_id, continued=True, interrupted=interrupted)
        after_run(state, clock)
        return result


def _addresses(plan: CompiledPlan) -> frozenset[str]:
    return frozenset(node.address for node in plan.nodes)


def _create(
    state: State, plan: CompiledPlan, report: PlanReport, now: float, environ: Mapping[str, str]
) -> str:
    run_id = SystemIds().new()
    for content in plan.blobs.values():
        state.artifacts.put(content)
    record = RunRecord(
        run_id=run_id,
        plan_id=plan.id,
        plan_digest=plan.digest,
        output=str(report.output),
        status="pending",
        verdict="",
        created_at=now,
        updated_at=now,
    )
    base = (report.plan_file or Path()).resolve().parent
    workspace = report.compiled.workspace
    stored = {
        "plan": json.loads(canonical(replace(plan, blobs={}))),
        "base": str(base),
        "tickets": target_of(report.compiled, environ),
        "prices": report.prices,
        "retention": settings_of(None if workspace is None else workspace.settings.state),
    }
    state.journal.create_run(record, canonical(stored))
    return run_id


def prices_text_of(state: State, run_id: str) -> str | None:
    """Return the price file of a run's project as it was when the run began."""
    found: str | None = json.loads(state.journal.plan(run_id)).get("prices")
    return found


def _unfinished(state: State, wanted: str | None) -> RunRecord:
    if wanted is not None:
        record = find_run(state, wanted)
        if record.status in {status.value for status in RUN_FINAL}:
            raise StateError(
                f"run {record.run_id} has ended: {record.status}",
                hint="apply the plan again to start a new run",
            )
        return record
    for record in state.journal.runs():
        if record.status not in {status.value for status in RUN_FINAL}:
            return record
    raise StateError("no run waits to be continued", hint=f"maestro runs lists all; maestro show {LAST}")


async def work_on(
    job: Job,
    state: State,
    folder: OutputFolder,
    sinks: Sequence[EventSink],
    stop: asyncio.Event | None,
) -> None:
    """Work on one run in this process until it ends, pauses or is stopped."""
    clock, control = SystemClock(), RunControl()
    guard = SpaceGuard((state.place.path, folder.root), control, clock)
    guard.require()
    provider = make_provider(job.plan.provider, job.base)
    sandbox = choose(job.plan.sandbox)
    prices = prices_of(job.prices)
    state.artifacts.sweep(clock.now())
    sweep()
    with (
        RunLease.acquire(state.place.path, job.run_id, holder(clock), state.journal.next_epoch) as lease,
        ScratchFolder() as scratch,
        ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal") as thread,
    ):
        commands = Commands(state.journal.database)
        commands.expire(job.run_id)  # asked of a process that is gone
        if job.resume:
            end_leftovers(state, job.run_id)
        courier = courier_of(state, job.environ)
        services = LocalServices(
            sandbox=sandbox,
            artifacts=state.artifacts,
            scratch=scratch.path,
            ids=SystemIds(),
            on_event=control.post,
        )
        runtime = Runtime(
            clock=clock,
            rand=SystemRand(),
            store=state.journal,
            artifacts=state.artifacts,
            publisher=folder,
            dispatcher=LocalDispatcher(
                actions=ACTIONS,
                artifacts=state.artifacts,
                prices=prices,
                sandbox=sandbox,
                services=services,
                provider=provider,
                work_dir=scratch.path / "work",
            ),
            prices=prices,
            sinks=(*sinks, courier, guard),
            tool_version=__version__,
            epoch=lease.epoch,
            condition=condition_holds,
            capability=lambda model: provider.capability(model[1]),
            interfaces=job.interfaces,
            breakers=Breakers(state.journal.database),
            commands=commands,
            ticket_target=job.tickets,
            unchanged=lambda node: script_unchanged(node, job.plan.provider, job.base),
            appender=DiskAppender(thread),
            inline_bytes=MAX_BYTES,
            apart=ApartDispatcher(
                command=apart.command(), setup=_setup(job, state, scratch.path), on_event=control.post
            ),
        )
        watcher = asyncio.create_task(_watch(stop, control)) if stop is not None else None
        try:
            async with delivering(courier):
                await run_plan(
                    job.plan,
                    run_id=job.run_id,
                    runtime=runtime,
                    resume=job.resume,
                    options=job.options,
                    control=control,
                    plan_digest=job.plan.digest,
                )
        finally:
            await services.close()
            if watcher is not None:
                watcher.cancel()
                with suppress(asyncio.CancelledError):
                    await watcher


def _setup(job: Job, state: State, scratch: Path) -> Mapping[str, Json]:
    """Return what an attempt's own process is told beside the attempt."""
    return {
        "state": str(state.place.path),
        "journal_mode": state.place.journal_mode,
        "scratch": str(scratch / "apart"),
        "provider": job.plan.provider,
        "base": str(job.base),
        "sandbox": job.plan.sandbox,
        "prices": job.prices,
    }


def end_leftovers(state: State, run_id: str) -> None:
    """End the services that a killed process of this run left: those with a start and no stop."""
    left: dict[str, int] = {}
    for event in state.journal.events(run_id):
        if isinstance(event.body, ServiceReady) and event.body.pgid is not None:
            left[event.body.lease] = event.body.pgid
        elif isinstance(event.body, ServiceStopped):
            left.pop(event.body.lease, None)
    for lease, pgid in left.items():
        end_orphans(lease, pgid)


async def _watch(stop: asyncio.Event, control: RunControl) -> None:
    await stop.wait()
    control.stop()
