"""GraphQL over WebSocket: the protocol `graphql-transport-ws`, which Apollo, urql and graphql-ws speak.

One conversation is one socket. Any operation may be asked; a subscription goes on with what happens, as the
stream of events over HTTP does. Knows nothing of faults and of records: both are handed in.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import NoneType
from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.interfaces.graphql.execute import Executor, Prepared, formatted
from maestro_dsl.interfaces.graphql.read import Refusal, read_json, request_of

if TYPE_CHECKING:
    from maestro_dsl.interfaces.asgi import Receive, Scope, Send
    from maestro_dsl.interfaces.graphql.execute import Event, GraphRequest

PROTOCOL: Final = "graphql-transport-ws"
MAX_MESSAGE: Final = 2_000_000
INIT_S: Final = 3.0
"""How long the other side may take to begin."""
_INVALID: Final = (4400, "Invalid message received")
_UNAUTHORIZED: Final = (4401, "Unauthorized")
_UNKNOWN_PROTOCOL: Final = (4406, "Subprotocol not acceptable")
_LATE: Final = (4408, "Connection initialisation timeout")
_TWICE: Final = (4429, "Too many initialisation requests")


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a conversation needs of the mock that it is part of."""

    executor: Executor
    fate: Callable[[], Awaitable[Refusal | None]]
    """Waits where the mock is to be slow, and returns the failure that it is to have."""
    note: Callable[[Any, Prepared | None, dict[str, Any]], None]
    """Told of each operation: what was sent, what it was read as, its first result."""
    sleep: Callable[[float], Awaitable[None]]


async def converse(desk: Desk, scope: Scope, receive: Receive, send: Send) -> None:
    """Hold one conversation until either side ends it."""
    await receive()  # the wish to connect
    if PROTOCOL not in scope.get("subprotocols", ()):
        await send({"type": "websocket.accept"})
        code, reason = _UNKNOWN_PROTOCOL
        await send({"type": "websocket.close", "code": code, "reason": reason})
        return
    await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
    await _Conversation(desk, receive, send).hold()


class _Conversation:
    def __init__(self, desk: Desk, receive: Receive, send: Send) -> None:
        self._desk = desk
        self._receive = receive
        self._send = send
        self._is_open = True
        self._is_begun = False
        self._asked: dict[str, asyncio.Task[None]] = {}

    async def hold(self) -> None:
        late = asyncio.ensure_future(self._close_if_late())
        try:
            while (message := await self._receive())["type"] == "websocket.receive":
                closing = await self._hear(message.get("text") or (message.get("bytes") or b"").decode())
                if closing is not None:
                    await self._close(*closing)
                    return
        except UnicodeDecodeError:
            await self._close(*_INVALID)
        finally:
            self._is_open = False
            for task in (late, *self._asked.values()):
                task.cancel()

    async def _close_if_late(self) -> None:
        await self._desk.sleep(INIT_S)
        if not self._is_begun:
            await self._close(*_LATE)

    async def _close(self, code: int, reason: str) -> None:
        if self._is_open:
            self._is_open = False
            await self._send({"type": "websocket.close", "code": code, "reason": reason})

    async def _say(self, kind: str, **more: Any) -> None:
        if self._is_open:
            text = json.dumps({"type": kind, **more}, ensure_ascii=False, separators=(",", ":"))
            await self._send({"type": "websocket.send", "text": text})

    async def _hear(self, text: str) -> tuple[int, str] | None:
        """Do what a message wants; return how the socket is to be closed, None for not at all."""
        data = _message(text)
        if data is None:
            return _INVALID
        kind: str = data["type"]
        payload: Any = data.get("payload")
        identity: str = data.get("id", "")
        if kind == "connection_init":
            if self._is_begun:
                return _TWICE
            self._is_begun = True
            await self._say("connection_ack")
        elif kind == "ping":
            await self._say("pong", **({} if payload is None else {"payload": payload}))
        elif kind == "subscribe":
            if not self._is_begun:
                return _UNAUTHORIZED
            if identity in self._asked:
                return 4409, f"Subscriber for {identity} already exists"[:120]
            self._asked[identity] = asyncio.ensure_future(self._serve(identity, payload))
        elif kind == "complete" and identity in self._asked:
            self._asked.pop(identity).cancel()
        return None

    async def _serve(self, identity: str, payload: dict[str, Any]) -> None:
        """Answer one operation, and forget it when it is done."""
        try:
            refused = await self._answer(identity, payload)
            if refused is None:
                await self._say("complete", id=identity)
            else:
                await self._say("error", id=identity, payload=refused)
        finally:
            if self._asked.get(identity) is asyncio.current_task():
                del self._asked[identity]

    async def _answer(self, identity: str, payload: dict[str, Any]) -> list[dict[str, Any]] | None:
        """Send what an operation gives until it is complete; return the errors that hold it up."""
        fault = await self._desk.fate()
        request = request_of(payload) if fault is None else fault
        if isinstance(request, Refusal):
            errors = [{"message": request.message, "extensions": {"code": "BAD_REQUEST"}}]
            self._desk.note(payload, None, {"errors": errors})
            return errors
        prepared = self._desk.executor.prepare(request)
        if prepared.errors:
            errors = [formatted(error, prepared.code) for error in prepared.errors]
            self._desk.note(payload, prepared, {"errors": errors})
            return errors
        await self._go_on(identity, payload, request, prepared)
        return None

    async def _go_on(
        self, identity: str, payload: dict[str, Any], request: GraphRequest, prepared: Prepared
    ) -> None:
        executor = self._desk.executor
        happened: asyncio.Queue[Event] = asyncio.Queue()
        wanted = executor.listens_to(prepared)

        def hear(event: Event) -> None:
            if wanted(event):
                happened.put_nowait(event)

        is_live = prepared.kind == "subscription"
        if is_live:
            executor.listeners.add(hear)
        try:
            result = executor.execute(prepared, request)
            self._desk.note(payload, prepared, result)
            await self._say("next", id=identity, payload=result)
            while is_live and "data" in result:
                result = executor.execute(prepared, request, await happened.get())
                await self._say("next", id=identity, payload=result)
        finally:
            executor.listeners.discard(hear)


def _message(text: str) -> dict[str, Any] | None:
    """Return the message that a client has sent, None where it has not the form of one."""
    data = read_json(text) if len(text) <= MAX_MESSAGE else None
    return data if isinstance(data, dict) and _is_message(data) else None


def _is_message(data: dict[str, Any]) -> bool:
    kind, payload, identity = data.get("type"), data.get("payload"), data.get("id")
    if kind in {"connection_init", "ping", "pong"}:
        return payload is None or isinstance(payload, dict)
    if kind not in {"subscribe", "complete"} or not isinstance(identity, str) or not identity:
        return False
    return kind == "complete" or (
        isinstance(payload, dict)
        and isinstance(payload.get("query"), str)
        and isinstance(payload.get("variables"), (dict, NoneType))
        and isinstance(payload.get("operationName"), (str, NoneType))
        and isinstance(payload.get("extensions"), (dict, NoneType))
    )
