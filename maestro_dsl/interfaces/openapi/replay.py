"""Replays against the real provider the calls that a consumer made to the mock, and judges both sides.

The provider must answer each call with the same class of status and an answer its schema allows. Ids that the
mock gave out are replaced by those that the provider gives. A call outside the contract is the consumer's
fault, named with file and line where the text tells it. Runs none of the consumer's code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from maestro_dsl.interfaces.consumers import nothing_replayed, only_tests, own_calls
from maestro_dsl.interfaces.openapi.entities import Entities, expect_success, identity_of, items_of
from maestro_dsl.interfaces.openapi.locate import find_call
from maestro_dsl.interfaces.openapi.probe import Prober, Sent, credentials, declared, label
from maestro_dsl.interfaces.openapi.resources import Resource, find_resources
from maestro_dsl.interfaces.openapi.verify import find_prefix
from maestro_dsl.interfaces.verification import Sheet, VerificationResult, unreachable
from maestro_dsl.lang.model import Json
from maestro_dsl.net.client import HttpClient, NoAnswer

if TYPE_CHECKING:
    from maestro_dsl.interfaces.openapi.model import Api, Operation

_PARAMETER = re.compile(r"\{([^/{}]+)\}")
_NOT_REPLAYED = frozenset({"host", "content-length", "connection", "transfer-encoding", "accept-encoding"})
_SUCCESS, _CLIENT_ERROR = 2, 4
_UNAUTHORIZED = 401
_NO_SUCH_OPERATION = frozenset({404, 405})
_UNMISTAKABLE = 8
"""A text of this length that the mock gave as an id is one wherever it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One recorded call; `violations` say how the request breaks the contract."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: str | None
    status: int
    answer: Any
    operation: str | None
    violations: tuple[str, ...]


async def replay_calls(
    api: Api,
    base_url: str,
    calls: Sequence[Mapping[str, Json]],
    *,
    contract_id: str,
    consumer_files: Mapping[str, str],
    seed: int = 0,
    timeout_s: float = 10.0,
) -> VerificationResult:
    """Return how the provider at `base_url` and the recorded calls fit.

    `calls` are the records of the mock, `consumer_files` path → text of what the consumer wrote. No calls:
    the verdict is "could not verify".
    """
    read = [_call(record) for record in own_calls(calls)]
    if not read:
        return nothing_replayed(contract_id)
    sheet = Sheet()
    async with HttpClient(base_url, timeout_s=timeout_s) as client:
        try:
            prefix = await find_prefix(api, client)
        except NoAnswer as error:
            return unreachable(contract_id, error.message)
        probe = Prober(api=api, client=client, sheet=sheet, prefix=prefix, seed=seed)
        resources = find_resources(api)
        replay = _Replay(
            entities=Entities(probe=probe, resources=resources),
            files=consumer_files,
        )
        for call in read:
            await replay.one(call)
    return sheet.result(contract_id, [label(operation) for operation in api.operations])


def _call(record: Mapping[str, Any]) -> Call:
    query = record.get("query") or ""
    if isinstance(query, Mapping):
        query = urlencode(query, doseq=True)
    answer = record.get("response_body")
    try:
        data = json.loads(answer) if isinstance(answer, str) and answer else None
    except ValueError:
        data = None
    return Call(
        method=str(record.get("method", "GET")).upper(),
        path=str(record.get("path", "/")).partition("?")[0],
        query=str(query).removeprefix("?"),
        headers={str(name).lower(): str(value) for name, value in (record.get("headers") or {}).items()},
        body=record.get("body"),
        status=int(record.get("status") or 0),
        answer=data,
        operation=record.get("operation"),
        violations=tuple(str(item) for item in record.get("violations") or ()),
    )


