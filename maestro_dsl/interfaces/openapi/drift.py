"""A provider behind the contract: every request is passed on, every answer held against the description.

What differs is drift; it is collected, never corrected: the caller gets the provider's own answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.interfaces.asgi import CallRecord, read_body
from maestro_dsl.interfaces.openapi import inputs
from maestro_dsl.interfaces.openapi.admin import is_local
from maestro_dsl.interfaces.openapi.answers import Answer, problem
from maestro_dsl.interfaces.openapi.decide import encoded
from maestro_dsl.interfaces.openapi.model import Api, is_json_media
from maestro_dsl.interfaces.openapi.probe import covers, declared, label
from maestro_dsl.interfaces.openapi.routes import Router
from maestro_dsl.interfaces.openapi.serve import record_of, request_of
from maestro_dsl.interfaces.openapi.validate import errors
from maestro_dsl.net.client import Answer as Received
from maestro_dsl.net.client import HttpClient, NoAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from maestro_dsl.interfaces.asgi import Receive, Scope, Send
    from maestro_dsl.interfaces.openapi.inputs import Request
    from maestro_dsl.interfaces.openapi.model import Operation
    from maestro_dsl.interfaces.openapi.routes import Match

PATH: Final = "/__admin/drift"
HEADER: Final = "x-maestro-drift"
_UNKNOWN: Final = frozenset({404, 405, 501})
_NOT_PASSED: Final = frozenset(
    {"connection", "content-encoding", "content-length", "date", "host", "keep-alive", "te", "trailer"}
    | {"transfer-encoding", "upgrade", "proxy-authorization", "proxy-authenticate", "expect"}
)
_BODILESS: Final = frozenset({204, 304})
_MOST: Final = 1000
_MAX_MESSAGES: Final = 3
_ERROR: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One difference from the contract; `kind` is route, status, content, header or body."""

    kind: str
    message: str
    operation: str | None
    method: str
    path: str
    """Of the first request that showed it."""
    status: int
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """What was passed on and what differed; `lenient` counts bad requests that were taken all the same."""

    name: str
    url: str
    requests: int
    unanswered: int
    lenient: int
    operations_seen: tuple[str, ...]
    operations_unseen: tuple[str, ...]
    drift: tuple[Drift, ...]


