"""Calls an ASGI application without a socket."""

import asyncio
import json


class Client:
    """Calls one application; the answer is its status, its headers and its body as JSON."""

    def __init__(self, app):
        self.app = app

    def __call__(self, method, target, data=None, *, body=None, **headers):
        path, _, query = target.partition("?")
        if data is not None:
            body, headers = json.dumps(data).encode(), {"content_type": "application/json", **headers}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()],
        }
        sent = []

        arrived = iter([{"type": "http.request", "body": body or b""}])

        async def receive():
            message = next(arrived, None)
            if message is None:  # nothing more comes as long as the caller waits
                await asyncio.get_running_loop().create_future()
            return message

        async def send(message):
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))
        fields = {name.decode(): text.decode() for name, text in sent[0]["headers"]}
        content = sent[1]["body"]
        try:
            data = json.loads(content) if content else None
        except ValueError:
            data = content
        return sent[0]["status"], fields, data