@dataclass(slots=True)
class _Replay:
    entities: Entities
    files: Mapping[str, str]
    ids: dict[str, dict[str, Json]] = field(default_factory=dict)
    """By item path of a resource: id the mock gave → id the provider gave."""

    @property
    def probe(self) -> Prober:
        return self.entities.probe

    async def one(self, call: Call) -> None:
        operation = self.probe.api.operation(call.operation) if call.operation else None
        if operation is None and only_tests(self.files) and call.status in _NO_SUCH_OPERATION:
            await self._refused_too(call)
            return
        if operation is None:
            self._outside(call, f"calls {call.method} {call.path}, which the contract does not have", None)
            return
        if call.violations and not self._is_deliberate(call, operation):
            told = "; ".join(call.violations)
            self._outside(call, f"calls {label(operation)} against the contract: {told}", operation)
            return
        self.probe.sheet.check("contract", True, "", operation=operation.id)
        sent = await self._send(call, operation)
        if sent is None:
            return
        self._learn(operation, call, sent)
        await self._compare(call, sent)

    def _is_deliberate(self, call: Call, operation: Operation) -> bool:
        """Return whether a bad request tests how bad requests are refused, as the contract declares."""
        refused = call.status // 100 == _CLIENT_ERROR and declared(operation, call.status) is not None
        return refused and only_tests(self.files)

    async def _refused_too(self, call: Call) -> None:
        """Check that the provider, too, refuses a call that the contract does not have."""
        where = f"{call.method} {call.path}"
        try:
            answer = await self.probe.client.send(call.method, quote(call.path, safe="/%:@"))
        except NoAnswer as error:
            self.probe.sheet.check("status", False, f"{where}: {error.message}", operation=where)
            return
        text = f"{where} answers {answer.status} where the mock answered {call.status}"
        refused = answer.status // 100 == _CLIENT_ERROR
        self.probe.sheet.check("status", refused, text, operation=where)

    def _outside(self, call: Call, text: str, operation: Operation | None) -> None:
        path = self._without_ids(call.path) if operation is None else operation.path
        name = None if operation is None else operation.operation_id
        place = find_call(call.method, path, self.files, operation_id=name)
        key = f"{call.method} {call.path}" if operation is None else operation.id
        at = None if place is None else (place.file, place.line)
        self.probe.sheet.check("contract", False, f"the consumer {text}", operation=key, place=at)
        self.probe.sheet.recommend(f"correct the call of {key}")

    def _without_ids(self, path: str) -> str:
        given = {recorded for known in self.ids.values() for recorded in known}
        return "/".join("{id}" if unquote(part) in given else part for part in path.split("/"))

    # ---- sending -----------------------------------------------------------------------------------------

    async def _send(self, call: Call, operation: Operation) -> Sent | None:
        values = await self._values(call, operation)
        path = operation.path
        for name, value in values.items():
            path = path.replace("{" + name + "}", quote(value, safe=""))
        pairs = [(name, self._anywhere(value)) for name, value in parse_qsl(call.query, True)]
        target = self.probe.prefix + path + ("?" + urlencode(pairs) if pairs else "")
        headers = {name: value for name, value in call.headers.items() if name not in _NOT_REPLAYED}
        if call.status != _UNAUTHORIZED:  # a record holds no credentials
            headers = {**credentials(operation), **headers}
        body = self._body(call, operation)
        try:
            answer = await self.probe.client.send(call.method, target, headers=headers, body=body)
        except NoAnswer as error:
            text = f"{label(operation)}: {error.message}"
            self.probe.sheet.check("status", False, text, operation=operation.id)
            return None
        try:
            data = answer.json() if answer.body else None
        except ValueError:
            data = None
        return Sent(operation=operation, target=target, answer=answer, data=data)

    async def _values(self, call: Call, operation: Operation) -> dict[str, str]:
        names = _PARAMETER.findall(operation.path)
        pattern = _PARAMETER.sub("([^/]*)", re.sub(r"[.+*?^$()|\[\]\\]", r"\\\g<0>", operation.path))
        match = re.search(pattern + "/?$", call.path)
        values = dict(zip(names, map(unquote, match.groups()), strict=True)) if match else {}
        for found in _PARAMETER.finditer(operation.path):
            resource = self._resource_at(operation.path[: found.end()])
            if resource is not None and found[1] in values:
                recorded = values[found[1]]
                known = self.ids.setdefault(resource.item_path, {})
                if recorded not in known and call.status // 100 == _SUCCESS:
                    await self._make(resource, recorded)
                values[found[1]] = _text(known.get(recorded, recorded))
        return values

    async def _make(self, resource: Resource, recorded: str) -> None:
        """Make an item for one that only the mock had from its start."""
        entity = await self.entities.create(resource) or await self.entities.alive(resource)
        if entity is not None:
            self.ids[resource.item_path][recorded] = entity.identity

    def _resource_at(self, path: str) -> Resource | None:
        return next((item for item in self.entities.resources if item.item_path == path), None)

    def _body(self, call: Call, operation: Operation) -> bytes | None:
        if call.body is None:
            return None
        try:
            data = json.loads(call.body)
        except ValueError:
            return call.body.encode()
        own = next((item for item in self.entities.resources if item.role(operation.id)), None)
        return json.dumps(self._mapped(data, own)).encode()

    def _mapped(self, data: Any, own: Resource | None) -> Any:
        if isinstance(data, list):
            return [self._mapped(item, own) for item in data]
        if not isinstance(data, dict):
            return self._anywhere(data)
        return {name: self._property(name, value, own) for name, value in data.items()}

    def _property(self, name: str, value: Any, own: Resource | None) -> Any:
        resource = self.entities.referred(name)
        if resource is None and own is not None and name == own.id_property:
            resource = own
        if resource is not None and not isinstance(value, (dict, list)):
            return self.ids.get(resource.item_path, {}).get(_text(value), value)
        return self._mapped(value, own)

    def _anywhere(self, value: Any) -> Any:
        """Replace a text that can only be an id of the mock."""
        if isinstance(value, str) and len(value) >= _UNMISTAKABLE:
            for known in self.ids.values():
                if value in known:
                    return _text(known[value])
        return value

    # ---- judging -----------------------------------------------------------------------------------------

    def _learn(self, operation: Operation, call: Call, sent: Sent) -> None:
        for resource in self.entities.resources:
            role = resource.role(operation.id)
            known = self.ids.setdefault(resource.item_path, {})
            if role == "create" and sent.ok and isinstance(call.answer, dict):
                recorded = call.answer.get(resource.id_property or "id")
                real = identity_of(resource, sent)
                if recorded is not None and real is not None:
                    known[_text(recorded)] = real
            elif role == "list" and sent.ok and resource.id_property:
                self._learn_listed(resource, call, sent)

    def _learn_listed(self, resource: Resource, call: Call, sent: Sent) -> None:
        """Pair what both lists hold and nothing has paired yet, so that "take the first one" goes on."""
        name, known = resource.id_property or "id", self.ids[resource.item_path]
        taken = {_text(value) for value in known.values()}
        free = [item[name] for item in items_of(resource, sent.data) if name in item]
        free = [value for value in free if _text(value) not in taken]
        fresh = [_text(item[name]) for item in items_of(resource, call.answer) if name in item]
        for recorded, real in zip((item for item in fresh if item not in known), free, strict=False):
            known[recorded] = real

    async def _compare(self, call: Call, sent: Sent) -> None:
        operation, status = sent.operation, sent.answer.status
        if call.status // 100 == _SUCCESS:
            await expect_success(self.probe, sent)
            return
        same = status // 100 == call.status // 100
        text = f"{label(operation)} answers {status} where the mock answered {call.status}"
        if self.probe.sheet.check("status", same, text, operation=operation.id):
            self.probe.judge(sent)


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)
