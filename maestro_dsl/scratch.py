"""Folders for temporary files, known to be nobody's when their process is gone; and whose fault a failure is.

A folder is locked by the process that made it, for as long as that lives; the kernel frees the lock with its
end, however it ended. So a folder whose lock is free may be removed by anybody who comes by (`sweep`). No
process id and no age decides: both can be wrong.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from maestro_dsl.errors import DiskFailure

if TYPE_CHECKING:
    from collections.abc import Iterator

if sys.platform != "win32":
    import fcntl

REASONS: Final = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EIO: "the disk reports an error",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.ENOENT: "there is no such folder",
}
OF_THE_MACHINE: Final = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO),
    *(errno.EACCES, errno.EPERM, errno.ENOENT, errno.ESTALE, errno.ENODEV, errno.ENXIO),
    *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EAGAIN),
}
"""What no name and no content of a file that a node made can bring about."""
_PREFIX: Final = "maestro."
_UNLOCKED: Final = ".maestro."
"""Names of folders that are not locked yet; they are renamed as soon as they are."""
_ABANDONED_S: Final = 3600.0


@contextmanager
def machine_at_fault(place: Path | str, *, before_work: bool = False) -> Iterator[None]:
    """Turn a failure of the machine inside the block into a `DiskFailure`: it is no node's fault.

    Around what we do ourselves with the files of an attempt. A failure that the name or content of a file can
    bring about (a name that is too long, a file where a folder must be) is left as it is. The failure says
    `before_work` as stated here.
    """
    try:
        yield
    except OSError as problem:
        if problem.errno not in OF_THE_MACHINE:
            raise
        reason = REASONS.get(problem.errno) or problem.strerror
        raise DiskFailure(
            f"cannot work in {place}: {reason}",
            hint="free some space or mend the folder, or name another one in TMPDIR",
            before_work=before_work,
        ) from problem


class ScratchFolder:
    """A new folder for this user alone; `remove` it, or leave that to the first who comes by later."""

    def __init__(self) -> None:
        with machine_at_fault("the folder for temporary files"):  # also finding it may fail
            made = Path(tempfile.mkdtemp(prefix=_UNLOCKED))
            self._descriptor = os.open(made, os.O_RDONLY)
            try:
                if sys.platform != "win32":
                    fcntl.flock(self._descriptor, fcntl.LOCK_EX)
                self.path = made.rename(made.with_name(made.name[1:])).resolve()
            except BaseException:
                os.close(self._descriptor)
                raise

    def remove(self) -> None:
        """Remove the folder with all that is in it; doing so twice is harmless."""
        if self._descriptor >= 0:
            remove_tree(self.path)
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def sweep() -> int:
    """Remove this user's folders whose processes are gone, and return how many; what cannot go stays."""
    removed = 0
    with suppress(OSError):
        for path in sorted(Path(tempfile.gettempdir()).glob("*maestro.*")):
            removed += _abandoned(path) and remove_tree(path)
    return removed


def _abandoned(path: Path) -> bool:
    """Return whether a folder is ours to remove: of this user, and locked by nobody."""
    if sys.platform == "win32" or not path.name.startswith((_PREFIX, _UNLOCKED)):
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        found = os.fstat(descriptor)
        if found.st_uid != os.geteuid():
            return False
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        # its maker may stand between making and locking it
        return path.name.startswith(_PREFIX) or time.time() - found.st_mtime > _ABANDONED_S
    finally:
        os.close(descriptor)


def remove_tree(path: Path) -> bool:
    """Remove a folder, also where a command took its owner's rights to it; return whether it is gone."""
    with suppress(RecursionError):
        shutil.rmtree(path, ignore_errors=True)
    if path.is_dir():
        with suppress(OSError):
            _remove_flat(path)
    return not path.exists()


def _remove_flat(root: Path) -> None:
    """Remove a folder however deep it is: folders move up to its top before they are listed."""
    root.chmod(0o700)
    number, mine = 0, secrets.token_hex(8)
    while folders := [Path(item) for item in os.scandir(root) if _is_folder(item)]:
        for folder in folders:
            folder.chmod(0o700)
            for item in os.scandir(folder):
                if _is_folder(item):
                    number += 1
                    os.chmod(item.path, 0o700)  # noqa: PTH101 - a folder that nobody may write cannot be moved
                    os.rename(item.path, root / f"{mine}{number}")  # noqa: PTH104
                else:
                    os.unlink(item.path)  # noqa: PTH108
            folder.rmdir()
    for item in os.scandir(root):
        os.unlink(item.path)  # noqa: PTH108
    root.rmdir()


def _is_folder(item: os.DirEntry[str]) -> bool:
    return item.is_dir(follow_symlinks=False)
