"""Keeps the state directory bounded: `state gc`, cleaning after a run, a pause before the disk is full."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from maestro_dsl.app.state import State, holder, open_state
from maestro_dsl.app.system import SystemClock
from maestro_dsl.codec import from_json, to_json
from maestro_dsl.errors import EnvironmentFailure, MaestroError
from maestro_dsl.scratch import sweep
from maestro_dsl.storage.files import FILE_MODE
from maestro_dsl.storage.lease import Lock
from maestro_dsl.storage.retention import Cleaned, Keep, Retention

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from maestro_dsl.engine.events import Event
    from maestro_dsl.engine.runtime import RunControl
    from maestro_dsl.lang.model import Json, StateSettings
    from maestro_dsl.ports import Clock

MIN_FREE_BYTES: Final = 64 * 1024**2
"""With less space than this nothing new starts: what runs must still be able to end well."""
_EVERY_S: Final = 86_400.0
_SHARE: Final = 10
_LOOK_EVERY_S: Final = 1.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class GcResult:
    """What a cleaning did, and where."""

    cleaned: Cleaned
    dry_run: bool
    state_dir: Path
    limit: int


def collect_garbage(
    *,
    environ: Mapping[str, str],
    state_dir: Path | None = None,
    dry_run: bool = False,
    runs: int | None = None,
    age_s: float | None = None,
    size: int | None = None,
) -> GcResult:
    """Remove what need not be kept; the settings of each output's newest run hold where none are given here.

    With `dry_run` it is only looked what that would be.

    Raises:
        StateError: another process is cleaning.
        IntegrityError: the journal is damaged; nothing was removed.
    """
    clock = SystemClock()
    with open_state(state_dir, environ, looking=dry_run) as state:
        rules = _rules(state)

        def keep(output: str) -> Keep:
            rule = rules.get(output, Keep())
            return Keep(
                runs=rule.runs if runs is None else runs,
                age_s=rule.age_s if age_s is None else age_s,
                size=rule.size,
            )

        limit = _limit(rules) if size is None else size
        if dry_run:
            cleaned = _cleaning(state).clean(keep, limit=limit, now=clock.now(), dry_run=True)
        else:
            sweep()
            cleaned = _clean(state, keep, limit, clock)
        return GcResult(cleaned=cleaned, dry_run=dry_run, state_dir=state.place.path, limit=limit)


def settings_of(stated: StateSettings | None) -> Json:
    """Return what a run remembers of its project's retention, for cleanings that know no project."""
    base = Keep()
    if stated is None:
        rule = base
    else:
        rule = Keep(
            runs=base.runs if stated.keep_runs is None else stated.keep_runs,
            age_s=base.age_s if stated.keep_age_s is None else stated.keep_age_s,
            size=base.size if stated.keep_bytes is None else stated.keep_bytes,
        )
    found: Json = to_json(rule)
    return found


def after_run(state: State, clock: Clock) -> Cleaned | None:
    """Clean where it is worth it: enough runs are too many, or a day has passed; never fails a run."""
    try:
        rules = _rules(state)

        def keep(output: str) -> Keep:
            return rules.get(output, Keep())

        count = len(_cleaning(state).too_many(keep, clock.now()))
        worth = max(1, min((rule.runs for rule in rules.values()), default=Keep().runs) // _SHARE)
        if count < worth and clock.now() - _last(state) < _EVERY_S:
            return None
        return _clean(state, keep, _limit(rules), clock)
    except MaestroError as problem:
        _log.info("the state directory was not cleaned: %s", problem.message)
        return None


def _clean(state: State, keep: Callable[[str], Keep], limit: int, clock: Clock) -> Cleaned:
    folder = state.place.path
    with Lock(folder / "locks" / "gc.lock", f"the cleaning of {folder}").acquire(holder(clock)):
        cleaned = _cleaning(state).clean(keep, limit=limit, now=clock.now())
        _mark(state).touch(mode=FILE_MODE)  # its time is when the last cleaning ended
        return cleaned


def _cleaning(state: State) -> Retention:
    return Retention(state.place.path, state.journal, state.artifacts)


def _mark(state: State) -> Path:
    return state.place.path / "cleaned"


def _last(state: State) -> float:
    """Return when the last cleaning ended; where there was none, when the directory was made."""
    for path in (_mark(state), state.place.path / "state.json"):
        try:
            return path.stat().st_mtime
        except OSError:
            continue
    return 0.0


def _rules(state: State) -> dict[str, Keep]:
    """Return output folder → what its newest run says of retention."""
    found: dict[str, Keep] = {}
    for record in state.journal.runs():
        if record.output not in found:
            stated = json.loads(state.journal.plan(record.run_id)).get("retention")
            found[record.output] = Keep() if stated is None else from_json(Keep, stated)
    return found


def _limit(rules: Mapping[str, Keep]) -> int:
    return max((rule.size for rule in rules.values()), default=Keep().size)


# ---- room on the disk --------------------------------------------------------------------------------------


def free_bytes(path: Path) -> int:
    """Return how much this user may still write where `path` is, or would be."""
    while not path.exists():
        path = path.parent
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize


def too_little_room(*folders: Path, free: Callable[[Path], int] = free_bytes) -> tuple[str, ...]:
    """Return of each folder that has too little room for a run how much there is, and how much is needed."""
    found = ((folder, free(folder)) for folder in folders)
    return tuple(
        f"only {room // 1024**2} MiB are free for {folder}, {MIN_FREE_BYTES // 1024**2} are needed"
        for folder, room in found
        if room < MIN_FREE_BYTES
    )


class SpaceGuard:
    """A sink that pauses the run while there is still room to end what is under way."""

    def __init__(
        self,
        folders: tuple[Path, ...],
        control: RunControl,
        clock: Clock,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        self._folders = folders
        self._control = control
        self._clock = clock
        self._free = free
        self._next = 0.0
        self._paused = False

    def require(self) -> None:
        """Raise `EnvironmentFailure` where there is too little room to begin with."""
        short = self._short()
        if short is not None:
            raise EnvironmentFailure(
                short, hint="free some space, then run it again; maestro state gc may help"
            )

    def on_event(self, _event: Event) -> None:
        """Look now and then."""
        now = self._clock.monotonic()
        if self._paused or now < self._next:
            return
        self._next = now + _LOOK_EVERY_S
        short = self._short()
        if short is not None:
            self._paused = True
            self._control.pause(f"{short}; free some space, then resume", "guardrail")

    def _short(self) -> str | None:
        return next(iter(too_little_room(*self._folders, free=self._free)), None)
