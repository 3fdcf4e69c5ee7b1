"""Serves mocks in this process and starts real providers in the sandbox, for as long as a lease lasts.

Every lease is a fresh service of its own: own port, own memory, own log, own copy of the files. So users that
run at the same time never see each other's data. What an earlier, killed run left is for `processes`.
"""

from __future__ import annotations

import asyncio
import socket
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from maestro_dsl.engine.events import ServiceReady, ServiceStopped
from maestro_dsl.engine.ports.processes import CommandSpec, ServiceLease
from maestro_dsl.errors import EnvironmentFailure, UnrecoverableError
from maestro_dsl.lang.model import Json
from maestro_dsl.net.client import HttpClient, NoAnswer
from maestro_dsl.sandbox.mocks import InterfaceMocks
from maestro_dsl.sandbox.processes import LEASE_VARIABLE
from maestro_dsl.scratch import machine_at_fault, remove_tree

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from maestro_dsl.engine.ports.processes import RunningCommand, Sandbox, ServiceEvent, ServiceSpec
    from maestro_dsl.engine.ports.storage import ArtifactStore
    from maestro_dsl.ports import Ids
    from maestro_dsl.sandbox.mocks import MockServer

_A_PORT = "a port of this machine"
_HOST = "127.0.0.1"
_LOOK_EVERY_S = 0.03
_READY_REQUEST_S = 2.0


@dataclass(slots=True)
class _Open:
    """A lease in use."""

    contract_id: str
    mode: str
    lease: str
    port: int
    stop: Callable[[], Awaitable[None]]
    calls: list[Mapping[str, Json]] = field(default_factory=list)
    ready: bool = False


class RandomIds:
    """Names that are unique across machines; implements `Ids`."""

    def new(self) -> str:
        """Return a fresh UUID."""
        return str(uuid.uuid4())


class LocalServices:
    """Implements `Services` on this machine.

    `on_event` is told of each start and stop, `scratch` is a folder of this run in which copies of providers'
    files live until their lease ends, `mocks` serves the mocks of interfaces, `ids` names the leases.
    """

    def __init__(
        self,
        *,
        artifacts: ArtifactStore,
        sandbox: Sandbox,
        scratch: Path,
        on_event: Callable[[ServiceEvent], None],
        mocks: MockServer | None = None,
        ids: Ids | None = None,
    ) -> None:
        self._artifacts = artifacts
        self._sandbox = sandbox
        self._mocks: MockServer = mocks or InterfaceMocks()
        self._scratch = scratch
        self._ids: Ids = ids or RandomIds()
        self._on_event = on_event
        self._open: dict[str, _Open] = {}
        self._stated: set[int] = set()
        """Stated ports of mocks that start or run: taken before anything is awaited."""

    @property
    def users(self) -> Mapping[str, int]:
        """How many leases of each contract are in use."""
        return Counter(item.contract_id for item in self._open.values())

    @asynccontextmanager
    async def lease(self, service: ServiceSpec) -> AsyncIterator[ServiceLease]:
        """Serve until the block ends; see `Services.lease`."""
        opened = await (self._mock(service) if service.mode == "mock" else self._real(service))
        try:
            yield ServiceLease(
                contract_id=opened.contract_id,
                mode=opened.mode,
                url=f"http://{_HOST}:{opened.port}",
                calls=lambda: tuple(opened.calls),
            )
        finally:
            await asyncio.shield(self._end(opened))

    async def close(self) -> None:
        """Stop everything that still runs."""
        for opened in tuple(self._open.values()):
            await self._end(opened)

    async def _end(self, opened: _Open) -> None:
        if self._open.pop(opened.lease, None) is None:
            return
        await opened.stop()
        self._stated.discard(opened.port)
        if opened.ready:
            self._on_event(
                ServiceStopped(contract_id=opened.contract_id, mode=opened.mode, lease=opened.lease)
            )

    def _is_ready(self, opened: _Open, pgid: int | None) -> _Open:
        opened.ready = True
        self._on_event(
            ServiceReady(
                contract_id=opened.contract_id,
                mode=opened.mode,
                url=f"http://{_HOST}:{opened.port}",
                lease=opened.lease,
                pgid=pgid,
            )
        )
        return opened

    # ---- mocks -------------------------------------------------------------------------------------------

    async def _mock(self, service: ServiceSpec) -> _Open:
        contract_id = service.contract.id
        if service.spec is None:
            raise UnrecoverableError(f'the contract "{contract_id}" has no interface to serve a mock of')
        calls: list[Mapping[str, Json]] = []
        port = self._stated_port(service) or 0
        try:
            with machine_at_fault(_A_PORT):
                server = await self._mocks.serve(service.contract, service.spec, _HOST, port, calls.append)
        except BaseException as error:
            self._stated.discard(port)
            if not port or not isinstance(error, EnvironmentFailure):
                raise
            raise EnvironmentFailure(
                f'port {port}, which the contract "{contract_id}" states for its mock, is in use',
                hint="stop what listens there, or change mock_endpoint",
            ) from error
        opened = _Open(
            contract_id=contract_id,
            mode="mock",
            lease=self._ids.new(),
            port=urlsplit(server.url).port or port,
            stop=server.stop,
            calls=calls,
        )
        self._open[opened.lease] = opened
        return self._is_ready(opened, None)

    def _stated_port(self, service: ServiceSpec) -> int | None:
        """Take the port of `mock_endpoint`, unless another lease of ours has it already."""
        endpoint = service.contract.contract.mock_endpoint
        port = urlsplit(endpoint).port if endpoint else None
        if port is None or port in self._stated:
            return None
        self._stated.add(port)
        return port

    # ---- real providers ----------------------------------------------------------------------------------

    async def _real(self, service: ServiceSpec) -> _Open:
        lease = self._ids.new()
        folder = self._scratch / lease
        try:
            with machine_at_fault(folder):
                copy_files(self._artifacts, service, folder)
            port = _free_port()
            running = await self._sandbox.start(
                CommandSpec(
                    argv=service.contract.contract.start,
                    cwd=home_of(service, folder),
                    env={"HOST": _HOST, "PORT": str(port), LEASE_VARIABLE: lease},
                    reach=service.reach,
                    trusted=service.trusted,
                    serve_port=port,
                )
            )
        except BaseException:
            remove_tree(folder)
            raise

        async def stop() -> None:
            await running.stop()
            remove_tree(folder)

        opened = _Open(contract_id=service.contract.id, mode="real", lease=lease, port=port, stop=stop)
        self._open[lease] = opened
        try:
            stated = service.contract.contract
            name = f'the provider of "{stated.id}" ({" ".join(stated.start)})'
            await until_ready(name, running, port, timeout_s=service.timeout_s)
        except BaseException:
            await asyncio.shield(self._end(opened))
            raise
        return self._is_ready(opened, running.pgid)


