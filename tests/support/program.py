"""The real command line, as a program of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import maestro_dsl

COMMAND = (sys.executable, "-m", "maestro_dsl")


def environment(**more: str) -> dict[str, str]:
    """The environment of the program: nothing of the tests but the path on which it is found."""
    found = Path(maestro_dsl.__file__).parents[1]
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
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
        timeout=120,
        check=False,
    )
    assert "Traceback (most recent call last)" not in done.stderr, done.stderr
    assert done.returncode != 3, done.stderr
    return done
