"""The real command line: as a program of its own, or quicker within this process."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import maestro_dsl

if TYPE_CHECKING:
    from collections.abc import Mapping

KEPT = ("PATH", "HOME", "TMPDIR", "MAESTRO_STATE_DIR", "MAESTRO_CACHE_DIR")
"""What tests/conftest.py chose for all of them, and where programs and temporary files are."""
PATIENCE = 600
"""Seconds after which a program hangs, however busy the machine is."""
COMMAND = (sys.executable, "-m", "maestro_dsl")


def environment(**more: str) -> dict[str, str]:
    """The environment of the program: nothing of the tests but the path on which it is found."""
    found = Path(maestro_dsl.__file__).parents[1]
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, "PYTHONPATH": str(found), "NO_COLOR": "1", **more}


def maestro(*arguments: object, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    """Run one command line to its end; whatever it says, it is never a traceback."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        env=environment(**env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert "Traceback (most recent call last)" not in done.stderr, done.stderr
    assert done.returncode != 3, done.stderr
    return done


def inside(
    *arguments: object, cwd: Path | None = None, only: Mapping[str, str] | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run one command line as `maestro` does, but in this process: it saves the start of a program.

    `only` is the whole environment instead of that of `environment`.
    """
    from maestro_dsl.cli.main import execute

    stated = environment(**env) if only is None else dict(only)
    words = [str(word) for word in arguments]
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(cwd or Path.cwd()),
        mock.patch.dict(os.environ, stated, clear=True),
        mock.patch.object(sys, "stdin", io.StringIO()),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = execute(words)
    assert "Traceback (most recent call last)" not in err.getvalue(), err.getvalue()
    assert code != 3, err.getvalue()
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())
