"""Faults planted mechanically in a correct provider: which ones fit an interface, and what has one in it.

A provider is any ASGI application that keeps its contract. Each kind of fault is an operator that says, from
the description alone, at which operations it can be planted; the planted one changes requests or answers of
that operation. What a fault changes is held against the description while it runs, so that a mutant whose
answers all stay allowed is known as equivalent, with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from maestro_dsl.interfaces.openapi import shapes
from maestro_dsl.interfaces.openapi.dialect import FORMATS
from maestro_dsl.interfaces.openapi.model import Api, Operation
from maestro_dsl.interfaces.openapi.probe import declared
from maestro_dsl.interfaces.openapi.resources import find_resources
from maestro_dsl.interfaces.openapi.routes import Router
from maestro_dsl.interfaces.openapi.sample import sample
from maestro_dsl.interfaces.openapi.validate import errors, is_valid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from maestro_dsl.interfaces.openapi.resources import Resource

PAGING = ("limit", "per_page", "page_size", "pageSize", "perPage", "size", "offset", "skip", "page")
REFUSED = (400, 422)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request as it goes to the provider."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    operation: Operation | None = None
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer as it comes from the provider."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def ok(self) -> bool:
        return self.status // 100 == 2

    @property
    def media(self) -> str:
        return dict(self.headers).get("content-type", "").partition(";")[0]

    @property
    def data(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def with_data(self, data: Any) -> Reply:
        return replace(self, body=json.dumps(data).encode())

    def with_header(self, name: str, value: str | None) -> Reply:
        others = tuple(pair for pair in self.headers if pair[0] != name)
        return replace(self, headers=others if value is None else (*others, (name, value)))


Inner = Callable[[Ask], Awaitable[Reply]]
Fault = Callable[[Ask, Inner, "Mutant"], Awaitable[Reply]]


@dataclass(slots=True, kw_only=True)
class Mutant:
    """One fault at one operation; it counts what shows that it is no other correct provider."""

    kind: str
    operation: Operation
    what: str
    fault: Fault
    api: Api
    watched: tuple[str, ...] = ()
    """Ids of all operations whose requests go through the fault."""
    memory: dict[str, Any] = field(default_factory=dict)
    fired: int = 0
    forbidden: int = 0
    """How many of its answers the description forbids, or contradict an earlier answer."""

    def note(self, reply: Reply, operation: Operation | None = None) -> Reply:
        """Count an answer that the fault has changed."""
        self.fired += 1
        self.forbidden += int(not is_allowed(self.api, operation or self.operation, reply))
        return reply

    def contradicts(self, reply: Reply) -> Reply:
        """Count an answer that is allowed by itself and wrong after the ones before it."""
        self.fired += 1
        self.forbidden += 1
        return reply

    @property
    def is_equivalent(self) -> bool:
        """True where nothing that the fault did could be told from a correct provider."""
        return self.fired > 0 and self.forbidden == 0


def is_allowed(api: Api, operation: Operation, reply: Reply) -> bool:
    """Whether the description allows this answer by itself."""
    response = declared(operation, reply.status)
    if response is None:
        return not operation.responses  # nothing is said of answers at all
    names = dict(reply.headers)
    if any(header.required and name.lower() not in names for name, header in response.headers.items()):
        return False
    if not response.content:
        return True
    fitting = (item for kind, item in response.content.items() if _bare(kind) in {reply.media, "*/*"})
    media = next(fitting, None)
    if media is None:
        return False
    return media.schema is None or not media.is_json or is_valid(api, media.schema, reply.data)


def _bare(kind: str) -> str:
    return kind.partition(";")[0].strip()


# ---- the provider with a fault in it ----


class Provider:
    """An ASGI application: a correct provider, and whatever fault is planted in it now."""

    def __init__(self, api: Api, make: Callable[[], Any]) -> None:
        self.router = Router(api)
        self.make = make
        self.inner = make()
        self.mutant: Mutant | None = None

    def plant(self, mutant: Mutant | None) -> None:
        """Start over with a fresh provider and this fault."""
        self.inner, self.mutant = self.make(), mutant

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        path = scope.get("raw_path", scope["path"].encode()).partition(b"?")[0].decode()
        match, _ = self.router.find(path, scope["method"])
        ask = Ask(
            method=scope["method"],
            path=path,
            query=scope["query_string"].decode(),
            headers=tuple((name.decode(), value.decode("latin-1")) for name, value in scope["headers"]),
            body=body,
            operation=None if match is None else match.route.operations.get(scope["method"]),
            values={} if match is None else match.values,
        )
        reply = await self._answer(ask)
        fields = tuple(pair for pair in reply.headers if pair[0] != "content-length")
        if reply.body or reply.status not in {204, 304}:
            fields = (*fields, ("content-length", str(len(reply.body))))
        headers = [(name.encode(), value.encode("latin-1")) for name, value in fields]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if ask.method == "HEAD" else reply.body})

    async def _answer(self, ask: Ask) -> Reply:
        mutant = self.mutant
        if mutant is None or ask.operation is None or ask.operation.id not in mutant.watched:
            return await self.ask(ask)
        return await mutant.fault(ask, self.ask, mutant)

    async def ask(self, ask: Ask) -> Reply:
        """Ask the correct provider."""
        scope = {
            "type": "http",
            "method": ask.method,
            "path": ask.path,
            "raw_path": ask.path.encode(),
            "query_string": ask.query.encode(),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in ask.headers],
            "client": ("127.0.0.1", 1),
        }
        messages: list[dict[str, Any]] = []

        async def receive():
            return {"type": "http.request", "body": ask.body, "more_body": False}

        async def send(message):
            messages.append(message)

        await self.inner(scope, receive, send)
        headers = tuple((name.decode(), value.decode("latin-1")) for name, value in messages[0]["headers"])
        content = b"".join(message.get("body", b"") for message in messages[1:])
        return Reply(status=messages[0]["status"], headers=headers, body=content)


# ---- operators: where a fault fits ----


def mutants(api: Api) -> Iterator[Mutant]:
    """Every fault that fits `api`, operation by operation."""
    for operation in api.operations:
        for kind, what, fault in (*_plain(operation), *_of_answers(api, operation)):
            yield Mutant(
                kind=kind, operation=operation, what=what, fault=fault, api=api, watched=(operation.id,)
            )
    for resource in find_resources(api):
        yield from _of_resource(api, resource)


def _plain(operation: Operation) -> Iterator[tuple[str, str, Fault]]:
    yield "missing-route", "is no route", _unknown_route
    yield "server-error", "always answers 500", _always(500)
    if operation.method not in {"GET", "HEAD"}:
        yield "missing-method", "answers 405", _always(405)
    status = _other_status(operation)
    yield "wrong-status", f"answers {status} for a success", _status(status)
    schemes = [scheme for option in operation.security for scheme in option.schemes]
    is_shown = all(scheme.kind != "mutualTLS" for scheme in schemes)  # a certificate is no part of a request
    if operation.security and is_shown and all(option.schemes for option in operation.security):
        yield "security-off", "answers without credentials", _without_security
    media = None if operation.body is None else operation.body.json
    if media is not None and media.schema is not None and _promises_refusal(operation):
        yield "validation-off", "takes bodies that its schema forbids", _without_validation
        yield "refusal-500", "answers 500 to a body that its schema forbids", _refusal_is_500


def _promises_refusal(operation: Operation) -> bool:
    return any(key in operation.responses for key in ("400", "422", "4XX"))


def _other_status(operation: Operation) -> int:
    options = (202, 203, 200, 201, 226)
    free = (option for option in options if str(option) not in operation.responses)
    return next(free)


def _of_answers(api: Api, operation: Operation) -> Iterator[tuple[str, str, Fault]]:
    response = operation.success
    media = None if response is None else response.json
    if response is None or response.status[0] not in "2d":
        return
    if response.content:
        yield "wrong-media", "answers text/html", _media
    for name, header in response.headers.items():
        if header.required:
            yield "missing-header", f"leaves out the header {name}", _no_header(name.lower())
    if media is None or media.schema is None or shapes.type_of(api, media.schema) not in {"object", "array"}:
        return
    whole = shapes.type_of(api, media.schema)
    listed = shapes.items(api, media.schema) if whole == "array" else media.schema
    if listed is None or shapes.type_of(api, listed) != "object":
        yield "wrong-type", "answers a text for everything", _body(lambda _data: "text")
        return
    known, needed = shapes.properties(api, listed), shapes.required(api, listed)
    yield from _of_properties(api, known, needed)
    if shapes.keyword(api, listed, "additionalProperties") is False:
        yield "extra-field", "adds a field where none may be", _in_items(_set("maestroExtra", 1))


def _of_properties(
    api: Api, known: Mapping[str, Any], needed: tuple[str, ...]
) -> Iterator[tuple[str, str, Fault]]:
    for name in needed[:1]:
        yield "missing-field", f'leaves out "{name}"', _in_items(_drop(name))
    typed = [name for name in (*needed, *known) if shapes.type_of(api, known.get(name)) in _OTHER_TYPE]
    for name in dict.fromkeys(typed[:1]):
        kind = shapes.type_of(api, known[name])
        yield "wrong-type", f'answers another type for "{name}"', _in_items(_set(name, _OTHER_TYPE[kind]))
        yield "null", f'answers null for "{name}"', _in_items(_set(name, None))
    for name in [name for name in known if shapes.keyword(api, known[name], "enum")][:1]:
        yield "enum-outside", f'answers "{name}" outside its list', _in_items(_set(name, "maestro-outside"))
    formats = [name for name in known if shapes.keyword(api, known[name], "format") in FORMATS]
    for name in formats[:1]:
        yield "wrong-format", f'answers "{name}" in another format', _in_items(_set(name, "not this format"))
    bounded = [name for name in known if shapes.keyword(api, known[name], "minimum") is not None]
    for name in bounded[:1]:
        least = shapes.keyword(api, known[name], "minimum")
        yield "out-of-range", f'answers "{name}" below its minimum', _in_items(_set(name, least - 1))


_OTHER_TYPE: dict[str, Any] = {
    "string": 12345,
    "integer": "twelve",
    "number": "twelve",
    "boolean": "maybe",
    "array": "none",
    "object": "none",
}


def _of_resource(api: Api, resource: Resource) -> Iterator[Mutant]:
    roles = resource.operations
    ids = {role: operation.id for role, operation in roles.items()}
    if resource.id_property is None:
        return
    for kind, role, what, fault, *also in (*_of_items(api, resource), *_of_list(api, resource)):
        watched = (ids[role], *(ids[other] for other in also if other in ids))
        yield Mutant(kind=kind, operation=roles[role], what=what, fault=fault, api=api, watched=watched)


def _of_items(api: Api, resource: Resource) -> Iterator[tuple[Any, ...]]:
    roles = resource.operations
    ids = {role: operation.id for role, operation in roles.items()}
    reads = [role for role in ("read", "list") if role in roles]
    if "create" in roles and reads:
        yield "create-lost", "create", "stores nothing", _create_lost(resource, ids), *reads
    if "read" not in roles:
        return
    if "create" in roles:
        yield "field-lost", "create", "stores one field otherwise", _field_lost(resource, ids, api), "read"
    for role in ("replace", "patch"):
        if role in roles:
            yield "update-lost", role, "stores nothing", _update_lost(ids[role]), "read"
    if "delete" in roles and resource.is_stateful:
        yield "delete-lost", "delete", "deletes nothing", _delete_lost(ids["delete"]), "read"
    yield "wrong-id", "read", "answers with another id", _wrong_id(resource, api)
    if _says_404(roles["read"]) and resource.is_stateful:  # of others, which ids exist is not promised
        yield "unknown-found", "read", "answers 200 for ids that do not exist", _unknown_found


def _of_list(api: Api, resource: Resource) -> Iterator[tuple[Any, ...]]:
    roles = resource.operations
    if "list" not in roles or "create" not in roles:
        return
    yield "list-empty", "list", "is always empty", _list_empty(resource)
    names = {item.name for item in roles["list"].parameters_in("query")}
    if names & set(PAGING[:6]):
        yield "paging-off", "list", "ignores its paging", _without_query(PAGING)
    owned = shapes.properties(api, resource.schema)
    filters = sorted(name for name in names - set(PAGING) if _is_filter(api, owned.get(name)))
    if filters:
        yield "filter-off", "list", f"ignores {filters[0]}", _without_query((filters[0],))


def _is_filter(api: Api, schema: Any) -> bool:
    return schema is not None and shapes.type_of(api, schema) in {"string", "integer", "number", "boolean"}


def _says_404(operation: Operation) -> bool:
    return any(key in operation.responses for key in ("404", "4XX"))


# ---- faults ----


async def _unknown_route(ask: Ask, inner: Inner, mutant: Mutant) -> Reply:
    reply = await inner(replace(ask, path="/maestro-nowhere", query=""))
    return mutant.contradicts(replace(reply, body=reply.body.replace(b"/maestro-nowhere", ask.path.encode())))


def _always(status: int) -> Fault:
    async def fault(_ask: Ask, _inner: Inner, mutant: Mutant) -> Reply:
        body = json.dumps({"title": "broken", "status": status}).encode()
        headers = (("content-type", "application/problem+json"),)
        return mutant.contradicts(Reply(status=status, headers=headers, body=body))

    return fault


def _status(status: int) -> Fault:
    async def fault(ask: Ask, inner: Inner, mutant: Mutant) -> Reply:
        reply = await inner(ask)
        return mutant.note(replace(reply, status=status)) if reply.ok else reply

    return fault


async def _media(ask: Ask, inner: Inner, mutant: Mutant) -> Reply:
    reply = await inner(ask)
    return mutant.note(reply.with_header("content-type", "text/html")) if reply.ok and reply.body else reply


def _no_header(name: str) -> Fault:
    async def fault(ask: Ask, inner: Inner, mutant: Mutant) -> Reply:
        reply = await inner(ask)
        return mutant.note(reply.with_header(name, None)) if reply.ok else reply

    return fault


def _body(change: Callable[[Any], Any]) -> Fault:
    async def fault(ask: Ask, inner: Inner, mutant: Mutant) -> Reply:
        reply = await inner(ask)
        if not reply.ok or reply.data is None:
            return reply
        changed = change(reply.data)
        return reply if changed == reply.data else mutant.note(reply.with_data(changed))

    return fault


def _in_items(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Fault:
    def whole(data: Any) -> Any:
        if isinstance(data, list):
            return [change(item) if isinstance(item, dict) else item for item in data]
        return change(data) if isinstance(data, dict) else data

    return _body(whole)


def _set(name: str, value: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda item: {**item, name: value}


def _drop(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda item: {key: value for key, value in item.items() if key != name}


async def _without_security(ask: Ask, inner: Inner, mutant: Mutant) -> Reply:
    reply = await inner(ask)
    if reply.status != 401:
        return reply
    headers, query = dict(ask.headers), parse_qsl(ask.query)
    for scheme in mutant.operation.security[0].schemes:
        if scheme.kind == "apiKey" and scheme.location == "query":
            query.append((scheme.parameter, "maestro"))
        elif scheme.kind == "apiKey" and scheme.location == "cookie":
            headers["cookie"] = f"{scheme.parameter}=maestro"
        elif scheme.kind == "apiKey":
            headers[scheme.parameter.lower()] = "maestro"
        else:
            is_basic = scheme.http_scheme == "basic"
            headers["authorization"] = "Basic dXNlcjpwYXNz" if is_basic else "Bearer maestro"
    return mutant.contradicts(
        await inner(replace(ask, headers=tuple(headers.items()), query=urlencode(query)))
    )


async def _without_validation(ask: Ask, inner: Inner, mutant: Mutant) -> Reply:
    reply = await inner(ask)
    if reply.status not in REFUSED or mutant.operation.body is None:
        return reply
    media = mutant.operation.body.json
    good = sample(mutant.api, media.schema, seed=7, direction="request")
    again = await inner(replace(ask, body=json.dumps(good).encode()))
    return mutant.contradicts(again) if again.ok else reply


async def _refusal_is_500(ask: Ask, inner: Inner, mutant: Mutant) -> Reply:
    reply = await inner(ask)
    return mutant.contradicts(replace(reply, status=500)) if reply.status in REFUSED else reply


def _identity(resource: Resource, data: Any) -> str | None:
    return (
        str(data[resource.id_property]) if isinstance(data, dict) and resource.id_property in data else None
    )


def _create_lost(resource: Resource, ids: Mapping[str, str]) -> Fault:
    async def fault(ask: Ask, inner: Inner, mutant: Mutant) -> Reply:
        gone = mutant.memory.setdefault("gone", set())
        reply = await inner(ask)
        if ask.operation.id == ids.get("create"):
            if reply.ok:
                gone.add(_identity(resource, reply.data) or _last(reply))
        elif ask.operation.id == ids.get("list"):
            return _without(resource, reply, gone, mutant)
        elif ask.values.get(resource.id_parameter.name) in gone:
            return mutant.contradicts(await inner(replace(ask, path=ask.path + "-maestro-nowhere")))
        return reply

    return fault


def _last(reply: Reply) -> str:
    return dict(reply.headers).get("location", "").rpartition("/")[2]


def _without(resource: Resource, reply: Reply, gone: set[str], mutant: Mutant) -> Reply:
    data = reply.data
    items = data.get(resource.list_key) if resource.list_key and isinstance(data, dict) else data
    if not isinstance(items, list):
        return reply
    kept = [item for item in items if _identity(resource, item) not in gone]
    if len(kept) == len(items):
        return reply
    return mutant.contradicts(
        reply.with_data(kept if not resource.list_key else {**data, resource.list_key: kept})
    )


def _list_empty(resource: Resource) -> Fault:
    async def fault(ask: Ask, inner: Inner, mutant: Mutant) -> Reply:
        reply = await inner(ask)
        data = reply.data
        if not reply.ok or (resource.list_key and not isinstance(data, dict)):
            return reply
        return mutant.contradicts(
            reply.with_data([] if not resource.list_key else {**data, resource.list_key: []})
        )

    return fault


def _field_lost(resource: Resource, ids: Mapping[str, str], api: Api) -> Fault:
    """Every read shows another value of one field that was sent."""

    async def fault(ask: Ask, inner: Inner, mutant: Mutant) -> Reply:
        sent = mutant.memory.setdefault("sent", {})
        reply = await inner(ask)
        if not reply.ok:
            return reply
        if ask.operation.id == ids["create"]:
            sent[_identity(resource, reply.data) or _last(reply)] = ask.data
            return reply
        body, data = sent.get(ask.values.get(resource.id_parameter.name)), reply.data
        if not isinstance(body, dict) or not isinstance(data, dict):
            return reply
        own = {resource.id_property, *resource.parents.values()}
        for name, value in body.items():
            if name in own or data.get(name) != value:
                continue
            for other in _others(value):
                changed = reply.with_data({**data, name: other})
                if is_allowed(api, ask.operation, changed):
                    return mutant.contradicts(changed)
        return reply

    return fault


def _others(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1]
    return [f"{value}x", value[:-1]] if isinstance(value, str) else []


def _update_lost(update: str) -> Fault:
    async def fault(ask: Ask, inner: Inner, mutant: Mutant) -> Reply:
        old = mutant.memory.setdefault("old", {})
        if ask.operation.id != update:
            reply = await inner(ask)
            kept = old.get(ask.path)
            if kept is None or not reply.ok or kept.data == reply.data:
                return reply
            return mutant.contradicts(kept)
        before = await inner(replace(ask, method="GET", body=b"", operation=None))
        reply = await inner(ask)
        if reply.ok and before.ok:
            old.setdefault(ask.path, before)
        return reply

    return fault


def _delete_lost(delete: str) -> Fault:
    async def fault(ask: Ask, inner: Inner, mutant: Mutant) -> Reply:
        ghosts = mutant.memory.setdefault("ghosts", {})
        if ask.operation.id != delete:
            ghost = ghosts.get(ask.path)
            return await inner(ask) if ghost is None else mutant.contradicts(ghost)
        before = await inner(replace(ask, method="GET", body=b""))
        reply = await inner(ask)
        if reply.ok and before.ok:
            ghosts[ask.path] = before
        return reply

    return fault


def _wrong_id(resource: Resource, api: Api) -> Fault:
    async def fault(ask: Ask, inner: Inner, mutant: Mutant) -> Reply:
        reply = await inner(ask)
        data, key = reply.data, resource.id_property
        if not reply.ok or not isinstance(data, dict) or key not in data:
            return reply
        schema = shapes.properties(api, resource.schema).get(key, True)
        old = data[key]
        options = (
            [old + 1000003] if isinstance(old, int) else [f"{old}x", str(old)[::-1], "a" * len(str(old))]
        )
        options.append(sample(api, schema, seed=999))
        good = [option for option in options if option != old and not errors(api, schema, option)]
        return mutant.contradicts(reply.with_data({**data, key: good[0]})) if good else reply

    return fault


async def _unknown_found(ask: Ask, inner: Inner, mutant: Mutant) -> Reply:
    reply = await inner(ask)
    if reply.ok:
        mutant.memory["good"] = reply
    kept = mutant.memory.get("good")
    return mutant.contradicts(kept) if reply.status == 404 and kept is not None else reply


def _without_query(names: tuple[str, ...]) -> Fault:
    async def fault(ask: Ask, inner: Inner, mutant: Mutant) -> Reply:
        pairs = parse_qsl(ask.query, keep_blank_values=True)
        kept = [(name, value) for name, value in pairs if name not in names]
        good = await inner(ask)
        if len(kept) == len(pairs) or not good.ok:
            return good
        reply = await inner(replace(ask, query=urlencode(kept)))
        if reply.data == good.data:
            return reply
        return mutant.contradicts(reply)

    return fault
