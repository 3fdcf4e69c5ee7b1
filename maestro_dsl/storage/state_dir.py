"""Chooses the state directory and says why; makes sure it can be written and is on a suitable file system.

Order: `--state-dir`, `MAESTRO_STATE_DIR`, `/var/maestro/state` where it can be written, else the user's state
directory by the XDG rules. Opens nothing inside it.
"""

from __future__ import annotations

import os
import re
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from maestro_dsl.errors import EnvironmentFailure
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


def resolve_state_dir(
    flag: str | None,
    environ: Mapping[str, str],
    *,
    default: Path = DEFAULT_STATE_PATH,
    mounts: str | None = None,
) -> StateDir:
    """Return the state directory, created for the owner only where it was absent.

    `mounts` is the text of `/proc/mounts`; None = read it.

    Raises:
        EnvironmentFailure: the folder that the user named, or the last one left, cannot be written.
    """
    if flag:
        return _chosen(Path(flag).expanduser(), "--state-dir", mounts)
    if environ.get("MAESTRO_STATE_DIR"):
        named = Path(environ["MAESTRO_STATE_DIR"]).expanduser()
        return _chosen(named, "environment MAESTRO_STATE_DIR", mounts)
    if _refusal(default) is None:
        return _chosen(default, "built-in default", mounts)
    user = _user_folder(environ)
    return _chosen(user, f"user state directory ({default} cannot be written)", mounts)


def _chosen(path: Path, origin: str, mounts: str | None) -> StateDir:
    path = Path(os.path.abspath(path))  # noqa: PTH100 - symbolic links in the user's path are the user's
    refusal = _refusal(path)
    if refusal is not None:
        raise EnvironmentFailure(
            f"the state directory {path} ({origin}) cannot be written: {refusal}",
            hint="name another one with --state-dir or MAESTRO_STATE_DIR",
        )
    warnings = []
    kind = file_system(path, mounts)
    network = _NETWORK.fullmatch(kind) is not None
    if network:
        warnings.append(
            f"the state directory {path} is on a network file system ({kind}); "
            "a local folder is faster and safer: --state-dir"
        )
    if stat.S_IMODE(path.stat().st_mode) & 0o022:
        warnings.append(f"other users can write to the state directory {path}: chmod 700 {path}")
    mode = "DELETE" if network else "WAL"
    return StateDir(path=path, origin=origin, journal_mode=mode, warnings=tuple(warnings))


def _refusal(path: Path) -> str | None:
    """Create `path` if need be and try to write into it; return why that is not possible, or None."""
    try:
        make_folder(path)
        with tempfile.TemporaryFile(dir=path):
            return None
    except OSError as problem:
        return problem.strerror or str(problem)


def _user_folder(environ: Mapping[str, str]) -> Path:
    base = environ.get("XDG_STATE_HOME", "")
    if base.startswith("/"):  # the XDG rules: a relative value is to be ignored
        return Path(base) / "maestro"
    home = environ.get("HOME", "")
    return (Path(home) if home.startswith("/") else Path.home()) / ".local" / "state" / "maestro"


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
