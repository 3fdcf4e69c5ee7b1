"""The ports of processes: commands in a sandbox, and services that run while somebody uses them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from maestro_dsl.compiler.plan import CompiledContract
from maestro_dsl.engine.events import FileRef, ServiceReady, ServiceStopped
from maestro_dsl.lang.model import Json
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """A finished command; output is cut to the limit and decoded leniently."""

    exit_code: int
    stdout: str
    stderr: str
    timed_out: bool = False
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSpec:
    """A command as an argument list, never a shell string.

    `python` as the first argument means the running interpreter. `reach` maps environment variable names to
    URLs on loopback that the command may call; nothing else of the network is there. `serve_port` is the
    loopback port on which the command will listen and be reached (services only).
    """

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)
    reach: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 60.0
    trusted: bool = False
    serve_port: int | None = None
    max_output_bytes: int = 1_000_000


class RunningCommand(Protocol):
    """A started service."""

    pgid: int

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""

    def tail(self) -> str:
        """Return the last lines it wrote, for error messages."""

    async def stop(self, grace_s: float = 2.0) -> None:
        """End the whole process group: terminate, then kill."""


class Sandbox(Protocol):
    """Runs what a model wrote, and nothing of it outside."""

    level: str

    async def run(self, command: CommandSpec) -> CommandResult:
        """Run to the end or the time limit; the process group is gone afterwards.

        Raises:
            EnvironmentFailure: no sandbox level that this command needs is available, or no such program.
        """

    async def start(self, command: CommandSpec) -> RunningCommand:
        """Start a service; the caller stops it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLease:
    """A running mock or provider. `calls()` returns the request log since the lease began (mocks only)."""

    contract_id: str
    mode: str
    url: str
    calls: Callable[[], tuple[Mapping[str, Json], ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSpec:
    """What to serve: a mock of the contract's spec, or the real provider from its files.

    `user` names who asks (a node address): each user of a mock has its own log and its own memory.
    """

    contract: CompiledContract
    mode: str
    spec: bytes | None
    user: str
    files: tuple[FileRef, ...] = ()
    trusted: bool = False
    timeout_s: float = 20.0
    reach: Mapping[str, str] = field(default_factory=dict)
    """What a real provider itself consumes: `MAESTRO_URL_<CONTRACT>` → URL."""


ServiceEvent: TypeAlias = ServiceReady | ServiceStopped


class Services(Protocol):
    """Starts mocks and providers, one for each lease."""

    def lease(self, service: ServiceSpec) -> AbstractAsyncContextManager[ServiceLease]:
        """Serve until the block ends.

        Raises:
            EnvironmentFailure: a stated port is in use, or the sandbox is not available.
            UnrecoverableError: the provider died or did not answer in time; its last lines are in the text.
        """

    async def close(self) -> None:
        """Stop everything that still runs."""
