"""The mock as an ASGI application: GraphQL over HTTP and WebSocket, events, a record of every call.

POST and GET at `/graphql` and `/`; `/__admin` as the other mocks have it. Rules of status and media types
follow the GraphQL-over-HTTP specification (draft of 2025); what is answered is for `execute`.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.interfaces.asgi import disconnected, lifespan, read_body, recorded_text, send_answer
from maestro_dsl.interfaces.graphql.accept import EVENTS, JSON, RESPONSE, preferred
from maestro_dsl.interfaces.graphql.admin import PREFIX, Admin
from maestro_dsl.interfaces.graphql.execute import Event, Executor, GraphRequest, Prepared
from maestro_dsl.interfaces.graphql.read import Refusal, read_request
from maestro_dsl.interfaces.graphql.sockets import Desk, converse
from maestro_dsl.interfaces.graphql.table import Table
from maestro_dsl.interfaces.openapi.admin import is_local
from maestro_dsl.interfaces.options import HELD_S, NO_OPTIONS, Fault, ServeOptions, fate_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from maestro_dsl.interfaces.asgi import Asgi, CallRecord, Receive, Scope, Send
    from maestro_dsl.interfaces.graphql.model import GraphApi

PATHS: Final = frozenset({"/graphql", "/graphql/", "/"})
MAX_QUERY_BYTES: Final = 2_000_000
_RECORDED_HEADERS: Final = frozenset({"accept", "content-type", "upgrade", "user-agent"})
_PAGE: Final = (
    "<!doctype html><meta charset=utf-8><title>Mock</title><p>A GraphQL mock: send queries with POST to "
    "<code>/graphql</code>, content type <code>application/json</code>."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """One HTTP request; header names are lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


