"""What every served mock needs of ASGI: the types, the body with a limit, an answer, the record of a call.

No framework: nothing stands between the socket and the decision.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final, TypeAlias

from maestro_dsl.lang.model import Json

CallRecord: TypeAlias = Mapping[str, Json]
"""One call: seq, method, path, query, headers, body, status, response_body, operation, violations."""

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BODY_BYTES: Final = 16_000_000
RECORDED_BYTES: Final = 64_000


async def lifespan(receive: Receive, send: Send) -> None:
    """Answer a server that asks whether the application starts and ends."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        else:
            await send({"type": "lifespan.shutdown.complete"})
            return


async def read_body(receive: Receive, most: int = MAX_BODY_BYTES) -> bytes | None:
    """Return the whole body; None where it is larger than a mock needs to take."""
    message = await receive()
    if not message.get("more_body"):
        only: bytes = message.get("body", b"")
        return only if len(only) <= most else None
    parts, size = [message.get("body", b"")], len(message.get("body", b""))
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            return None
    return b"".join(parts)


async def disconnected(receive: Receive) -> None:
    """Return when the other side has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def send_answer(send: Send, status: int, headers: Mapping[str, str], content: bytes) -> None:
    """Send a whole answer."""
    pairs = [(key.encode("latin-1"), value.encode("latin-1", "replace")) for key, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": content})


def recorded_text(content: bytes) -> str | None:
    """Return the start of a body as text, None for no body."""
    return content[:RECORDED_BYTES].decode("utf-8", "replace") if content else None
