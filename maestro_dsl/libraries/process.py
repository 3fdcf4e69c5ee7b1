"""Runs one program to its end, bounded in time, in what it answers and in what it leaves on the disk."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Final

from maestro_dsl.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_TIMEOUT_S: Final = 300.0
_LOOK_S: Final = 0.25
_MOST_ANSWER: Final = 64 * 1024 * 1024
_MOST_FETCHED: Final = 512 * 1024 * 1024
_MOST_SAID: Final = 64 * 1024


class ProgramRefusal(Exception):  # noqa: N818 - becomes an error of its own at once
    """A program ended with a failure; the text is what it said about it, one line."""


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """Let one process at a time do what stands in the block; `file` is the sign on the door."""
    try:
        import fcntl
    except ImportError:  # the platform has no such locks
        yield
        return
    with file.open("a") as sign:
        fcntl.flock(sign, fcntl.LOCK_EX)
        yield


def run(
    command: Sequence[str],
    *,
    given: bytes,
    environ: Mapping[str, str],
    watched: Path,
    timeout_s: float = _TIMEOUT_S,
    most_answer: int = _MOST_ANSWER,
    most_fetched: int = _MOST_FETCHED,
) -> bytes:
    """Run `command` with `given` on its standard input and return its answer; bounds the folder `watched`.

    Raises:
        ProgramRefusal: it ended with a failure.
        EnvironmentFailure: it is missing, too slow, or answers or fetches too much.
    """
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as asked:
        asked.write(given)
        asked.seek(0)
        try:
            process = subprocess.Popen(  # noqa: S603 - an argument list, no shell
                command, stdin=asked, stdout=out, stderr=said, env=dict(environ), start_new_session=True
            )
        except FileNotFoundError as error:
            name = command[0]
            hint = f"install {name}"
            raise EnvironmentFailure(f"{name} is not installed, and a library needs it", hint=hint) from error
        try:
            _wait(process, out, watched, time.monotonic() + timeout_s, (most_answer, most_fetched))
        finally:
            _end(process)
        out.seek(0)
        said.seek(0)
        if process.returncode:
            raise ProgramRefusal(_reason(said.read(_MOST_SAID), process.returncode))
        return out.read(most_answer + 1)


def _wait(
    process: subprocess.Popen[bytes], out: IO[bytes], watched: Path, until: float, most: tuple[int, int]
) -> None:
    name = str(process.args[0]) if isinstance(process.args, list) else "the program"
    while True:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_LOOK_S)
        if os.fstat(out.fileno()).st_size > most[0]:
            raise EnvironmentFailure(f"{name} answers with more than {most[0] >> 20} MiB")
        if _size(watched) > most[1]:
            hint = f"remove {watched}, and name a smaller repository"
            raise EnvironmentFailure(f"the repository is larger than {most[1] >> 20} MiB", hint=hint)
        if process.returncode is not None:
            return
        if time.monotonic() > until:
            raise EnvironmentFailure(
                f"{name} did not end in time", hint="look at the network, then try again"
            )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program that still runs, with everything that it started."""
    if process.poll() is not None:
        return
    try:
        os.killpg(process.pid, 9)
    except (OSError, AttributeError):  # it is gone, or the platform has no groups
        process.kill()
    process.wait()


def _size(folder: Path) -> int:
    total = 0
    for here, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(here, name)).st_size  # noqa: PTH118 - thousands of them
            except OSError:
                continue
    return total


def _reason(said: bytes, code: int) -> str:
    lines = said.decode("utf-8", "replace").strip().splitlines()
    first = next((line for line in lines if line.startswith("fatal: ")), lines[0] if lines else "")
    return first.removeprefix("fatal: ") or f"exit code {code}"
