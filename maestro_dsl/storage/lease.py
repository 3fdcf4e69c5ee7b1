"""Who may write: an operating-system lock that ends with its process, and an epoch that every write checks.

The file beside a lock tells people who holds it; it is advice only and no decision reads it. A lock is never
taken from its holder, however old it is: only the end of the process frees it.
"""

from __future__ import annotations

import fcntl
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from filelock import FileLock, Timeout

from maestro_dsl.codec import canonical, digest_bytes, from_json
from maestro_dsl.errors import EnvironmentFailure, MaestroError, StateError
from maestro_dsl.storage.files import FILE_MODE, make_folder, read_regular, write_alone, writing_to

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a lock; `since` is a time for people."""

    pid: int
    host: str
    since: str
    command: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} since {self.since} ({self.command})"


_LOOKING_S: Final = 0.1
"""Longer than anybody looks whether a lock is free, which takes it for a moment."""


class Lock:
    """An exclusive lock on one thing, held from `acquire` to `release` or the end of the process."""

    def __init__(self, path: Path, subject: str) -> None:
        self.subject = subject
        self._path = path
        self._info = path.with_suffix(".holder.json")
        # Without the fall-back: a soft lock is a PID file, and a PID file can be stale.
        self._lock = FileLock(
            path, timeout=0, mode=FILE_MODE, thread_local=False, is_singleton=False, fallback_to_soft=False
        )

    def acquire(self, holder: Holder) -> Self:
        """Take the lock, waiting for nobody but those who only look (`holder`) and let go at once.

        Raises:
            StateError: another process holds it; the text says which.
            EnvironmentFailure, DiskFailure: this file system has no locks, or the folder cannot be written.
        """
        with writing_to(self._path):
            make_folder(self._path.parent)
            try:
                self._lock.acquire(timeout=_LOOKING_S, poll_interval=_LOOKING_S / 10)
            except Timeout:
                raise self._busy() from None
            except NotImplementedError as problem:
                raise EnvironmentFailure(
                    f"{self._path.parent} has no file locks: {problem}",
                    hint="use a folder on a local file system",
                ) from problem
            try:
                write_alone(self._info, canonical(holder) + b"\n")
            except BaseException:
                self._lock.release()
                raise
        return self

    def release(self) -> None:
        """Free the lock; doing so twice is harmless."""
        if self._lock.is_locked:
            self._info.unlink(missing_ok=True)
            self._lock.release()

    def holder(self) -> Holder | None:
        """Return who holds the lock now, or None where it is free."""
        if self._lock.is_locked:
            return self._advice()
        if not self._path.exists():
            return None
        try:
            with self._lock:
                return None
        except Timeout:
            return self._advice()
        except OSError:  # the folder cannot be written, so the lock is only looked at
            return self._advice() if _is_held(self._path) else None

    def taken_at(self) -> float | None:
        """Return when the present holder took the lock (the file's own time); None = nobody knows."""
        try:
            return self._info.stat().st_mtime
        except OSError:
            return None

    def _advice(self) -> Holder:
        try:
            return from_json(Holder, json.loads(read_regular(self._info)))
        except (OSError, ValueError, TypeError, KeyError):
            return Holder(pid=0, host="an unknown host", since="an unknown time", command="unknown")

    def _busy(self) -> MaestroError:
        return StateError(
            f"{self.subject} is in use by {self._advice()}",
            hint="wait for it to end, or stop that process; the lock is free as soon as it is gone",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _is_held(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def run_lock(state: Path, run_id: str) -> Lock:
    """Return the lock of a run in the state directory `state`; nothing is taken yet."""
    name = digest_bytes(run_id.encode())[:32]
    return Lock(state / "locks" / f"run-{name}.lock", f"run {run_id}")


class RunLease:
    """The right to continue a run: its lock, and a new epoch that fences every former holder."""

    def __init__(self, lock: Lock, epoch: int) -> None:
        self._lock = lock
        self.epoch = epoch

    @classmethod
    def acquire(cls, state: Path, run_id: str, holder: Holder, next_epoch: Callable[[str], int]) -> RunLease:
        """Take the run's lock, then its next epoch (`Journal.next_epoch`).

        Raises:
            StateError: another process is running it; the text says which.
        """
        lock = run_lock(state, run_id).acquire(holder)
        try:
            return cls(lock, next_epoch(run_id))
        except BaseException:
            lock.release()
            raise

    def release(self) -> None:
        """Give the run back; doing so twice is harmless."""
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
