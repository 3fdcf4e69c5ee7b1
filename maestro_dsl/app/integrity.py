"""Whether the state directory is whole, who holds what in it, and its runs in one file and back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_dsl import __version__
from maestro_dsl.app.state import find_run, is_live, open_state
from maestro_dsl.app.system import SystemRand
from maestro_dsl.engine.state import RUN_FINAL
from maestro_dsl.errors import StateError, UsageError
from maestro_dsl.storage.archive import Archive, Exported, Imported
from maestro_dsl.storage.files import looking_at
from maestro_dsl.storage.lease import Lock, run_lock
from maestro_dsl.storage.verify import Verified, verify_state

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCheck:
    """The findings about one state directory."""

    found: Verified
    state_dir: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlocked:
    """What holds a run, what was or would be done about it; `done` = it was."""

    run_id: str
    holders: tuple[str, ...]
    steps: tuple[str, ...]
    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportResult:
    """A written file; `live` runs were left out because a process is at work on them."""

    file: Path
    exported: Exported
    live: tuple[str, ...] = ()


def verify_state_dir(
    *, environ: Mapping[str, str], state_dir: Path | None = None, read_share: float = 0.0
) -> StateCheck:
    """Check the whole state directory, reading the bytes of a share (0 to 1) of the contents.

    Raises:
        StateError: the stated folder holds no state at all; a misspelt one is not whole.
    """
    _require(state_dir, environ)
    with open_state(state_dir, environ, complete=False, looking=True) as state:
        found = verify_state(state.journal, state.artifacts, read_share=read_share, rand=SystemRand())
        return StateCheck(found=found, state_dir=state.place.path)


def _require(state_dir: Path | None, environ: Mapping[str, str]) -> None:
    stated = str(state_dir or environ.get("MAESTRO_STATE_DIR") or "")
    folder = Path(stated).expanduser()
    with looking_at(folder):
        holds_something = (folder.is_dir() and any(folder.iterdir())) or folder.is_file()
    if stated and not holds_something:
        raise StateError(f"there is no state in {folder}", hint="maestro doctor names the folder in use")


def unlock(
    run: str, *, environ: Mapping[str, str], state_dir: Path | None = None, do: bool = False
) -> Unlocked:
    """Say who holds a run and its output, and what would free them; `do` = fence a holder that is gone.

    A lock is never taken from a living process: its end alone frees it.

    Raises:
        StateError: no such run, or `do` while a process holds it.
    """
    with open_state(state_dir, environ) as state:
        record = find_run(state, run)
        locks = (
            run_lock(state.place.path, record.run_id),
            Lock(Path(record.output) / ".maestro" / "lock", f"the output folder {record.output}"),
        )
        held = [(lock, who) for lock in locks if (who := lock.holder()) is not None]
        holders = tuple(f"{lock.subject} is held by {who}" for lock, who in held)
        ended = record.status in {status.value for status in RUN_FINAL}
        if held:
            ends = (
                f"on {who.host}: end process {who.pid} ({who.command}); its lock is free at once"
                for _, who in held
            )
            steps = tuple(dict.fromkeys(ends))  # one process holds both, as a rule
            if do:
                raise StateError(holders[0], hint=steps[0])
        elif ended:
            steps = ("nothing: the run has ended and nobody holds it",)
        else:
            steps = (
                "give the run a new epoch, so that a process which was thought dead can write no more",
                f"nothing else: no lock is held; maestro resume {record.run_id} goes on",
            )
            if do:
                state.journal.next_epoch(record.run_id)
        return Unlocked(
            run_id=record.run_id, holders=holders, steps=steps, done=do and not held and not ended
        )


def export_runs(
    file: Path, *, environ: Mapping[str, str], run: str | None = None, state_dir: Path | None = None
) -> ExportResult:
    """Write one run, or all that no process works on (`run` None), into one file.

    Raises:
        StateError: no such run, or it is live; or the file exists.
        IntegrityError: something of it is damaged; no file is written.
    """
    with looking_at(file):
        is_there = file.exists()
    if is_there:
        raise StateError(f"{file} exists already", hint="name another file, or remove it")
    with open_state(state_dir, environ, complete=False, looking=True) as state:
        records = state.journal.runs() if run is None else (find_run(state, run),)
        live = tuple(record.run_id for record in records if is_live(state, record.run_id))
        if run is not None and live:
            raise StateError(f"run {live[0]} is live", hint=f"maestro pause {live[0]}, then export it")
        wanted = [record.run_id for record in records if record.run_id not in live]
        archive = Archive(state.journal, state.artifacts, tool_version=__version__)
        exported = archive.export(wanted, file, with_newest=run is None)
        return ExportResult(file=file, exported=exported, live=live)


def import_runs(file: Path, *, environ: Mapping[str, str], state_dir: Path | None = None) -> Imported:
    """Take the runs of a file over; what is there already stays as it is.

    Raises:
        UsageError: there is no such file.
        IntegrityError: the file is damaged or no export; nothing was taken over.
        StateError: it holds another history of a run that is here.
    """
    with looking_at(file):
        is_file, is_folder = file.is_file(), file.is_dir()
    if is_folder:
        raise UsageError(f"{file} is a folder", hint="name the file that maestro state export made")
    if not is_file:
        raise UsageError(f"no such file: {file}", hint="maestro state export makes one")
    with open_state(state_dir, environ) as state:
        return Archive(state.journal, state.artifacts, tool_version=__version__).load(file)
