"""Writes changed documents: each file whole or not at all, its mode kept, never through a symbolic link.

Decides nothing about what to change; `fixing`, `formatting` and `migration` do.
"""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from maestro_dsl.errors import EnvironmentFailure, StateError
from maestro_dsl.lang.edits import decode
from maestro_dsl.lang.files import root_above
from maestro_dsl.lang.shelves import is_installed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


_NEW_FILE: Final = 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a file would hold: `before` is what was read, `after` what is to be written in its place."""

    file: str
    """As shown to the user."""
    path: Path
    before: bytes = field(repr=False)
    after: bytes = field(repr=False)


def texts_of(change: Change) -> tuple[str, str]:
    """Return what a change replaces and what it writes as texts, for a diff."""
    return decode(change.before).text, decode(change.after).text


def areas_of(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Return the folders in which files may be changed for those who named `paths`: their projects.

    A link is judged by where it stands, so that a file outside the project that it points at stays as it is.
    """
    areas = []
    for path in paths or (Path(),):
        folder = (path if path.is_dir() else path.parent).resolve()
        areas += [folder, root_above(folder)] if path.is_dir() else [root_above(folder)]
    return tuple(dict.fromkeys(areas))


def may_change(path: Path, areas: Iterable[Path]) -> bool:
    """Return whether the real file at `path` lies in one of `areas` and belongs to no installed library."""
    return any(path.is_relative_to(area) for area in areas) and not is_installed(path)


def write_changes(changes: Iterable[Change]) -> None:
    """Write every change, each file by a rename.

    Raises:
        StateError: a file is not what was read any more.
        EnvironmentFailure: a file cannot be written.
    """
    for change in changes:
        try:
            if change.path.read_bytes() != change.before:
                hint = "run the command again"
                raise StateError(f"{change.file} changed while it was being worked on", hint=hint)
            write_whole(change.path, change.after)
        except OSError as error:
            raise EnvironmentFailure(
                f"cannot write {change.file}: {error.strerror}", hint="nothing was changed in this file"
            ) from error


def write_whole(path: Path, content: bytes) -> None:
    """Write a file by a rename, so that it is never there in part; it keeps its mode.

    Raises:
        OSError: it cannot be written.
    """
    mode = path.stat().st_mode if path.exists() else _NEW_FILE
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(stat.S_IMODE(mode))
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
    with suppress(OSError):  # where folders cannot be synced, the rename is as durable as it gets
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