@dataclass(slots=True)
class Proxy:
    """An application that passes requests on to `base_url` and collects drift from `api`."""

    api: Api
    base_url: str
    name: str = "proxy"
    record: Callable[[CallRecord], None] | None = None
    timeout_s: float = 30.0
    _router: Router = field(init=False)
    _found: dict[tuple[str, str, str | None], Drift] = field(default_factory=dict)
    _seen: dict[str, None] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=lambda: {"requests": 0, "unanswered": 0, "lenient": 0})

    def __post_init__(self) -> None:
        self._router = Router(self.api)

    def report(self) -> DriftReport:
        """Return what was found so far."""
        names = (label(operation) for operation in self.api.operations)
        return DriftReport(
            name=self.name,
            url=self.base_url,
            **self._counts,
            operations_seen=tuple(self._seen),
            operations_unseen=tuple(name for name in names if name not in self._seen),
            drift=tuple(self._found.values()),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; see ASGI."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        if scope["type"] != "http":
            return
        body = await read_body(receive)
        request = request_of(scope, body or b"")
        if body is None:
            await _reply(send, problem(413, "the request body is too large"))
        elif request.raw_path == PATH:
            await _reply(send, self._administered(scope, request))
        else:
            await self._pass_on(request, send)

    def _administered(self, scope: Scope, request: Request) -> Answer:
        client = scope.get("client")
        if not is_local(None if client is None else client[0], request.headers):
            return problem(403, "the mock's own paths are for this machine only")
        if request.method == "DELETE":
            self._found.clear()
            self._seen.clear()
            self._counts = dict.fromkeys(self._counts, 0)
            return Answer(status=204)
        from maestro_dsl.codec import to_json

        return Answer(status=200, body=to_json(self.report()), media_type="application/json")

    async def _pass_on(self, request: Request, send: Send) -> None:
        self._counts["requests"] += 1
        query = f"?{request.query_string}" if request.query_string else ""
        headers = {name: text for name, text in request.headers.items() if name not in _NOT_PASSED}
        async with HttpClient(self.base_url, timeout_s=self.timeout_s) as client:
            try:
                got = await client.send(
                    request.method, request.raw_path + query, headers=headers, body=request.body or None
                )
            except NoAnswer as error:
                self._counts["unanswered"] += 1
                await _reply(send, problem(502, error.message))
                return
        match, _ = self._router.find(request.raw_path, request.method)
        operation = None if match is None else match.route.operations.get(request.method)
        violations = self._violations(operation, match, request)
        self._counts["lenient"] += int(bool(violations) and got.status < _ERROR)
        found = list(self._differences(operation, match, request, got))
        for kind, message in found:
            self._note(kind, message, operation, request, got)
        if self.record is not None:
            answer = Answer(status=got.status, operation=operation, violations=tuple(violations))
            call = record_of(self._counts["requests"], request, answer, got.body)
            self.record({**call, "drift": [message for _, message in found]})
        kept = {name: text for name, text in got.headers.items() if name not in _NOT_PASSED}
        if got.body or got.status not in _BODILESS:
            kept["content-length"] = str(len(got.body))
        if found:
            kept[HEADER] = ", ".join(dict.fromkeys(kind for kind, _ in found))
        await _send(send, got.status, kept, b"" if request.method == "HEAD" else got.body)

    def _violations(self, operation: Operation | None, match: Match | None, request: Request) -> list[str]:
        if operation is None or match is None:
            return []
        found = inputs.read(self.api, operation, request, match.values)
        return [*found.violations, *(["its media type is not declared"] if found.unsupported else [])]

    def _differences(
        self, operation: Operation | None, match: Match | None, request: Request, got: Received
    ) -> Iterator[tuple[str, str]]:
        if operation is None:
            is_known = match is not None and request.method in {"HEAD", "OPTIONS"}
            if got.status not in _UNKNOWN and not is_known:
                yield "route", f"{request.method} {request.raw_path} is answered and not in the contract"
            return
        self._seen[label(operation)] = None
        yield from differences(self.api, operation, got)

    def _note(
        self, kind: str, message: str, operation: Operation | None, request: Request, got: Received
    ) -> None:
        key = (kind, message, None if operation is None else operation.id)
        earlier = self._found.get(key)
        if earlier is None and len(self._found) >= _MOST:
            return
        self._found[key] = Drift(
            kind=kind,
            message=message,
            operation=None if operation is None else label(operation),
            method=request.method if earlier is None else earlier.method,
            path=request.raw_path if earlier is None else earlier.path,
            status=got.status,
            count=1 if earlier is None else earlier.count + 1,
        )


def differences(api: Api, operation: Operation, got: Received) -> Iterator[tuple[str, str]]:
    """Yield kind and sentence for each way in which an answer is not as `operation` declares."""
    response = declared(operation, got.status)
    if response is None:
        listed = ", ".join(operation.responses) or "nothing"
        yield "status", f"answers {got.status}; declared are {listed}"
        return
    for name, header in response.headers.items():
        text = got.headers.get(name.lower())
        if text is None and header.required:
            yield "header", f"answers {got.status} without the header {name}"
    if not response.content or operation.method == "HEAD":
        return
    media = next((item for kind, item in response.content.items() if covers(kind, got.media_type)), None)
    if media is None:
        offered = ", ".join(response.content)
        yield "content", f'answers {got.status} as "{got.media_type or "nothing"}"; declared is {offered}'
        return
    if media.schema is None or not is_json_media(got.media_type):
        return
    try:
        data: Any = json.loads(got.body)
    except (ValueError, RecursionError):
        yield "body", f"answers {got.status} with a body that is no JSON"
        return
    for text in errors(api, media.schema, data, "response")[:_MAX_MESSAGES]:
        yield "body", f"answers {got.status} with a body that its schema does not allow: {text}"


async def _reply(send: Send, answer: Answer) -> None:
    content = encoded(answer)
    headers = {"content-length": str(len(content))}
    if answer.media_type is not None:
        headers["content-type"] = answer.media_type
    await _send(send, answer.status, headers, content)


async def _send(send: Send, status: int, headers: Mapping[str, str], content: bytes) -> None:
    pairs = [(name.encode("latin-1"), text.encode("latin-1", "replace")) for name, text in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": content})
