"""Runs that were: lists, one run as it stands, its events. Changes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from maestro_dsl.actions.report import Finding, about, final_quality
from maestro_dsl.app.state import State, find_run, is_live, open_state
from maestro_dsl.app.values import RunList, RunResult
from maestro_dsl.codec import from_json
from maestro_dsl.compiler.plan import CompiledPlan
from maestro_dsl.engine.ports.attempts import AttemptResult, QualityReport
from maestro_dsl.engine.state import NodeState, RunState, RunStatus, fold
from maestro_dsl.storage.outbox import TicketBox
from maestro_dsl.validation.quality import rounded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.compiler.estimate import Estimate
    from maestro_dsl.engine.events import Event

_OK: Final = 0
_NEGATIVE: Final = 1
_STOPPED: Final = 6
_INTERRUPTED: Final = 130


def list_runs(*, environ: Mapping[str, str], state_dir: Path | None = None) -> RunList:
    """Return all runs of the state directory, newest first."""
    with open_state(state_dir, environ, looking=True) as state:
        runs = tuple(state.journal.runs())
        live = frozenset(run.run_id for run in runs if is_live(state, run.run_id))
        return RunList(runs=runs, live=live, state_dir=state.place.path, state_origin=state.place.origin)


def show_run(run_id: str, *, environ: Mapping[str, str], state_dir: Path | None = None) -> RunResult:
    """Return one run as it stands; the beginning of its id is enough, "last" is the newest.

    Raises:
        StateError: none or several match.
        IntegrityError: its journal is damaged.
    """
    with open_state(state_dir, environ, looking=True) as state:
        return result_of(state, find_run(state, run_id).run_id)


def run_events(
    run_id: str, *, after: int = 0, environ: Mapping[str, str], state_dir: Path | None = None
) -> tuple[Event, ...]:
    """Return the events of a run with a number above `after`."""
    with open_state(state_dir, environ, looking=True) as state:
        return tuple(state.journal.events(find_run(state, run_id).run_id, after))


def result_of(
    state: State,
    run_id: str,
    *,
    estimate: Estimate | None = None,
    continued: bool = False,
    interrupted: bool = False,
) -> RunResult:
    """Return everything that follows from the stored plan and events of a run."""
    stored = json.loads(state.journal.plan(run_id))
    plan = from_json(CompiledPlan, stored["plan"])
    events = tuple(state.journal.events(run_id))
    folded = fold(events)
    quality = _quality(state, plan, folded)
    complete = len(quality) == len(plan.contracts) and bool(quality)
    overall = rounded(sum(item.score for item in quality.values()) / len(quality)) if quality else None
    passed = complete and all(item.score >= plan.quality_threshold for item in quality.values())
    unfinished = interrupted and not folded.is_final
    return RunResult(
        run_id=run_id,
        plan=plan,
        events=events,
        output=Path(plan.output),
        state_dir=state.place.path,
        status=folded.status.value,
        verdict=folded.verdict or "",
        quality=quality,
        overall_quality=overall,
        quality_threshold=plan.quality_threshold,
        estimate=estimate,
        exit_code=_exit_code(folded, passed=passed or not plan.contracts, interrupted=unfinished),
        interrupted=unfinished,
        continued=continued,
        live=is_live(state, run_id),
        tickets=tuple(TicketBox(state.journal.database).tickets(run_id)),
    )


def _exit_code(folded: RunState, *, passed: bool, interrupted: bool) -> int:
    if interrupted:
        return _INTERRUPTED
    if folded.status is RunStatus.PAUSED or any(
        item.state is NodeState.BUDGET_STOPPED for item in folded.nodes.values()
    ):
        return _STOPPED
    verified = folded.status is RunStatus.COMPLETED and folded.verdict == "verified"
    return _OK if verified and passed else _NEGATIVE


def _quality(state: State, plan: CompiledPlan, folded: RunState) -> dict[str, QualityReport]:
    """Return the final score of each contract that was fulfilled, its verifications included."""
    findings = []
    for node in plan.nodes:
        record = folded.nodes.get(node.address)
        if record is None or record.final is None or not record.final.result_digest:
            continue
        if node.contract_id is not None and state.artifacts.has(record.final.result_digest):
            data = json.loads(state.artifacts.get(record.final.result_digest))
            result = from_json(AttemptResult, data)
            findings.append(Finding(node=node.address, contract_id=node.contract_id, result=result))
    return {
        built.contract_id: final_quality(built.result, about(built.contract_id, built.node, findings))
        for built in findings
        if built.result.quality is not None
    }
