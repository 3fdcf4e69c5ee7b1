"""The sandbox levels as one class: which isolation a command gets, and refusal where it cannot have it.

| level | written by our templates (`trusted`) | everything else |
|---|---|---|
| auto | limits | bubblewrap, else refused |
| bubblewrap | bubblewrap | bubblewrap |
| rlimits | limits | refused |
| none | no limits | no limits |
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from maestro_dsl.errors import EnvironmentFailure, UsageError
from maestro_dsl.sandbox import bubblewrap
from maestro_dsl.sandbox.forward import Forwards
from maestro_dsl.sandbox.limits import Limits
from maestro_dsl.sandbox.runner import Launch, launch, run_to_end

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from maestro_dsl.engine.ports import CommandResult, CommandSpec, RunningCommand

LEVELS = ("auto", "bubblewrap", "rlimits", "none")
_NONE_HINT = 'or write "sandbox: none" to run it without protection'
_UNLIMITED_PROCESSES = 100_000


class LocalSandbox:
    """Runs commands on this machine; implements `Sandbox`."""

    def __init__(self, level: str, *, limits: Limits | None = None) -> None:
        if level not in LEVELS:
            raise UsageError(f'unknown sandbox level "{level}"', hint=f"one of: {', '.join(LEVELS)}")
        self.level = level
        self._limits = limits or Limits()

    async def run(self, command: CommandSpec) -> CommandResult:
        """Run to the end or the time limit; see `Sandbox.run`."""
        prepared = await self._prepare(command, cpu_s=command.timeout_s)
        return await run_to_end(prepared, command.timeout_s)

    async def start(self, command: CommandSpec) -> RunningCommand:
        """Start a service; see `Sandbox.start`."""
        return await launch(await self._prepare(command, cpu_s=None))

    async def _prepare(self, command: CommandSpec, *, cpu_s: float | None) -> Launch:
        argv = _resolve(command)
        isolate = await self._must_isolate(trusted=command.trusted)
        limited = self.level != "none"
        scratch = Path(tempfile.mkdtemp(prefix="maestro-run-"))

        async def remove() -> None:
            shutil.rmtree(scratch, ignore_errors=True)

        prepared = Launch(
            argv=argv,
            cwd=command.cwd.resolve(),
            env=_environment(command, home="/tmp" if isolate else str(scratch)),  # noqa: S108 - its own tmpfs
            limits=self._limits.as_rlimits(cpu_s=cpu_s) if limited else {"CORE": 0},
            max_processes=self._limits.processes if limited else _UNLIMITED_PROCESSES,
            max_output_bytes=command.max_output_bytes,
            cleanup=remove,
        )
        return await _isolated(prepared, command, scratch, remove) if isolate else prepared

    async def _must_isolate(self, *, trusted: bool) -> bool:
        if self.level == "none" or (trusted and self.level != "bubblewrap"):
            return False
        if self.level == "rlimits":
            raise EnvironmentFailure(
                "the sandbox level rlimits is not enough for a command that a model wrote",
                hint=f'write "sandbox: bubblewrap", {_NONE_HINT}',
            )
        problem = await bubblewrap.problem()
        if problem is None:
            return True
        fix = bubblewrap.INSTALL_HINT if "not installed" in problem else "allow user namespaces"
        raise EnvironmentFailure(
            f"nothing a model wrote may run here without a sandbox: {problem}",
            hint=f"{fix}, {_NONE_HINT}",
        )


async def _isolated(
    plain: Launch, command: CommandSpec, scratch: Path, remove: Callable[[], Awaitable[None]]
) -> Launch:
    """Return `plain` wrapped in bubblewrap, with a relay where the command needs some of the network."""
    bubblewrap.write_etc(scratch)
    program = shutil.which("bwrap") or "bwrap"
    if not command.reach and command.serve_port is None:
        wrapper = bubblewrap.arguments(program, plain.cwd, sockets=None, etc=scratch)
        return _wrapped(plain, (*wrapper, *plain.argv))
    forwards = Forwards()

    async def clean() -> None:
        await forwards.close()
        await remove()

    try:
        ports = sorted({_port(name, url) for name, url in command.reach.items()})
        reach: list[list[int | str]] = [
            [port, f"{bubblewrap.SOCKETS}/sockets/{await forwards.reach(port)}"] for port in ports
        ]
        serve = None
        if command.serve_port is not None:
            serve = [await forwards.serve(command.serve_port), command.serve_port]
    except BaseException:
        await clean()
        raise
    wrapper = bubblewrap.arguments(program, plain.cwd, sockets=forwards.folder, etc=scratch)
    relay = (sys.executable, "-I", "-S", f"{bubblewrap.SOCKETS}/relay.py", _relay_config(reach, serve))
    fds = () if serve is None else (serve[0],)
    return _wrapped(plain, (*wrapper, *relay, *plain.argv), keep_fds=fds, cleanup=clean)


def _relay_config(reach: list[list[int | str]], serve: list[int] | None) -> str:
    return json.dumps({"reach": reach, "serve": serve})


def _wrapped(
    plain: Launch,
    argv: tuple[str, ...],
    *,
    keep_fds: tuple[int, ...] = (),
    cleanup: Callable[[], Awaitable[None]] | None = None,
) -> Launch:
    return replace(plain, argv=argv, keep_fds=keep_fds, cleanup=cleanup or plain.cleanup)


def _resolve(command: CommandSpec) -> tuple[str, ...]:
    """Return the argument list with its program as an absolute path.

    Raises:
        EnvironmentFailure: there is no such program or no such folder.
    """
    if not command.argv:
        raise EnvironmentFailure("the command is an empty list", hint="name a program as its first item")
    name = command.argv[0]
    if not command.cwd.is_dir():
        raise EnvironmentFailure(f"the folder to run {name} in does not exist: {command.cwd}")
    if name in {"python", "python3"}:
        return (sys.executable, *command.argv[1:])
    local = command.cwd.resolve() / name
    if "/" in name and not Path(name).is_absolute():
        program = str(local) if os.access(local, os.X_OK) and local.is_file() else None
    else:
        program = shutil.which(name, path=command.env.get("PATH", _path()))
    if program is None:
        raise EnvironmentFailure(f'there is no program "{name}"', hint="install it, or correct the command")
    return (program, *command.argv[1:])


def _path() -> str:
    return os.pathsep.join((str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"))


def _environment(command: CommandSpec, *, home: str) -> Mapping[str, str]:
    """Return the whole environment of the command; nothing of ours is inherited."""
    return {
        "PATH": _path(),
        "LANG": "C.UTF-8",
        "HOME": home,
        "TMPDIR": home,
        **command.env,
        **command.reach,
    }


def _port(name: str, url: str) -> int:
    parts = urlsplit(url)
    if parts.hostname not in {"127.0.0.1", "localhost"} or parts.port is None:
        raise EnvironmentFailure(
            f"{name} points outside this machine: {url}",
            hint="a sandboxed command reaches addresses on 127.0.0.1 with a port only",
        )
    return parts.port
