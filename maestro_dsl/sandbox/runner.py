"""Starts a command under its keeper and collects what it writes; knows nothing of isolation.

The keeper (see `keeper.py`) guarantees that no process of the command outlives it, also when this process is
killed; here the time limit and the byte cap of the output are held.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from maestro_dsl.engine.ports.processes import CommandResult
from maestro_dsl.errors import EnvironmentFailure
from maestro_dsl.sandbox.processes import kill_tree
from maestro_dsl.scratch import machine_at_fault

_KEEPER = Path(__file__).with_name("keeper.py")
_CHUNK = 65_536
_KEEPER_ENDS_WITHIN_S = 10.0
_TAIL_LINES = 20
_TAIL_BYTES = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A command as it is really started: after the sandbox level has wrapped it."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    limits: Mapping[str, int]
    max_processes: int
    max_output_bytes: int
    keep_fds: tuple[int, ...] = ()
    room: Mapping[str, object] | None = None
    """What all its processes may take together; see `Limits.room`."""
    cleanup: Callable[[], Awaitable[None]] | None = None
    """Called once when everything of the command is gone."""


@dataclass(slots=True)
class Captured:
    """One output stream: `limit` bytes of it, half from its beginning and half from its end."""

    limit: int
    head: bytearray = field(default_factory=bytearray)
    tail: bytearray = field(default_factory=bytearray)
    total: int = 0

    def add(self, data: bytes) -> None:
        """Take what the command wrote."""
        self.total += len(data)
        taken = max(0, self.limit // 2 - len(self.head))
        self.head += data[:taken]
        self.tail += data[taken:]
        del self.tail[: max(0, len(self.tail) - (self.limit - self.limit // 2))]

    def text(self) -> str:
        """Return what was kept, with a line in the gap that says how much was cut."""
        lost = self.total - len(self.head) - len(self.tail)
        if not lost:
            return (self.head + self.tail).decode("utf-8", "replace")
        head, tail = (part.decode("utf-8", "replace") for part in (self.head, self.tail))
        return f"{head}\n… {lost} bytes were cut here …\n{tail}"


class Running:
    """A started command; implements `RunningCommand`."""

    def __init__(self, process: asyncio.subprocess.Process, launch: Launch) -> None:
        self.pgid: int = process.pid
        self._process = process
        self._cleanup = launch.cleanup
        self.stdout = Captured(limit=launch.max_output_bytes)
        self.stderr = Captured(limit=launch.max_output_bytes)
        self._both = Captured(limit=2 * _TAIL_BYTES)
        self._readers = [
            asyncio.create_task(self._read(process.stdout, self.stdout)),
            asyncio.create_task(self._read(process.stderr, self.stderr)),
        ]

    async def _read(self, stream: asyncio.StreamReader | None, captured: Captured) -> None:
        if stream is None:
            return
        while data := await stream.read(_CHUNK):
            captured.add(data)
            self._both.add(data)

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        return self._process.returncode

    def tail(self) -> str:
        """Return the last lines it wrote to either stream."""
        lines = self._both.text().splitlines()
        return "\n".join(lines[-_TAIL_LINES:])

    async def wait(self) -> int:
        """Wait for the end of the command and of everything it started; return its exit code."""
        code = await self._process.wait()
        await asyncio.gather(*self._readers)
        await self._clean()
        return code

    async def stop(self, grace_s: float = 2.0) -> None:
        """End every process of the command: ask, then kill."""
        if self.poll() is None:
            self._control(b"t")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), grace_s)
        await self.kill()

    async def kill(self) -> None:
        """End every process of the command at once."""
        if self.poll() is None:
            self._control(None)
            try:
                await asyncio.wait_for(self._process.wait(), _KEEPER_ENDS_WITHIN_S)
            except TimeoutError:
                kill_tree(self._process.pid)
                await self._process.wait()
        await asyncio.gather(*self._readers)
        await self._clean()

    def _control(self, message: bytes | None) -> None:
        line = self._process.stdin
        if line is None:
            return
        with contextlib.suppress(ConnectionError, RuntimeError):
            if message is None:
                line.close()
            else:
                line.write(message)

    async def _clean(self) -> None:
        cleanup, self._cleanup = self._cleanup, None
        if cleanup is not None:
            await cleanup()


async def launch(what: Launch) -> Running:
    """Start `what`; the caller waits for it or stops it.

    Raises:
        EnvironmentFailure: the operating system refuses to start a process; a `DiskFailure` where it has no
            room for one.
    """
    config = {
        "limits": dict(what.limits),
        "max_processes": what.max_processes,
        "keep_fds": list(what.keep_fds),
        "room": what.room,
    }
    argv: Sequence[str] = (sys.executable, "-I", "-S", str(_KEEPER), json.dumps(config), *what.argv)
    try:
        with machine_at_fault(what.cwd):
            process = await asyncio.create_subprocess_exec(
                *argv,
                cwd=what.cwd,
                env=dict(what.env),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
                pass_fds=what.keep_fds,
            )
    except BaseException as error:
        if what.cleanup is not None:
            await what.cleanup()
        if not isinstance(error, OSError):
            raise
        raise EnvironmentFailure(f"no process can be started in {what.cwd}: {error.strerror}") from error
    return Running(process, what)


async def run_to_end(what: Launch, timeout_s: float) -> CommandResult:
    """Run to the end or the time limit; nothing of the command is left when this returns or is cancelled."""
    began = time.monotonic()
    running = await launch(what)
    timed_out = False
    try:
        code = await asyncio.wait_for(running.wait(), timeout_s)
    except TimeoutError:
        timed_out = True
        await running.kill()
        code = running.poll() or -9
    except BaseException:
        await asyncio.shield(running.kill())
        raise
    return CommandResult(
        exit_code=code,
        stdout=running.stdout.text(),
        stderr=running.stderr.text(),
        timed_out=timed_out,
        duration_s=time.monotonic() - began,
    )
