"""Callbacks of an operation: which requests an answer sends back, and whether they may be sent.

Only to this machine and to hosts that were allowed by name, so that nobody makes the mock reach into a
network. Pure: sending is for `serve`.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from maestro_dsl.interfaces.chance import pick
from maestro_dsl.interfaces.openapi.answers import Answer
from maestro_dsl.interfaces.openapi.inputs import Request
from maestro_dsl.interfaces.openapi.memory import overlay
from maestro_dsl.interfaces.openapi.model import lookup
from maestro_dsl.interfaces.openapi.validate import is_valid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maestro_dsl.interfaces.openapi.model import Callback
    from maestro_dsl.interfaces.openapi.table import Table

HEADER = "x-maestro-callback"
"""On every callback; a request that carries it causes none, so that two mocks do not call for ever."""
_EXPRESSION = re.compile(r"\{(\$[^{}]+)\}")
_SUCCESS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A request to be sent; `refused` says why it is not."""

    name: str
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    refused: str | None = None


def outgoing(table: Table, request: Request, answer: Answer) -> tuple[Outgoing, ...]:
    """Return what the answer to `request` sends back; nothing unless it is a success."""
    operation = answer.operation
    is_silent = operation is None or not operation.callbacks or HEADER in request.headers
    if is_silent or operation is None or answer.status // 100 != _SUCCESS:
        return ()
    match, _ = table.router.find(request.raw_path, request.method)
    scene = Scene(request=request, answer=answer, path_values={} if match is None else match.values)
    return tuple(_one(table, callback, scene) for callback in operation.callbacks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What runtime expressions speak of."""

    request: Request
    answer: Answer
    path_values: Mapping[str, str]

    def value(self, expression: str) -> Any:
        """Return the value of a runtime expression such as `$request.body#/url`; None where it has none."""
        match expression:
            case "$method":
                return self.request.method
            case "$statusCode":
                return self.answer.status
            case "$url":
                query = f"?{self.request.query_string}" if self.request.query_string else ""
                return f"http://{self.request.headers.get('host', 'localhost')}{self.request.raw_path}{query}"
        source, _, rest = expression.removeprefix("$").partition(".")
        place, _, name = rest.partition(".")
        if rest == "body" or rest.startswith("body#"):
            return self._in_body(source, rest.removeprefix("body"))
        if source == "response":
            return self.answer.headers.get(name.lower()) if place == "header" else None
        if place == "header":
            return self.request.headers.get(name.lower())
        if place == "query":
            return next((value for key, value in self.request.query if key == name), None)
        return self.path_values.get(name) if place == "path" else None

    def _in_body(self, source: str, pointer: str) -> Any:
        if source == "response":
            body = self.answer.body
        else:
            try:
                body = json.loads(self.request.body)
            except (ValueError, RecursionError):
                return None
        return body if pointer in {"", "#"} else lookup(body, pointer)


def _one(table: Table, callback: Callback, scene: Scene) -> Outgoing:
    method = callback.operation.method
    missing: list[str] = []

    def filled(hit: re.Match[str]) -> str:
        value = scene.value(hit[1])
        if value is None or isinstance(value, (dict, list)):
            missing.append(hit[1])
            return ""
        return ("true" if value else "false") if isinstance(value, bool) else str(value)

    template = callback.url if "{" in callback.url else "{" + callback.url + "}"
    url = _EXPRESSION.sub(filled, template)
    if missing:
        absent = f"{missing[0]} has no value in this request"
        return Outgoing(name=callback.name, method=method, url=callback.url, refused=absent)
    reason = refusal(url, table.options.callback_hosts)
    if reason is not None:
        return Outgoing(name=callback.name, method=method, url=url, refused=reason)
    headers, body = _content(table, callback, scene)
    return Outgoing(name=callback.name, method=method, url=url, headers=headers, body=body)


def _content(table: Table, callback: Callback, scene: Scene) -> tuple[dict[str, str], bytes | None]:
    """Return headers and body: a made one, with what the answer says of the same names."""
    pool = table.callback_pool(callback)
    media = None if callback.operation.body is None else callback.operation.body.json
    if not pool or media is None:
        return {HEADER: "1"}, None
    path = table.router.relative(scene.request.raw_path)
    body = pick(pool, f"{table.seed}|{callback.name}|{path}|{scene.request.query_string}")
    answered = scene.answer.body if isinstance(scene.answer.body, dict) else {}
    known = {name: value for name, value in answered.items() if isinstance(body, dict) and name in body}
    schema = True if media.schema is None else media.schema
    body = overlay(body, known, lambda value: is_valid(table.api, schema, value, "request"))
    kind = media.media_type if "*" not in media.media_type else "application/json"
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return {HEADER: "1", "content-type": kind}, text.encode("utf-8", "replace")


def refusal(url: str, allowed: Sequence[str]) -> str | None:
    """Return why nothing is sent to `url`; None where it may be."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "it is no address"
    if parts.scheme not in {"http", "https"} or not host:
        return "only http and https addresses are called"
    if parts.username is not None or parts.password is not None:
        return "an address with a user name is not called"
    named = {entry.lower() for entry in allowed}
    if _is_this_machine(host) or host in named or f"{host}:{port}" in named:
        return None
    return f"{host} is not this machine; allow it with --callback-host or callback_hosts"


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