def mock_app(
    api: GraphApi,
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
    mock = _Mock(Executor(Table(api, seed)), record, name, options, sleep)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
        elif scope["type"] == "http":
            await mock.answer(scope, receive, send)
        elif scope["type"] == "websocket":
            await mock.talk(scope, receive, send)

    return app


class _Mock:
    def __init__(
        self,
        executor: Executor,
        record: Callable[[CallRecord], None] | None,
        name: str,
        options: ServeOptions,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._executor = executor
        self._own = Admin(executor)
        self._record = record
        self._name = name
        self._options = options
        self._sleep = sleep
        self._count = 0
        self._asked = 0

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        body = await read_body(receive, MAX_QUERY_BYTES)
        call = _call(scope, body or b"")
        if body is None:
            await self._say(send, call, Refusal(status=413, message="the request is too large"))
        elif call.method == "OPTIONS":
            await send_answer(send, 204, {**self._headers(call), **_preflight(call)}, b"")
        elif call.path.startswith(PREFIX):
            client = scope.get("client")
            if is_local(None if client is None else client[0], call.headers):
                await self._admin(send, call)
            else:
                text = "the mock's own paths are for this machine only"
                await self._say(send, call, Refusal(status=403, message=text))
        elif call.path not in PATHS:
            text = f"there is nothing at {call.path}; GraphQL is at /graphql"
            await self._say(send, call, Refusal(status=404, message=text))
        elif (fault := await self._fate(partial(disconnected, receive))) is not None:
            await self._say(send, call, fault)
        else:
            await self._graphql(call, receive, send)

    async def talk(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold one conversation over a WebSocket."""
        if scope["path"] not in PATHS:
            await send({"type": "websocket.close"})
            return
        call = _call({**scope, "method": "POST"}, b"")

        async def fate() -> Refusal | None:
            return await self._fate(asyncio.Event().wait)

        def note(sent: Any, prepared: Prepared | None, result: dict[str, Any]) -> None:
            headers = {**call.headers, "content-type": JSON}
            asked = replace(call, headers=headers, body=encoded(sent))
            self._note(asked, 200, encoded(result), prepared or Prepared(), result)

        desk = Desk(executor=self._executor, fate=fate, note=note, sleep=self._sleep)
        await converse(desk, scope, receive, send)

    async def _fate(self, left: Callable[[], Awaitable[object]]) -> Refusal | None:
        """Wait where the options ask for it, and return the failure that they ask for."""
        self._asked += 1
        fate = fate_of(self._options, self._executor.table.seed, self._asked)
        if fate.delay_ms:
            await self._sleep(fate.delay_ms / 1000)
        if fate.fault is Fault.ERROR:
            return Refusal(status=500, message="this failure is simulated")
        if fate.fault is not Fault.TIMEOUT:
            return None
        waiting = {asyncio.ensure_future(left()), asyncio.ensure_future(self._sleep(HELD_S))}
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        return Refusal(status=504, message="this timeout is simulated")

    async def _graphql(self, call: _Call, receive: Receive, send: Send) -> None:
        wants_page = call.method == "GET" and "text/html" in call.headers.get("accept", "")
        if wants_page and "query=" not in call.query:
            headers = {**self._headers(call), "content-type": "text/html; charset=utf-8"}
            await send_answer(send, 200, headers, _PAGE.encode())
            return
        media = preferred(call.headers.get("accept"))
        request = read_request(call.method, call.query, call.headers, call.body)
        if media is None:
            request = Refusal(status=406, message=f"answers are {JSON}, {RESPONSE} or {EVENTS}")
        if isinstance(request, Refusal):
            await self._say(send, call, request, media or JSON)
            return
        prepared = self._executor.prepare(request)
        refusal = _misused(call.method, prepared, media)
        if refusal is not None:
            await self._say(send, call, refusal, media or JSON, operation=prepared.asked)
        elif media == EVENTS:
            await self._stream(call, request, prepared, receive, send)
        else:
            await self._result(call, request, prepared, media or JSON, send)

    async def _result(
        self, call: _Call, request: GraphRequest, prepared: Prepared, media: str, send: Send
    ) -> None:
        result = self._executor.execute(prepared, request)
        status = 400 if media == RESPONSE and "data" not in result else 200
        content = encoded(result)
        headers = {**self._headers(call), "content-type": f"{media}; charset=utf-8"}
        await send_answer(send, status, {**headers, "content-length": str(len(content))}, content)
        self._note(call, status, content, prepared, result)

    async def _stream(
        self, call: _Call, request: GraphRequest, prepared: Prepared, receive: Receive, send: Send
    ) -> None:
        """Send events: the result, and for a subscription whatever happens until the other side leaves."""
        headers = {
            **self._headers(call),
            "content-type": f"{EVENTS}; charset=utf-8",
            "cache-control": "no-cache",
        }
        pairs = [(key.encode(), value.encode("latin-1", "replace")) for key, value in headers.items()]
        queue: asyncio.Queue[Event] = asyncio.Queue()
        wanted = self._executor.listens_to(prepared)

        def hear(event: Event) -> None:
            if wanted(event):
                queue.put_nowait(event)

        self._executor.listeners.add(hear)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": pairs})
            first = self._executor.execute(prepared, request)
            await send({"type": "http.response.body", "body": _next(first), "more_body": True})
            self._note(call, 200, encoded(first), prepared, first)
            if prepared.kind == "subscription" and "data" in first:
                with suppress(asyncio.CancelledError):
                    await self._follow(request, prepared, queue, receive, send)
            await send({"type": "http.response.body", "body": b"event: complete\ndata:\n\n"})
        finally:
            self._executor.listeners.discard(hear)

    async def _follow(
        self,
        request: GraphRequest,
        prepared: Prepared,
        queue: asyncio.Queue[Event],
        receive: Receive,
        send: Send,
    ) -> None:
        left = asyncio.ensure_future(receive())
        try:
            while not left.done():
                heard = asyncio.ensure_future(queue.get())
                await asyncio.wait({left, heard}, return_when=asyncio.FIRST_COMPLETED)
                if not heard.done():
                    heard.cancel()
                    return
                result = self._executor.execute(prepared, request, heard.result())
                await send({"type": "http.response.body", "body": _next(result), "more_body": True})
        finally:
            left.cancel()

    async def _admin(self, send: Send, call: _Call) -> None:
        answer = self._own.answer(call.method, call.path, call.body)
        if answer.refused is not None:
            await self._say(send, call, Refusal(status=answer.status, message=answer.refused))
        elif answer.value is None:
            await send_answer(send, answer.status, self._headers(call), b"")
        else:
            headers = {**self._headers(call), "content-type": JSON}
            await send_answer(send, answer.status, headers, encoded(answer.value))

    async def _say(
        self, send: Send, call: _Call, refusal: Refusal, media: str = JSON, operation: str | None = None
    ) -> None:
        result = {"errors": [{"message": refusal.message, "extensions": {"code": "BAD_REQUEST"}}]}
        content = encoded(result)
        media = JSON if media == EVENTS else media
        headers = {
            **self._headers(call),
            "content-type": f"{media}; charset=utf-8",
            "content-length": str(len(content)),
        }
        if refusal.allow is not None:
            headers["allow"] = refusal.allow
        await send_answer(send, refusal.status, headers, content)
        if not call.path.startswith(PREFIX):
            self._keep(call, refusal.status, content, operation, [refusal.message])

    def _note(
        self, call: _Call, status: int, content: bytes, prepared: Prepared, result: dict[str, Any]
    ) -> None:
        faults = [] if "data" in result else [str(item["message"]) for item in result.get("errors", [])]
        self._keep(call, status, content, None if faults and not prepared.asked else prepared.asked, faults)

    def _keep(
        self, call: _Call, status: int, content: bytes, operation: str | None, faults: list[str]
    ) -> None:
        self._count += 1
        record: CallRecord = {
            "seq": self._count,
            "method": call.method,
            "path": call.path,
            "query": call.query,
            "headers": {key: value for key, value in call.headers.items() if key in _RECORDED_HEADERS},
            "body": recorded_text(call.body),
            "status": status,
            "response_body": recorded_text(content),
            "operation": operation,
            "violations": list(faults),
        }
        self._own.calls.append(record)
        if self._record is not None:
            self._record(record)

    def _headers(self, call: _Call) -> dict[str, str]:
        return {
            "server": f"maestro-{self._name}",
            "access-control-allow-origin": call.headers.get("origin", "*"),
            "access-control-expose-headers": "*",
        }


def _misused(method: str, prepared: Prepared, media: str | None) -> Refusal | None:
    if method == "GET" and prepared.kind == "mutation":
        return Refusal(status=405, message="a mutation has to be sent with POST", allow="POST")
    if prepared.kind == "subscription" and media != EVENTS:
        text = f"a subscription is answered as {EVENTS}; ask for it with the header Accept"
        return Refusal(status=406, message=text)
    return None


def encoded(result: Any) -> bytes:
    """Return a result as JSON text."""
    return json.dumps(result, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _next(result: dict[str, Any]) -> bytes:
    return b"event: next\ndata: " + encoded(result) + b"\n\n"


def _call(scope: Scope, body: bytes) -> _Call:
    headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
    return _Call(
        method=scope["method"],
        path=scope["path"],
        query=scope.get("query_string", b"").decode("utf-8", "replace"),
        headers=headers,
        body=body,
    )


def _preflight(call: _Call) -> dict[str, str]:
    return {
        "access-control-allow-methods": "GET, POST, OPTIONS",
        "access-control-allow-headers": call.headers.get("access-control-request-headers", "*"),
        "access-control-max-age": "600",
        "allow": "GET, POST, OPTIONS",
    }
