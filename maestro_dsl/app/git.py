"""Asks git, which is only ever read: an argument list, no shell, and a limit of time."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final

from maestro_dsl.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_TIMEOUT_S: Final = 60


class GitRefusal(Exception):  # noqa: N818 - becomes a sentence for the user at once
    """git ended with a failure; the text is what it said, without "fatal:"."""


def ask(arguments: Sequence[str], *, purpose: str, folder: Path | None = None) -> bytes:
    """Return what git says, asked in `folder` (default: here); `purpose` completes "git … is needed".

    Raises:
        GitRefusal: git ended with a failure.
        EnvironmentFailure: git is not installed, or does not answer.
    """
    try:
        done = subprocess.run(  # noqa: S603 - an argument list, no shell
            ["git", *arguments],  # noqa: S607 - whichever git the user works with
            capture_output=True,
            check=False,
            cwd=folder,
            timeout=_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError as error:
        raise EnvironmentFailure(f"git is not installed, and {purpose}", hint="install git") from error
    except subprocess.TimeoutExpired as error:
        raise EnvironmentFailure(f"git did not answer within {_TIMEOUT_S} s") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = said[0].removeprefix("fatal: ") if said else f"exit code {done.returncode}"
        raise GitRefusal(reason)
    return done.stdout
