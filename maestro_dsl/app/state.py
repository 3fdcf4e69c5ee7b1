"""Opens the state directory: journal and artifacts together, closed together."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from maestro_dsl.errors import DiskFailure, StateError
from maestro_dsl.storage.artifacts import Artifacts
from maestro_dsl.storage.journal import Journal
from maestro_dsl.storage.lease import Holder, run_lock
from maestro_dsl.storage.looking import holds_state, journal_to_look_at
from maestro_dsl.storage.state_dir import StateDir, resolve_state_dir

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from maestro_dsl.engine.ports.storage import RunRecord
    from maestro_dsl.ports import Clock

LAST: Final = "last"
_SHOWN_COMMAND: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """An open state directory."""

    place: StateDir
    journal: Journal
    artifacts: Artifacts


def state_place(
    state_dir: Path | None,
    environ: Mapping[str, str],
    *,
    looking: bool = False,
    origin: str = "--state-dir",
) -> StateDir:
    """Return the state directory in force, created where it was absent, unless somebody only looks."""
    stated = str(state_dir) if state_dir is not None else None
    return resolve_state_dir(stated, environ, looking=looking, flag_origin=origin)


@contextmanager
def open_state(
    state_dir: Path | None,
    environ: Mapping[str, str],
    *,
    complete: bool = True,
    looking: bool = False,
    origin: str = "--state-dir",
) -> Iterator[State]:
    """Open the state directory for the block; not `complete` = also where acknowledged changes are gone.

    `looking` = nothing is to be stored: where nothing was stored yet nothing is made, and the state is empty;
    one that cannot be written is only read. `origin` is who says `state_dir`.
    """
    place = state_place(state_dir, environ, looking=looking, origin=origin)
    journal = _journal_to_look_at(place, complete) if looking else _journal(place, complete)
    try:
        artifacts = Artifacts(place.path, journal.contents, looking=looking)
        yield State(place=place, journal=journal, artifacts=artifacts)
    finally:
        journal.close()


def _journal(place: StateDir, complete: bool) -> Journal:
    return Journal.open(place.path, journal_mode=place.journal_mode, complete=complete)


def _journal_to_look_at(place: StateDir, complete: bool) -> Journal:
    if place.obstacle or not holds_state(place.path):
        return journal_to_look_at(place.path, complete=complete)
    try:
        return _journal(place, complete)
    except DiskFailure:  # a full disk has no room for what SQLite makes beside a database, even to read it
        return journal_to_look_at(place.path, complete=complete)


def holder(clock: Clock) -> Holder:
    """Return who this process is, for those who find something locked."""
    since = datetime.fromtimestamp(clock.now(), UTC).isoformat(timespec="seconds")
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])[:_SHOWN_COMMAND]
    return Holder(pid=os.getpid(), host=socket.gethostname(), since=since, command=command)


def is_live(state: State, run_id: str) -> bool:
    """Return whether a process holds this run now."""
    return run_lock(state.place.path, run_id).holder() is not None


def find_run(state: State, wanted: str) -> RunRecord:
    """Return the run with this id, or the only one that begins with it; "last" is the newest.

    Raises:
        StateError: none or several match.
    """
    runs = state.journal.runs()
    if wanted == LAST and runs:
        return runs[0]
    matches = [run for run in runs if run.run_id == wanted] or [
        run for run in runs if wanted and run.run_id.startswith(wanted)
    ]
    if len(matches) == 1:
        return matches[0]
    if matches:
        ids = ", ".join(run.run_id[:13] for run in matches[:5])
        raise StateError(f'"{wanted}" is the beginning of {len(matches)} runs', hint=f"say more of it: {ids}")
    raise StateError(
        f'no run "{wanted}" in {state.place.path}',
        hint="maestro runs lists them; --state-dir names another place",
    )
