"""The mock as an ASGI application: bytes in, `decide`, bytes out, and a record of every call.

Plain ASGI, no framework: nothing stands between the socket and the decision table.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, TypeAlias

from maestro_dsl.interfaces.openapi.decide import Interpreter, encoded
from maestro_dsl.interfaces.openapi.inputs import Request
from maestro_dsl.interfaces.openapi.table import Table
from maestro_dsl.lang.model import Json

if TYPE_CHECKING:
    from maestro_dsl.interfaces.openapi.answers import Answer
    from maestro_dsl.interfaces.openapi.model import Api

CallRecord: TypeAlias = Mapping[str, Json]
"""One call: seq, method, path, query, headers, body, status, response_body, operation, violations."""

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BODY_BYTES = 16_000_000
_RECORDED_BYTES = 64_000
_RECORDED_HEADERS = frozenset({"accept", "content-type", "prefer", "user-agent", "if-match", "if-none-match"})
_CORS_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"


def mock_app(
    api: Api, *, seed: int | str = 0, record: Callable[[CallRecord], None] | None = None, name: str = "mock"
) -> Asgi:
    """Return an application that answers for `api`; its memory lasts as long as it does.

    `record` is called with each finished call, calls to `/__admin` left out. `name` is shown in `server`.
    """
    interpreter = Interpreter(Table(api, seed))
    count = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal count
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        body = await _body(receive)
        request = _request(scope, body or b"")
        if body is None:
            await _send(send, 413, {"connection": "close"}, b"")
            return
        preflight = _preflight(request)
        if preflight is not None:
            await _send(send, 204, preflight, b"")
            return
        answer = interpreter.answer(request)
        content = encoded(answer)
        headers = _headers(answer, request, content, name)
        await _send(send, answer.status, headers, b"" if request.method == "HEAD" else content)
        if record is not None and not request.raw_path.startswith("/__admin/"):
            count += 1
            record(_record(count, request, answer, content))

    return app


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        else:
            await send({"type": "lifespan.shutdown.complete"})
            return


async def _body(receive: Receive) -> bytes | None:
    """Return the whole body; None where it is larger than a mock needs to take."""
    message = await receive()
    if not message.get("more_body"):
        only: bytes = message.get("body", b"")
        return only
    parts, size = [message.get("body", b"")], len(message.get("body", b""))
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY_BYTES:
            return None
    return b"".join(parts)


def _request(scope: Scope, body: bytes) -> Request:
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


async def _send(send: Send, status: int, headers: Mapping[str, str], content: bytes) -> None:
    pairs = [(key.encode("latin-1"), value.encode("latin-1", "replace")) for key, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": content})


def _record(seq: int, request: Request, answer: Answer, content: bytes) -> CallRecord:
    return {
        "seq": seq,
        "method": request.method,
        "path": request.raw_path,
        "query": request.query_string,
        "headers": {key: value for key, value in request.headers.items() if key in _RECORDED_HEADERS},
        "body": _text(request.body),
        "status": answer.status,
        "response_body": _text(content),
        "operation": None if answer.operation is None else answer.operation.id,
        "violations": list(answer.violations),
    }


def _text(content: bytes) -> str | None:
    return content[:_RECORDED_BYTES].decode("utf-8", "replace") if content else None
