"""Serves an ASGI application inside this process, on one address, until it is told to stop.

Installs no signal handlers and changes no logging: both belong to the program, not to a server in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import uvicorn

from maestro_dsl.errors import EnvironmentFailure

Message: TypeAlias = MutableMapping[str, Any]
AsgiApp: TypeAlias = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]

_BACKLOG = 2048
_GRACE_S = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that answers at `url`, e.g. "http://127.0.0.1:4010"."""

    url: str
    port: int
    _inner: _Uvicorn
    _task: asyncio.Task[None]

    async def stop(self) -> None:
        """Finish what is being answered, for a second at most, and close the port; twice is fine."""
        self._inner.should_exit = True
        await asyncio.wait({self._task})

    async def wait(self) -> None:
        """Return when the server has ended, for whatever reason."""
        await asyncio.wait({self._task})


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()


async def serve(app: AsgiApp, host: str = "127.0.0.1", port: int = 0) -> Server:
    """Start serving `app` and return when it answers; port 0 takes a free one.

    Raises:
        EnvironmentFailure: the address cannot be used; the text is one line.
    """
    listener = _bind(host, port)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        ws=_websocket,  # type: ignore[arg-type]  # uvicorn calls it as it calls the class
        timeout_graceful_shutdown=_GRACE_S,
    )
    inner = _Uvicorn(config)
    task = asyncio.create_task(inner.serve(sockets=[listener]))
    ready = asyncio.create_task(inner.ready.wait())
    try:
        await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ready.cancel()
    if not inner.ready.is_set():
        listener.close()
        raise EnvironmentFailure(f"the server on {host}:{port} did not start")
    actual = int(listener.getsockname()[1])
    shown = f"[{host}]" if ":" in host else host
    return Server(url=f"http://{shown}:{actual}", port=actual, _inner=inner, _task=task)


def _websocket(*args: Any, **options: Any) -> asyncio.Protocol:
    """Return what speaks on a connection that becomes a WebSocket; loaded when the first one does."""
    from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

    return WSProtocol(*args, **options)


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's algorithm off: 40 ms an answer otherwise.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        raise _failure(host, port, error) from error
    listener.setblocking(False)
    return listener


def _failure(host: str, port: int, error: Exception) -> EnvironmentFailure:
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.EADDRINUSE:
        hint = "choose another port, or 0 for a free one"
        return EnvironmentFailure(f"port {port} on {host} is already in use", hint=hint)
    if code == errno.EACCES:
        hint = "choose a port above 1023"
        return EnvironmentFailure(f"port {port} on {host} may not be used by this user", hint=hint)
    return EnvironmentFailure(f"cannot listen on {host}:{port}: {error}", hint="check host and port")