async def until_ready(name: str, running: RunningCommand, port: int, *, timeout_s: float) -> None:
    """Wait for the first HTTP answer of a started service; `name` stands in the error.

    Raises:
        UnrecoverableError: it ended, or did not answer in time; its last lines are in the text.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + timeout_s
    async with HttpClient(f"http://{_HOST}:{port}", timeout_s=_READY_REQUEST_S) as client:
        while running.poll() is None:
            if loop.time() > until:
                raise UnrecoverableError(
                    f"{name} did not answer within {timeout_s:g} s{_last_lines(running)}",
                    hint="it must listen on the address in HOST and PORT",
                )
            try:
                await client.send("GET", "/")
            except NoAnswer:
                await asyncio.sleep(_LOOK_EVERY_S)
            else:
                return
    await running.stop(0.0)  # collects the rest of what it wrote
    raise UnrecoverableError(f"{name} ended with code {running.poll()} at its start{_last_lines(running)}")


def _last_lines(running: RunningCommand) -> str:
    tail = running.tail().strip()
    return f"; its last lines:\n{tail}" if tail else " and wrote nothing"


def copy_files(artifacts: ArtifactStore, service: ServiceSpec, folder: Path) -> None:
    """Write the provider's files below `folder`, which must not exist yet.

    Raises:
        UnrecoverableError: a file's path leads out of the folder, or there are no files.
    """
    if not service.files:
        raise UnrecoverableError(f'there are no files from which "{service.contract.id}" could be started')
    folder.mkdir(parents=True)
    for file in service.files:
        path = PurePosixPath(file.path)
        if path.is_absolute() or ".." in path.parts or "\0" in file.path:
            raise UnrecoverableError(f'the path "{file.path}" leads out of the output folder')
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(artifacts.get(file.digest))
        target.chmod(0o755 if file.executable else 0o644)


def home_of(service: ServiceSpec, folder: Path) -> Path:
    """Return where the provider is started: the folder of its persona, where its files lie in one."""
    own = folder / service.contract.contract.provider_persona_id
    return own if own.is_dir() else folder


def _free_port() -> int:
    with machine_at_fault(_A_PORT), socket.create_server((_HOST, 0)) as listener:
        return int(listener.getsockname()[1])
