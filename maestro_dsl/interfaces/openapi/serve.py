"""The mock as an ASGI application: bytes in, `decide`, bytes out, and a record of every call.

Plain ASGI, no framework: nothing stands between the socket and the decision table.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from maestro_dsl.interfaces.asgi import (
    Asgi,
    CallRecord,
    Receive,
    Scope,
    Send,
    disconnected,
    lifespan,
    read_body,
    recorded_text,
    send_answer,
)
from maestro_dsl.interfaces.openapi.admin import PREFIX, is_local
from maestro_dsl.interfaces.openapi.answers import problem
from maestro_dsl.interfaces.openapi.callbacks import Outgoing, outgoing
from maestro_dsl.interfaces.openapi.decide import Interpreter, encoded
from maestro_dsl.interfaces.openapi.inputs import Request
from maestro_dsl.interfaces.openapi.table import Table
from maestro_dsl.interfaces.options import HELD_S, NO_OPTIONS, Fault, ServeOptions, fate_of
from maestro_dsl.net.client import HttpClient, NoAnswer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from maestro_dsl.interfaces.openapi.answers import Answer
    from maestro_dsl.interfaces.openapi.model import Api

_CALLBACK_S = 5.0
_RECORDED_HEADERS = frozenset({"accept", "content-type", "prefer", "user-agent", "if-match", "if-none-match"})
_CORS_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"


def mock_app(
    api: Api,
    *,
    seed: int | str = 0,
    record: Callable[[CallRecord], None] | None = None,
    name: str = "mock",
    options: ServeOptions = NO_OPTIONS,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Asgi:
    """Return an application that answers for `api`; its memory lasts as long as it does.

    `record` is called with each finished call, calls to `/__admin` left out. `name` is shown in `server`.
    `sleep` waits where `options` ask for latency.
    """
    return _Mock(Interpreter(Table(api, seed, options)), record, name, sleep)


class _Mock:
    """One mock as an application; what it sends back goes on after the answer."""

    def __init__(
        self,
        interpreter: Interpreter,
        record: Callable[[CallRecord], None] | None,
        name: str,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._interpreter = interpreter
        self._options = interpreter.table.options
        self._record = record
        self._name = name
        self._sleep = sleep
        self._count = 0
        self._sending: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        if scope["type"] != "http":
            return
        body = await read_body(receive)
        request = request_of(scope, body or b"")
        if body is None:
            await send_answer(send, 413, {"connection": "close"}, b"")
            return
        preflight = _preflight(request)
        if preflight is not None:
            await send_answer(send, 204, preflight, b"")
            return
        is_admin = request.raw_path.startswith(PREFIX)
        answer = self._administered(scope, request) if is_admin else await self._answer(request, receive)
        content = encoded(answer)
        headers = _headers(answer, request, content, self._name)
        await send_answer(send, answer.status, headers, b"" if request.method == "HEAD" else content)
        if not is_admin:
            self._note(request, answer, content)

    def _administered(self, scope: Scope, request: Request) -> Answer:
        client = scope.get("client")
        if not is_local(None if client is None else client[0], request.headers):
            return problem(403, "the mock's own paths are for this machine only")
        return self._interpreter.answer(request)

    async def _answer(self, request: Request, receive: Receive) -> Answer:
        self._count += 1
        fate = fate_of(self._options, self._interpreter.table.seed, self._count)
        if fate.delay_ms:
            await self._sleep(fate.delay_ms / 1000)
        if fate.fault is Fault.TIMEOUT:
            await _held(receive, self._sleep)
            return problem(504, "this timeout is simulated")
        return self._interpreter.answer(request, failing=fate.fault is Fault.ERROR)

    def _note(self, request: Request, answer: Answer, content: bytes) -> None:
        call = record_of(self._count, request, answer, content)
        self._interpreter.admin.calls.append(call)
        if self._record is not None:
            self._record(call)
        if answer.operation is not None and answer.operation.callbacks:
            for item in outgoing(self._interpreter.table, request, answer):
                task = asyncio.get_running_loop().create_task(self._call_back(item))
                self._sending.add(task)
                task.add_done_callback(self._sending.discard)

    async def _call_back(self, item: Outgoing) -> None:
        said = item.refused if item.refused is not None else await _sent(item)
        is_sent = item.refused is None
        status = int(said) if is_sent and said.isdigit() else None
        self._interpreter.admin.calls.append(
            {
                "callback": item.name,
                "method": item.method,
                "url": item.url,
                "body": recorded_text(item.body or b""),
                "status": status,
                "error": None if status is not None else said,
            }
        )
        if self._options.on_callback is not None:
            verb = "is not sent" if not is_sent else "was sent"
            self._options.on_callback(f"callback {item.name}: {item.method} {item.url} {verb}: {said}")


async def _sent(item: Outgoing) -> str:
    """Send a callback; return the status of its answer, or why there is none."""
    parts = urlsplit(item.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    async with HttpClient(f"{parts.scheme}://{parts.netloc}", timeout_s=_CALLBACK_S) as client:
        try:
            answer = await client.send(item.method, target, headers=item.headers, body=item.body)
        except NoAnswer as error:
            return error.message
    return str(answer.status)


async def _held(receive: Receive, sleep: Callable[[float], Awaitable[None]]) -> None:
    """Return when the other side has given up, or has been held for as long as a timeout lasts."""
    waiting = {asyncio.ensure_future(disconnected(receive)), asyncio.ensure_future(sleep(HELD_S))}
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()


def request_of(scope: Scope, body: bytes) -> Request:
    """Return a request of ASGI as the mock reads it."""
    headers: dict[str, str] = {}
    for key, value in scope["headers"]:
        name = key.decode("latin-1")
        text = value.decode("latin-1")
        if name in headers:
            headers[name] += ("; " if name == "cookie" else ", ") + text
        else:
            headers[name] = text
    raw = scope.get("raw_path") or scope["path"].encode()
    return Request(
        method=scope["method"],
        raw_path=raw.partition(b"?")[0].decode("utf-8", "replace"),
        query_string=scope.get("query_string", b"").decode("utf-8", "replace"),
        headers=headers,
        body=body,
    )


def _preflight(request: Request) -> dict[str, str] | None:
    if request.method != "OPTIONS" or "access-control-request-method" not in request.headers:
        return None
    return {
        "access-control-allow-origin": request.headers.get("origin", "*"),
        "access-control-allow-methods": _CORS_METHODS,
        "access-control-allow-headers": request.headers.get("access-control-request-headers", "*"),
        "access-control-max-age": "600",
        "vary": "Origin",
    }


def _headers(answer: Answer, request: Request, content: bytes, name: str) -> dict[str, str]:
    headers = {**answer.headers, "server": f"maestro-{name}"}
    headers["access-control-allow-origin"] = request.headers.get("origin", "*")
    headers["access-control-expose-headers"] = "*"
    if answer.media_type is not None:
        headers["content-type"] = concrete(answer.media_type)
    if content or answer.status not in {204, 304}:
        headers["content-length"] = str(len(content))
    return headers


def concrete(media_type: str) -> str:
    """Return a media type that can be sent, for wildcards of a description."""
    if "*" in media_type:
        return "text/plain; charset=utf-8" if media_type.startswith("text/") else "application/json"
    return media_type


def record_of(seq: int, request: Request, answer: Answer, content: bytes) -> CallRecord:
    """Return what is kept of one call."""
    return {
        "seq": seq,
        "method": request.method,
        "path": request.raw_path,
        "query": request.query_string,
        "headers": {key: value for key, value in request.headers.items() if key in _RECORDED_HEADERS},
        "body": recorded_text(request.body),
        "status": answer.status,
        "response_body": recorded_text(content),
        "operation": None if answer.operation is None else answer.operation.id,
        "violations": list(answer.violations),
    }
