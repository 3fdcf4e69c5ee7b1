"""The sandbox levels as one class: which isolation a command gets, and refusal where it cannot have it.

| level | written by our templates (`trusted`) | everything else |
|---|---|---|
| auto | limits | bubblewrap, else Landlock, else refused |
| bubblewrap | bubblewrap | bubblewrap |
| landlock | Landlock | Landlock without network, else refused |
| rlimits | limits | refused |
| none | no limits | no limits |
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from maestro_dsl.errors import EnvironmentFailure, UsageError
from maestro_dsl.sandbox import bubblewrap, landlock
from maestro_dsl.sandbox.forward import Forwards
from maestro_dsl.sandbox.limits import Limits
from maestro_dsl.sandbox.runner import Launch, launch, run_to_end
from maestro_dsl.scratch import ScratchFolder, machine_at_fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.engine.ports.processes import CommandResult, CommandSpec, RunningCommand

LEVELS = ("auto", "bubblewrap", "landlock", "rlimits", "none")
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
        isolation = await self._isolation(trusted=command.trusted)
        limited = self.level != "none"
        folder = ScratchFolder()
        scratch = folder.path

        async def remove() -> None:
            folder.remove()

        prepared = Launch(
            argv=argv,
            cwd=command.cwd.resolve(),
            env=_environment(command, home="/tmp" if isolation == "bubblewrap" else str(scratch)),  # noqa: S108 - its own tmpfs
            limits=self._limits.as_rlimits(cpu_s=cpu_s) if limited else {"CORE": 0},
            max_processes=self._limits.processes if limited else _UNLIMITED_PROCESSES,
            max_output_bytes=command.max_output_bytes,
            room=self._limits.room((str(command.cwd.resolve()), str(scratch))) if limited else None,
            cleanup=remove,
        )
        if isolation is None:
            return prepared
        try:
            if isolation == "landlock" and landlock.kernel().namespaces is not None:
                return _by_port(prepared, command, scratch)
            return await _isolated(prepared, command, scratch, isolation)
        except BaseException:
            await remove()
            raise

    async def _isolation(self, *, trusted: bool) -> str | None:
        if self.level == "none" or (trusted and self.level in {"auto", "rlimits"}):
            return None
        if self.level == "rlimits":
            raise EnvironmentFailure(
                "the sandbox level rlimits is not enough for a command that a model wrote",
                hint=f'write "sandbox: auto", {_NONE_HINT}',
            )
        reasons = await unavailable()
        wanted = ("bubblewrap", "landlock") if self.level == "auto" else (self.level,)
        for level in wanted:
            if reasons[level] is None:
                return level
        problem = "; ".join(reason for level in wanted if (reason := reasons[level]))
        fix = bubblewrap.INSTALL_HINT if "not installed" in problem else "allow user namespaces"
        if self.level == "landlock":
            fix = 'write "sandbox: auto"'
        raise EnvironmentFailure(
            f"nothing a model wrote may run here without a sandbox: {problem}", hint=f"{fix}, {_NONE_HINT}"
        )


async def unavailable() -> dict[str, str | None]:
    """Return why each level that is strong enough for what a model wrote cannot be used here, or None."""
    return {"bubblewrap": await bubblewrap.problem(), "landlock": landlock.kernel().problem}


async def _isolated(plain: Launch, command: CommandSpec, scratch: Path, level: str) -> Launch:
    """Return `plain` wrapped in a level with a network of its own, with a relay where ours is needed."""
    wrap = _in_bubblewrap if level == "bubblewrap" else _in_landlock
    if not command.reach and command.serve_port is None:
        return wrap(plain, scratch, None, None)
    forwards = Forwards()

    async def clean() -> None:
        await forwards.close()
        if plain.cleanup is not None:
            await plain.cleanup()

    try:
        shown = f"{bubblewrap.SOCKETS}/sockets" if level == "bubblewrap" else str(forwards.folder)
        reach: list[list[int | str]] = [
            [port, f"{shown}/{await forwards.reach(port)}"] for port in _ports(command)
        ]
        serve = None
        if command.serve_port is not None:
            serve = [await forwards.serve(command.serve_port), command.serve_port]
    except BaseException:
        await forwards.close()
        raise
    wrapped = wrap(replace(plain, cleanup=clean), scratch, forwards.folder, _relay_config(reach, serve))
    return wrapped if serve is None else replace(wrapped, keep_fds=(*wrapped.keep_fds, serve[0]))


def _in_bubblewrap(plain: Launch, scratch: Path, sockets: Path | None, relay: str | None) -> Launch:
    with machine_at_fault(scratch):
        bubblewrap.write_etc(scratch)
        syscalls = bubblewrap.syscall_filter()
    program = shutil.which("bwrap") or "bwrap"
    wrapper = bubblewrap.arguments(program, plain.cwd, sockets=sockets, etc=scratch, syscalls=syscalls)
    carrier = () if relay is None else _relay(f"{bubblewrap.SOCKETS}/relay.py", relay)
    wrapped = replace(plain, argv=(*wrapper, *carrier, *plain.argv))
    if syscalls is None:
        return wrapped

    async def clean() -> None:
        os.close(syscalls)
        if plain.cleanup is not None:
            await plain.cleanup()

    return replace(wrapped, keep_fds=(syscalls,), cleanup=clean)


def _in_landlock(plain: Launch, scratch: Path, _sockets: Path | None, relay: str | None) -> Launch:
    """Return `plain` in a network of its own; it cannot touch its relay, whose sockets lead out.

    The second confinement is a domain inside the first one: no process of it may trace or signal the relay.
    """
    folders, version = (plain.cwd, scratch), landlock.kernel().abi
    inner = landlock.confinement(folders, separate=relay is None, sockets="loopback", serve=None)
    if relay is None:
        return replace(plain, argv=(*landlock.arguments(version, inner), *plain.argv))
    outer = landlock.arguments(version, replace(inner, separate=True, sockets=None))
    carrier = _relay(str(Path(__file__).with_name("relay.py")), relay)
    # ports of the network that the relay stands in are not the machine's: they need no rule
    again = landlock.arguments(version, replace(inner, ports=False))
    return replace(plain, argv=(*outer, *carrier, *again, *plain.argv))


def _by_port(plain: Launch, command: CommandSpec, scratch: Path) -> Launch:
    """Return `plain` under Landlock on the machine's own network, with no sockets, or stated ports alone.

    Raises:
        EnvironmentFailure: ports are stated, and they cannot be granted to this command alone.
    """
    kernel, ports = landlock.kernel(), _ports(command)
    wants = bool(ports) or command.serve_port is not None
    if wants and (not command.trusted or kernel.abi < landlock.PORTS_ABI):
        # a rule for a port opens it on every address, so it would not be "no network"
        raise EnvironmentFailure(
            f"Landlock cannot give a command single ports here: no network of its own ({kernel.namespaces})",
            hint=f"{bubblewrap.INSTALL_HINT} and allow user namespaces, {_NONE_HINT}",
        )
    wanted = landlock.confinement(
        (plain.cwd, scratch),
        separate=False,
        sockets="tcp" if wants else "none",
        reach=ports,
        serve=command.serve_port,
    )
    return replace(plain, argv=(*landlock.arguments(kernel.abi, wanted), *plain.argv))


def _relay(program: str, config: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", program, config)


def _ports(command: CommandSpec) -> list[int]:
    return sorted({_port(name, url) for name, url in command.reach.items()})


def _relay_config(reach: list[list[int | str]], serve: list[int] | None) -> str:
    return json.dumps({"reach": reach, "serve": serve})


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
