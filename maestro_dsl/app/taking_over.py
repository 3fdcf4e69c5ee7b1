"""What a new run does to unfinished runs into its output folder: all end but those that a person paused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.app.values import LeftBehind
from maestro_dsl.engine.commands import BY_PERSON
from maestro_dsl.engine.events import RunPaused
from maestro_dsl.engine.state import RunStatus, fold

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from maestro_dsl.app.state import State
    from maestro_dsl.engine.ports.storage import RunRecord


def left_behind(state: State, plan_digest: str, output: Path) -> tuple[LeftBehind, ...]:
    """Return the runs of other plans into this folder that a person paused, newest first.

    Such a run of the same plan is not among them: it is continued, or replaced on request.
    """
    return _left_among(state, state.journal.unfinished(None, str(output)), plan_digest)


def take_over(
    state: State, run_id: str, plan_digest: str, output: Path, *, at: float
) -> tuple[LeftBehind, ...]:
    """End all other unfinished runs into this folder, but for those that are left behind; return these."""
    unfinished = state.journal.unfinished(None, str(output))
    left = _left_among(state, unfinished, plan_digest)
    kept = {run_id, *(item.run_id for item in left)}
    for other in unfinished:
        if other.run_id not in kept:
            state.journal.supersede(other.run_id, by=run_id, at=at)
    return left


def _left_among(state: State, unfinished: Sequence[RunRecord], plan_digest: str) -> tuple[LeftBehind, ...]:
    found = (
        _paused(state, record)
        for record in unfinished
        if record.plan_digest != plan_digest and record.status == RunStatus.PAUSED.value
    )
    return tuple(item for item in found if item is not None)


def _paused(state: State, record: RunRecord) -> LeftBehind | None:
    events = tuple(state.journal.events(record.run_id))
    paused = fold(events).paused
    if paused is None or paused.by != BY_PERSON:
        return None
    at = next(event.at for event in reversed(events) if isinstance(event.body, RunPaused))
    return LeftBehind(run_id=record.run_id, paused_at=at, reason=paused.reason)
