"""Puts files where a contract's globs want them: at the top of the persona's folder, or in a glob's."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from maestro_dsl.lang.patterns import glob_match
from maestro_dsl.providers.scaffold.choose import Impossible, wanted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from maestro_dsl.engine.ports.models import Task

_OPTIONAL = ("README.md",)


def place(
    files: Mapping[str, str], task: Task, *, required: Sequence[str] | None, start: str | None
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the files under the first folder where all required ones match, and what was left out.

    `required` None means all but the README; `start` fixes the folder: the contract names a file in it.

    Raises:
        Impossible: there is no such folder.
    """
    globs = tuple(glob for item in wanted(task) for glob in item.artifacts)
    needed = [name for name in files if name not in _OPTIONAL] if required is None else list(required)
    folders = [str(PurePosixPath(start).parent)] if start else _folders(globs)
    for folder in folders:
        paths = {name: _path(folder, name) for name in files}
        if all(_fits(globs, paths[name]) for name in needed):
            kept = {paths[name]: text for name, text in files.items() if _fits(globs, paths[name])}
            left_out = [name for name in files if paths[name] not in kept]
            return kept, tuple(
                f"left out: {name}, which no artifact glob of the contract matches" for name in left_out
            )
    unmatched = [name for name in needed if not _fits(globs, _path(folders[0], name))]
    raise Impossible(
        f"the artifact globs {', '.join(globs) or '(none)'} do not match {', '.join(unmatched)}, "
        "which the result needs; add a glob such as " + f"*.{unmatched[0].rpartition('.')[2]}"
    )


def _folders(globs: Sequence[str]) -> list[str]:
    found = ["."]
    for glob in globs:
        literal = list(glob.split("/")[:-1])
        stop = next(
            (index for index, part in enumerate(literal) if any(sign in part for sign in "*?[")), len(literal)
        )
        folder = "/".join(literal[:stop]) or "."
        if folder not in found:
            found.append(folder)
    return found


def _path(folder: str, name: str) -> str:
    return name if folder in {".", ""} else f"{folder}/{name}"


def _fits(globs: Sequence[str], path: str) -> bool:
    return any(glob_match(glob, path) for glob in globs)
