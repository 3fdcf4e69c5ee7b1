"""Several mocks in one process: one port each or one prefix each, or proxies that report drift."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO
from urllib.parse import urlsplit

from maestro_dsl.app.values import ServedMock
from maestro_dsl.errors import EnvironmentFailure, UsageError
from maestro_dsl.interfaces.openapi.drift import DriftReport, Proxy
from maestro_dsl.interfaces.openapi.model import Api
from maestro_dsl.interfaces.options import options_of, overridden
from maestro_dsl.lang.model import Json
from maestro_dsl.net.server import serve

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from maestro_dsl.app.mocks import Subject
    from maestro_dsl.interfaces.asgi import Asgi
    from maestro_dsl.ports import Clock

_LOCATION: Final = b"location"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings:
    """How mocks are served; what is None is as each contract says."""

    host: str = "127.0.0.1"
    port: int = 0
    """Several mocks get ports in a row from here on; 0 = free ones."""
    seed: int = 0
    has_one_port: bool = False
    """True puts every mock below `/<its name>` of one port."""
    latency: str | None = None
    error_rate: float | None = None
    timeout_rate: float | None = None
    is_dynamic: bool = False
    callback_hosts: tuple[str, ...] = ()
    credentials: tuple[str, ...] = ()
    proxy: str | None = None
    """A real provider: requests are passed on to it, and its answers compared with the contract."""
    log: Path | None = None
    """One JSON line a request is added to this file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    """Who is told what while mocks are served."""

    ready: Callable[[tuple[ServedMock, ...]], None]
    on_call: Callable[[str, Mapping[str, Json]], None] | None = None
    on_notice: Callable[[str], None] | None = None
    """Told of callbacks, in a sentence each."""


async def serve_all(
    subjects: Sequence[Subject],
    settings: ServeSettings,
    listeners: Listeners,
    *,
    stop: asyncio.Event,
    clock: Clock,
) -> tuple[DriftReport, ...]:
    """Serve until `stop` is set; return what drifted, one report a proxy.

    Raises:
        UsageError: the settings do not fit the interfaces.
        EnvironmentFailure: a port is in use, or the log cannot be written.
    """
    if settings.proxy is not None:
        _check_proxy(settings.proxy, subjects)
    async with AsyncExitStack() as stack:
        log = None if settings.log is None else stack.enter_context(_opened(settings.log))
        apps = {
            item.name: _app(item, settings, listeners, _recorder(item.name, listeners, log, clock))
            for item in subjects
        }
        if settings.has_one_port:
            server = await serve(mounted(apps), settings.host, settings.port)
            stack.push_async_callback(server.stop)
            addresses = {name: f"{server.url}/{name}" for name in apps}
        else:
            addresses = {}
            for offset, (name, app) in enumerate(apps.items()):
                port = settings.port + offset if settings.port else 0
                server = await serve(app, settings.host, port)
                stack.push_async_callback(server.stop)
                addresses[name] = server.url
        served = (
            ServedMock(
                name=item.name, url=addresses[item.name], operations=item.interface.operations(item.api)
            )
            for item in subjects
        )
        listeners.ready(tuple(served))
        await stop.wait()
    return tuple(app.report() for app in apps.values() if isinstance(app, Proxy))


def _check_proxy(url: str, subjects: Sequence[Subject]) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise UsageError(f'"{url}" is no address', hint="--proxy http://127.0.0.1:8000")
    if len(subjects) != 1:
        raise UsageError("one provider is compared with one interface", hint="name one file with --proxy")
    if not isinstance(subjects[0].api, Api):
        raise UsageError(f"{subjects[0].name} is no REST interface: only those can be compared as a proxy")


def _app(
    item: Subject,
    settings: ServeSettings,
    listeners: Listeners,
    record: Callable[[Mapping[str, Json]], None] | None,
) -> Asgi:
    if settings.proxy is not None and isinstance(item.api, Api):
        return Proxy(api=item.api, base_url=settings.proxy, name=item.name, record=record)
    options = overridden(
        options_of(item.options),
        latency=settings.latency,
        error_rate=settings.error_rate,
        timeout_rate=settings.timeout_rate,
        is_dynamic=settings.is_dynamic,
        callback_hosts=settings.callback_hosts,
        credentials=settings.credentials,
        on_callback=listeners.on_notice,
    )
    return item.interface.serve(item.api, seed=settings.seed, record=record, name=item.name, options=options)


def _opened(file: Path) -> TextIO:
    try:
        return file.open("a", encoding="utf-8", buffering=1)
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot write {file}: {error.strerror}", hint="choose another file with --log"
        ) from error


def _recorder(
    name: str, listeners: Listeners, log: TextIO | None, clock: Clock
) -> Callable[[Mapping[str, Json]], None] | None:
    on_call = listeners.on_call
    if on_call is None and log is None:
        return None

    def record(call: Mapping[str, Json]) -> None:
        if log is not None:
            at = datetime.fromtimestamp(clock.now(), UTC).isoformat(timespec="milliseconds")
            log.write(json.dumps({"at": at, "mock": name, **call}, ensure_ascii=False) + "\n")
        if on_call is not None:
            on_call(name, call)

    return record


def mounted(apps: Mapping[str, Asgi]) -> Asgi:
    """Return one application that has each of `apps` below `/<its name>`, with the addresses it names."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] not in {"http", "websocket"}:
            return
        raw = scope.get("raw_path") or scope["path"].encode()
        name, slash, rest = raw.removeprefix(b"/").partition(b"/")
        inner = apps.get(name.decode("utf-8", "replace"))
        if inner is None and scope["type"] == "websocket":
            await send({"type": "websocket.close"})
            return
        if inner is None:
            listed = ", ".join(f"/{known}" for known in apps)
            await _not_found(send, f"the mocks of this port are {listed}")
            return

        async def below(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = [
                    (key, b"/" + name + value if key == _LOCATION and value.startswith(b"/") else value)
                    for key, value in message["headers"]
                ]
                message = {**message, "headers": headers}
            await send(message)

        path = (slash + rest) or b"/"
        await inner({**scope, "raw_path": path, "path": path.decode("utf-8", "replace")}, receive, below)

    return app


async def _not_found(send: Any, detail: str) -> None:
    body = {"type": "about:blank", "title": "Not Found", "status": 404, "detail": detail}
    content = json.dumps(body).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(content)).encode()),
    ]
    await send({"type": "http.response.start", "status": 404, "headers": headers})
    await send({"type": "http.response.body", "body": content})
