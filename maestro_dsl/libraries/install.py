"""Puts libraries into the project: written beside their place, read back, compared with the lock, renamed.

What stands in `.maestro/libraries` is never trusted for having been written here: it is checked at each use.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from maestro_dsl.errors import EnvironmentFailure, IntegrityError
from maestro_dsl.lang.folder import FolderProblem, read_folder
from maestro_dsl.lang.lockfile import INSTALLED, LOCK_FILE
from maestro_dsl.libraries.process import alone

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from maestro_dsl.lang.folder import Folder
    from maestro_dsl.lang.lockfile import Lock, Locked

_NEW: Final = ".new-"
_OLD: Final = ".old-"
_IGNORED: Final = "*\n"
_FILE_MODE: Final = 0o644


def install(root: Path, lock: Lock, contents: Callable[[Locked], Folder]) -> tuple[str, ...]:
    """Bring `.maestro/libraries` to what `lock` says; return the names of the libraries that were put there.

    A library that is right stays as it is. Folders of libraries that are not pinned any more are removed.

    Raises:
        IntegrityError: a library is not what the lock says; nothing of it was put in place.
        EnvironmentFailure: the folder cannot be written, or a library cannot be fetched.
    """
    shared = [item for item in lock.libraries.values() if not item.is_local]
    place = root.resolve().joinpath(*INSTALLED)
    if not shared and not place.is_dir():
        return ()
    try:
        _prepare(root, place)
        with alone(place / ".lock"):
            done = tuple(item.name for item in shared if _put(place, item, contents))
            _remove(place, {item.name for item in shared})
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot write {error.filename}: {error.strerror}", hint="look at who owns .maestro"
        ) from error
    return done


def require_digest(locked: Locked, found: Folder) -> None:
    """Refuse contents that are not what the lock says.

    Raises:
        IntegrityError: they are not.
    """
    if found.digest != locked.digest:
        raise IntegrityError(
            f"{locked.name} {locked.version} is not what {LOCK_FILE} says: {LOCK_FILE} has {locked.digest}, "
            f"{locked.source} gives {found.digest}",
            hint=f"find out who changed {locked.source} or {LOCK_FILE} before you lock it anew",
        )


def _prepare(root: Path, place: Path) -> None:
    here = root.resolve()
    for part in INSTALLED:
        here /= part
        if here.is_symlink():
            raise IntegrityError(
                f"{here} is a symbolic link", hint="remove it; maestro installs into the project"
            )
        here.mkdir(exist_ok=True)
    ignore = place / ".gitignore"
    if not ignore.exists():
        ignore.write_text(_IGNORED, encoding="ascii")


def _put(place: Path, locked: Locked, contents: Callable[[Locked], Folder]) -> bool:
    """Install one library unless it is there already; return whether it was put there."""
    target = place / locked.name
    with suppress(FolderProblem):
        if read_folder(target, is_strict=True).digest == locked.digest:
            return False
    found = contents(locked)
    require_digest(locked, found)
    fresh = Path(tempfile.mkdtemp(prefix=_NEW, dir=place))
    try:
        _write(fresh, found)
        _require_written(locked, fresh)
        _swap(fresh, target, place)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return True


def _write(folder: Path, found: Folder) -> None:
    folder.chmod(0o755)
    for name, content in found.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(
            path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), _FILE_MODE
        )
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


def _require_written(locked: Locked, fresh: Path) -> None:
    """Read back what was written: between writing and renaming it may have been changed."""
    try:
        require_digest(locked, read_folder(fresh, is_strict=True))
    except FolderProblem as problem:
        raise IntegrityError(
            f"{locked.name} {locked.version} was changed while it was installed: {problem}"
        ) from problem


def _swap(fresh: Path, target: Path, place: Path) -> None:
    """Put the folder `fresh` at `target`; what stands there goes, a link as a link."""
    if target.is_symlink() or target.is_file():
        target.unlink()
    if target.exists():
        old = Path(tempfile.mkdtemp(prefix=_OLD, dir=place))
        target.replace(old / target.name)
        fresh.replace(target)
        shutil.rmtree(old, ignore_errors=True)
    else:
        fresh.replace(target)


def _remove(place: Path, wanted: Collection[str]) -> None:
    """Remove what is pinned no more, and what an end in the middle left."""
    for entry in sorted(place.iterdir()):
        is_left = entry.name.startswith((_NEW, _OLD))
        if entry.name in wanted or (entry.name.startswith(".") and not is_left):
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
