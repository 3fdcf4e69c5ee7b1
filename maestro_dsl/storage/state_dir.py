"""Chooses the state directory and says why; makes sure it can be written and is on a suitable file system.

Order: `--state-dir`, `MAESTRO_STATE_DIR`, `/var/maestro/state` where it can be written, else the user's state
directory by the XDG rules. Opens nothing inside it.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from maestro_dsl.errors import EnvironmentFailure
from maestro_dsl.lang.disk import has_folder
from maestro_dsl.storage.files import make_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_STATE_PATH: Final = Path("/var/maestro/state")

_NETWORK = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|9p|afs|ncpfs|ceph|glusterfs|lustre|beegfs|gpfs|vboxsf|virtiofs"
    r"|fuse\.(sshfs|s3fs|rclone|glusterfs|ceph|gcsfuse|goofys|.*nfs.*)",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateDir:
    """The chosen folder; `origin` says who chose it, `journal_mode` is what is safe on its file system."""

    path: Path
    origin: str
    journal_mode: str = "WAL"
    warnings: tuple[str, ...] = ()
    obstacle: str | None = None
    """Why nothing can be stored there; only those who look hear of it, for the others it is a failure."""

    @property
    def exists(self) -> bool:
        """Return whether the folder is there; it is made when something is stored."""
        return has_folder(self.path)


def resolve_state_dir(
    flag: str | None,
    environ: Mapping[str, str],
    *,
    default: Path = DEFAULT_STATE_PATH,
    mounts: str | None = None,
    looking: bool = False,
    flag_origin: str = "--state-dir",
) -> StateDir:
    """Return the state directory, created for the owner only where it was absent.

    `mounts` is the text of `/proc/mounts`; None = read it. `looking` = nothing is to be stored: the same
    folder is chosen, none is made, and one that cannot be written has an `obstacle`. `flag_origin` says
    whose word `flag` is.

    Raises:
        EnvironmentFailure: the folder that the user named, or the last one left, cannot be written.
    """
    ask = _obstacle if looking else _refusal
    named = flag or environ.get("MAESTRO_STATE_DIR")
    if named:
        path, origin = Path(named), flag_origin if flag else "environment MAESTRO_STATE_DIR"
        with suppress(RuntimeError):  # nobody has that home: the folder is called "~"
            path = path.expanduser()
    elif ask(default) is None:
        path, origin = default, "built-in default"
    else:
        path, origin = _user_folder(environ), f"user state directory ({default} cannot be written)"
    path = Path(os.path.abspath(path))  # noqa: PTH100 - symbolic links in the user's path are the user's
    obstacle = ask(path)
    if obstacle is not None and not looking:
        raise EnvironmentFailure(
            f"the state directory {path} ({origin}) cannot be written: {obstacle}",
            hint="name another one with --state-dir or MAESTRO_STATE_DIR",
        )
    return _described(path, origin, mounts, obstacle)


def _described(path: Path, origin: str, mounts: str | None, obstacle: str | None) -> StateDir:
    warnings = []
    kind = file_system(path, mounts)
    network = _NETWORK.fullmatch(kind) is not None
    if network:
        warnings.append(
            f"the state directory {path} is on a network file system ({kind}); "
            "a local folder is faster and safer: --state-dir"
        )
    if has_folder(path) and stat.S_IMODE(path.stat().st_mode) & 0o022:
        warnings.append(f"other users can write to the state directory {path}: chmod 700 {path}")
    mode = "DELETE" if network else "WAL"
    return StateDir(path=path, origin=origin, journal_mode=mode, warnings=tuple(warnings), obstacle=obstacle)


def _refusal(path: Path) -> str | None:
    """Create `path` if need be and try to write into it; return why that is not possible, or None."""
    try:
        make_folder(path)
        with tempfile.TemporaryFile(dir=path):
            return None
    except OSError as problem:
        return problem.strerror or str(problem)


def _obstacle(path: Path) -> str | None:
    """Return why `path` can neither be written nor made, as far as that can be seen without trying."""
    try:
        there = next(folder for folder in (path, *path.parents) if folder.exists())
        if not there.is_dir():
            return os.strerror(errno.ENOTDIR)
        if os.access(there, os.W_OK | os.X_OK):
            return None
        is_read_only = bool(os.statvfs(there).f_flag & os.ST_RDONLY)
    except OSError as problem:
        return problem.strerror or str(problem)
    return os.strerror(errno.EROFS if is_read_only else errno.EACCES)


def _user_folder(environ: Mapping[str, str]) -> Path:
    base = environ.get("XDG_STATE_HOME", "")
    if base.startswith("/"):  # the XDG rules: a relative value is to be ignored
        return Path(base) / "maestro"
    home = environ.get("HOME", "")
    if not home.startswith("/"):
        try:
            home = str(Path.home())
        except RuntimeError:  # a user whom this machine does not know
            home = "/"
    return Path(home) / ".local" / "state" / "maestro"


def file_system(path: Path, mounts: str | None = None) -> str:
    """Return the type of the file system that holds `path`, "" where this machine does not tell."""
    if mounts is None:
        try:
            mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return ""
    real = path.resolve()
    best, kind = -1, ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:  # noqa: PLR2004 - device, mount point, type
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields[1]))
        # A later line of the same mount point hides the earlier one.
        if len(point.parts) >= best and real.is_relative_to(point):
            best, kind = len(point.parts), fields[2]
    return kind
