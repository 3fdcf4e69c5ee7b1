"""Asks an ASGI application for streams too, without a socket."""

import asyncio
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Answered:
    """What came back; header names are lower case."""

    status: int
    headers: dict = field(default_factory=dict)
    body: bytes = b""


class Client:
    """Sends requests to `app`, one after the other."""

    def __init__(self, app, host="127.0.0.1"):
        self._app = app
        self._host = host

    def send(self, method, target, headers=None, body=b""):
        """Return the whole answer."""
        return asyncio.run(self.asend(method, target, headers, body))

    async def asend(self, method, target, headers=None, body=b"", *, parts=None):
        """Return the answer; with `parts`, leave after that many pieces of the body."""
        path, _, query = target.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()],
            "client": (self._host, 5000),
        }
        sent, pieces, left = [{"type": "http.request", "body": body or b""}], [], asyncio.Event()
        start = {}

        async def receive():
            if sent:
                return sent.pop()
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            if message["type"] == "http.response.start":
                start.update(message)
                return
            pieces.append(message.get("body", b""))
            if parts is not None and len(pieces) >= parts:
                left.set()

        await self._app(scope, receive, send)
        found = {key.decode(): value.decode() for key, value in start["headers"]}
        return Answered(start["status"], found, b"".join(pieces))
