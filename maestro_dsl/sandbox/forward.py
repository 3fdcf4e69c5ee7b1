"""Carries connections between loopback ports and Unix sockets, outside a sandbox without network.

The counterpart inside is `relay.py`. The sockets lie in a private folder that the sandbox sees read-only.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, TypeAlias

from maestro_dsl.errors import EnvironmentFailure
from maestro_dsl.scratch import ScratchFolder, machine_at_fault

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_CHUNK = 65_536
_MOST = 200
"""Connections at once; each takes two descriptors of this process, and a command may ask for any number."""
_Streams: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Forwards:
    """The ways in and out of one sandboxed command; `folder` holds their sockets until `close`."""

    def __init__(self) -> None:
        self._place = ScratchFolder()
        self.folder = self._place.path
        self._servers: list[asyncio.Server] = []
        self._tasks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        """Who carries a connection, with the side that came to us."""
        self._is_closed = False
        self._inherited: list[socket.socket] = []

    async def reach(self, port: int) -> str:
        """Carry what the command sends to `port` to the same loopback port here; return the socket's name."""
        name = f"reach-{port}.sock"
        with machine_at_fault(self.folder):
            server = await asyncio.start_unix_server(
                self._handler(lambda: asyncio.open_connection("127.0.0.1", port)), self.folder / name
            )
        self._servers.append(server)
        return name

    async def serve(self, port: int) -> int:
        """Carry connections to loopback `port` into the sandbox; return the descriptor that it inherits.

        Raises:
            EnvironmentFailure: the port is in use.
        """
        path = str(self.folder / "serve.sock")
        with machine_at_fault(self.folder):
            listener = socket.socket(socket.AF_UNIX)
            self._inherited.append(listener)
            listener.bind(path)
        listener.listen(128)
        try:
            server = await asyncio.start_server(
                self._handler(lambda: asyncio.open_unix_connection(path)), "127.0.0.1", port
            )
        except OSError as error:
            raise EnvironmentFailure(f"port {port} is in use", hint="stop what listens there") from error
        self._servers.append(server)
        return listener.fileno()

    def _handler(
        self, connect: Callable[[], Awaitable[_Streams]]
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if self._is_closed or len(self._tasks) >= _MOST:
                writer.close()
                return
            task = asyncio.create_task(_join((reader, writer), connect))
            self._tasks[task] = writer
            task.add_done_callback(self._tasks.pop)

        return accept

    async def close(self) -> None:
        """Close every way and remove the sockets."""
        self._is_closed = True
        for server in self._servers:
            server.close()
        ways = dict(self._tasks)
        for task in ways:
            task.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        for writer in ways.values():  # a task that was cancelled before it had both sides closed neither
            await _end(writer)
        for listener in self._inherited:
            listener.close()
        self._place.remove()


async def _join(client: _Streams, connect: Callable[[], Awaitable[_Streams]]) -> None:
    try:
        server = await connect()
    except OSError:
        await _end(client[1])
        return
    try:
        await asyncio.gather(_copy(client[0], server[1]), _copy(server[0], client[1]))
    finally:
        await _end(server[1])
        await _end(client[1])


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(_CHUNK):
            target.write(data)
            await target.drain()
        if target.can_write_eof():
            target.write_eof()
    except OSError:  # one side broke off: the other must learn of it
        target.close()


async def _end(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
