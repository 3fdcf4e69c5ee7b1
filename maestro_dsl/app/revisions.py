"""A file as it is now, or as it was in a revision of its git repository. Git is only asked, never changed."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from maestro_dsl.errors import EnvironmentFailure, UsageError

_TIMEOUT_S: Final = 30
_HINT: Final = "name an OpenAPI document, a GraphQL schema or a contract; or REVISION:FILE"


def content_of(name: str) -> tuple[bytes, Path]:
    """Return the bytes that `name` means and the path they belong to: a file, or "main:api.yaml".

    Raises:
        UsageError: there is no such file, or git does not know the revision or the file in it.
        EnvironmentFailure: a revision is named and git is missing or does not answer.
    """
    path = Path(name)
    if path.is_file():
        return path.read_bytes(), path
    revision, colon, file = name.partition(":")
    if not colon or not revision or not file or revision.startswith("-"):
        raise UsageError(f"no such file: {name}", hint=_HINT)
    return _git_show(revision, file), Path(revision.replace("/", "_")) / file


def _git_show(revision: str, file: str) -> bytes:
    # "./" makes git read the path from this folder and not from the top of the repository
    relative = file if file.startswith(("./", "../", "/")) else f"./{file}"
    command = ["git", "show", "--end-of-options", f"{revision}:{relative}"]
    try:
        done = subprocess.run(  # noqa: S603 - an argument list, no shell
            command, capture_output=True, check=False, timeout=_TIMEOUT_S, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError as error:
        raise EnvironmentFailure(
            f"{revision}:{file} names a git revision, and git is not installed",
            hint="install git, or name two files",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise EnvironmentFailure(f"git did not answer within {_TIMEOUT_S} s") from error
    if done.returncode:
        reason = done.stderr.decode("utf-8", "replace").strip().splitlines()
        said = reason[0].removeprefix("fatal: ") if reason else f"exit code {done.returncode}"
        raise UsageError(f"git has no {revision}:{file}: {said}", hint=_HINT)
    return done.stdout
