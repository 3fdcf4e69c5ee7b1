"""Durable small files: written beside their place, synced, then renamed.

Does not know what the files hold. Every file made here can be read and written by its owner only.
"""

from __future__ import annotations

import errno
import os
import secrets
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from maestro_dsl.errors import DiskFailure, EnvironmentFailure
from maestro_dsl.scratch import OF_THE_MACHINE, REASONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

T = TypeVar("T")
_WORTH_THREADS = 3
_THREADS = 16
FILE_MODE = 0o600
FOLDER_MODE = 0o700


@contextmanager
def writing_to(path: Path | str) -> Iterator[None]:
    """Turn a failure of the operating system inside the block into one of ours that names `path`.

    A `DiskFailure`, or an `EnvironmentFailure` where no disk is at fault: a file where a folder must be.
    """
    try:
        yield
    except OSError as problem:
        reason = REASONS.get(problem.errno or 0) or problem.strerror or str(problem)
        kind = DiskFailure if problem.errno in OF_THE_MACHINE else EnvironmentFailure
        raise kind(
            f"cannot write {path}: {reason}",
            hint="free some space or mend the permissions, or choose another folder (--state-dir, --output)",
        ) from problem


@contextmanager
def looking_at(path: Path | str) -> Iterator[None]:
    """Turn a failure of the operating system inside the block, which only looks, into one of ours."""
    try:
        yield
    except OSError as problem:
        reason = REASONS.get(problem.errno or 0) or problem.strerror or str(problem)
        raise EnvironmentFailure(
            f"cannot look at {path}: {reason}", hint="mend the permissions, or name another place"
        ) from problem


def make_folder(path: Path) -> None:
    """Create `path` and its missing parents, for the owner only; existing folders stay as they are."""
    missing = [path]
    while not missing[-1].parent.exists():
        missing.append(missing[-1].parent)
    for folder in reversed(missing):
        with suppress(FileExistsError):
            folder.mkdir(mode=FOLDER_MODE)
            sync_folder(folder.parent)
    if not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "it is not a folder", str(path))


def sync_folder(path: Path) -> None:
    """Make the names inside `path` durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, content: bytes) -> None:
    """Write the whole of `content`, however many calls that takes."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def write_durably(path: Path, content: bytes, *, scratch: Path | None = None) -> None:
    """Put `content` at `path` so that a crash leaves the old file or the new one, never a part.

    `scratch` is a folder of the same file system for the unfinished file; the default is the file's own.
    """
    temporary = (scratch or path.parent) / f".{path.name[:40]}.{secrets.token_hex(8)}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, FILE_MODE)
    try:
        try:
            write_all(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)  # noqa: PTH105 - one call that fault-injection tests can intercept
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def write_alone(path: Path, content: bytes) -> None:
    """Do `write_durably` where no other process writes `path`; remove what killed ones left unfinished."""
    for left in path.parent.glob(f".{path.name[:40]}.*.tmp"):
        left.unlink(missing_ok=True)
    write_durably(path, content)


def make_folders(folders: Sequence[Path]) -> None:
    """Create folders of one existing parent that are missing, at the price of one sync."""
    missing = [folder for folder in folders if not folder.is_dir()]
    for folder in missing:
        with suppress(FileExistsError):
            folder.mkdir(mode=FOLDER_MODE)
    if missing:
        sync_folder(missing[0].parent)


def at_once(work: Callable[[T], object], items: Sequence[T]) -> None:
    """Do `work` on each item in a few threads; raises what one of them raised.

    A file system writes its own log once for all who wait for it, so many syncs at a time take as long as a
    few, and one after the other they take as long as they are many.
    """
    if len(items) < _WORTH_THREADS:
        for item in items:
            work(item)
        return
    done = [_threads().submit(work, item) for item in items]
    wait(done)  # all of them, so that none is at work when the first failure is raised
    for ended in done:
        ended.result()


@cache
def _threads() -> ThreadPoolExecutor:
    """Return threads that wait for disks; starting them anew for each group costs as much as the disk."""
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="sync")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_threads.cache_clear)  # threads do not survive a fork


def write_all_durably(contents: Mapping[Path, bytes], *, scratch: Path) -> None:
    """Put each content at its path as `write_durably` does; the caller syncs the folders afterwards.

    All are written before the first is synced, and are then synced at once: see `at_once`.
    """
    unfinished: dict[Path, int] = {}
    try:
        for path, content in contents.items():
            temporary = scratch / f".{path.name[:40]}.{secrets.token_hex(8)}.tmp"
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            unfinished[temporary] = os.open(temporary, flags, FILE_MODE)
            write_all(unfinished[temporary], content)
        at_once(os.fsync, list(unfinished.values()))
        for path, temporary in zip(contents, tuple(unfinished), strict=True):
            os.replace(temporary, path)  # noqa: PTH105 - one call that fault-injection tests can intercept
    except BaseException:
        for temporary in unfinished:
            with suppress(OSError):
                temporary.unlink()
        raise
    finally:
        for descriptor in unfinished.values():
            os.close(descriptor)


def read_regular(path: Path) -> bytes:
    """Return the content of a regular file, following no symbolic link at its last part."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read()
