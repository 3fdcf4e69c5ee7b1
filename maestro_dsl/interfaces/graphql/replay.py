"""Replays against the real provider the queries that a consumer sent to the mock, and judges both sides.

Identities that the mock gave out are replaced by those that the provider gives. A query outside the contract
is the consumer's fault, named with file and line where the text tells it. Runs none of the consumer's code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from graphql import (
    ArgumentNode,
    GraphQLError,
    IntValueNode,
    ListValueNode,
    ObjectFieldNode,
    StringValueNode,
    Visitor,
    parse,
    print_ast,
    visit,
)

from maestro_dsl.interfaces import wording
from maestro_dsl.interfaces.consumers import nothing_replayed, only_tests, own_calls
from maestro_dsl.interfaces.graphql.execute import GraphRequest
from maestro_dsl.interfaces.graphql.journey import Journey, lives
from maestro_dsl.interfaces.graphql.judge import faults
from maestro_dsl.interfaces.graphql.locate import find_query, query_of
from maestro_dsl.interfaces.graphql.probe import Prober, Reply
from maestro_dsl.interfaces.graphql.read import Refusal, read_request
from maestro_dsl.interfaces.graphql.verify import find_path
from maestro_dsl.interfaces.verification import Sheet, VerificationResult, unreachable
from maestro_dsl.net.client import HttpClient, NoAnswer

if TYPE_CHECKING:
    from maestro_dsl.interfaces.graphql.model import GraphApi
    from maestro_dsl.lang.model import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One recorded call; `request` is None where it holds no GraphQL, `faults` break the contract."""

    request: GraphRequest | None
    query: str
    operation: str | None
    faults: tuple[str, ...]
    data: Any
    had_errors: bool
    is_known: bool
    """Whether the mock's answer is in the record as a whole."""


async def replay_calls(
    api: GraphApi,
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
    parts = urlsplit(base_url)
    async with HttpClient(f"{parts.scheme}://{parts.netloc}", timeout_s=timeout_s) as client:
        try:
            path = await find_path(client, parts.path)
        except NoAnswer as error:
            return unreachable(contract_id, error.message)
        probe = Prober(api=api, client=client, sheet=sheet, path=path or "/graphql", seed=seed)
        replay = _Replay(probe=probe, files=consumer_files)
        for call in read:
            await replay.one(call)
    return sheet.result(contract_id, api.operations)


def _call(record: Mapping[str, Any]) -> Call:
    headers = {str(key).lower(): str(value) for key, value in (record.get("headers") or {}).items()}
    body = str(record.get("body") or "").encode()
    request = read_request(str(record.get("method", "POST")), str(record.get("query") or ""), headers, body)
    told = record.get("response_body")
    try:
        answer = json.loads(told) if isinstance(told, str) else None
    except ValueError:
        answer = None
    answer = answer if isinstance(answer, dict) else {}
    return Call(
        request=None if isinstance(request, Refusal) else request,
        query=query_of(record),
        operation=record.get("operation"),
        faults=tuple(str(item) for item in record.get("violations") or ()),
        data=answer.get("data"),
        had_errors=bool(answer.get("errors")),
        is_known=bool(answer),
    )


@dataclass(slots=True)
class _Replay:
    probe: Prober
    files: Mapping[str, str]
    ids: dict[str, str] = field(default_factory=dict)
    """Identity that the mock gave → identity that the provider gave."""
    sent: set[str] = field(default_factory=set)
    """Texts that the consumer has written so far."""

    async def one(self, call: Call) -> None:
        """Replay one call."""
        if call.request is None or call.faults or call.operation is None:
            await self._outside(call)
            return
        operation = call.operation
        self.probe.sheet.check("contract", True, "", operation=operation)
        if operation.startswith("subscription "):
            self.probe.sheet.note(
                f"{operation} was not replayed: events come when they come", operation=operation
            )
            return
        self.sent |= _texts(call.request)
        await self._make_missing(call, call.request)
        request = self._mapped(call.request)
        reply = await self.probe.send(request, operation)
        if reply is None or reply.is_closed:
            return
        self._judge(call, request, reply)

    async def _outside(self, call: Call) -> None:
        """Blame the consumer, unless its tests ask on purpose for what has to be refused, and it is."""
        told = "; ".join(call.faults) or "it is no GraphQL request"
        key = call.operation or "outside the contract"
        if only_tests(self.files) and call.request is not None:
            reply = await self.probe.send(call.request, key)
            if reply is not None:
                text = f"the provider does not refuse a query that the mock refused: {told}"
                self.probe.sheet.check("errors", bool(reply.errors), text, operation=key)
            return
        place = find_query(call.query, call.faults, self.files)
        message = f"the consumer asks against the contract: {told}"
        self.probe.sheet.check("contract", False, message, operation=key, place=place)
        self.probe.sheet.recommend("correct the consumer's query, or extend the contract")

    def _judge(self, call: Call, request: GraphRequest, reply: Reply) -> None:
        operation, sheet = str(call.operation), self.probe.sheet
        if call.had_errors:
            refused = bool(reply.errors) or _is_empty(reply.data)
            text = f"{operation} succeeds where the mock answered with an error"
            sheet.check("errors", refused, text, operation=operation)
            return
        text = f"{operation} answers with an error: {reply.errors[0] if reply.errors else ''}"
        if not sheet.check("errors", reply.ok, text, operation=operation):
            return
        query, name = request.query, request.operation_name
        found = faults(self.probe.api.schema, query, reply.data, request.variables, name)
        if not sheet.check("shape", not found, f"{operation}: {'; '.join(found)}", operation=operation):
            return
        if not call.is_known or not isinstance(call.data, dict):
            return
        for key, value in call.data.items():
            lost = value is not None and reply.data.get(key) is None
            text = f"{operation}: {key} is null where the mock had an answer"
            sheet.check("state", not lost, text, operation=operation)
            stays = value is None and reply.data.get(key) is not None and operation.startswith("query ")
            text = f"{operation}: {key} is still there where the mock had nothing any more"
            sheet.check("state", not stays, text, operation=operation)
        self._same(call.data, reply.data, operation)
        self._pair(call.data, reply.data, "")

    def _same(self, ours: Any, theirs: Any, operation: str) -> None:
        """Check that what the consumer itself wrote comes back from the provider as it did from the mock."""
        for key, value in ours.items() if isinstance(ours, dict) and isinstance(theirs, dict) else ():
            if isinstance(value, str) and value in self.sent and not _is_identity(key):
                text = f"{operation}: {key} was sent as {value!r}, and the provider says {theirs.get(key)!r}"
                self.probe.sheet.check("state", theirs.get(key) == value, text, operation=operation)
            self._same(value, theirs.get(key), operation)

    def _pair(self, ours: Any, theirs: Any, name: str) -> None:
        """Note which identity of the provider stands for which of the mock."""
        if isinstance(ours, dict) and isinstance(theirs, dict):
            for key, value in ours.items():
                self._pair(value, theirs.get(key), key)
        elif isinstance(ours, list) and isinstance(theirs, list):
            taken = set(self.ids.values())
            for one, other in zip(ours, theirs, strict=False):
                if not isinstance(other, dict) or str(other.get("id")) not in taken or isinstance(one, str):
                    self._pair(one, other, name)
        elif isinstance(ours, (str, int)) and isinstance(theirs, (str, int)) and _is_identity(name):
            self.ids.setdefault(str(ours), str(theirs))

    async def _make_missing(self, call: Call, request: GraphRequest) -> None:
        """Make a value for each identity that only the mock had from its start."""
        if call.had_errors or not isinstance(call.data, dict):
            return
        operations = [f"{(call.operation or '').partition(' ')[0]} {name}" for name in _fields(call)]
        for recorded in dict.fromkeys(_identities(request)):
            if recorded in self.ids:
                continue
            for operation in operations:
                if await self._found_for(operation, recorded):
                    break

    async def _found_for(self, operation: str, recorded: str) -> bool:
        entry = self.probe.api.root_field(operation)
        kind, _, name = operation.partition(" ")
        root = dict(self.probe.api.roots()).get(kind)
        if entry is None or root is None:
            return False
        deed = self.probe.table.deed(root.name, name) if kind == "mutation" else None
        types = (deed.type,) if deed is not None else self.probe.table.recipe(root.name, name).types
        if deed is not None and deed.verb == "create":
            return False
        life = next((item for item in lives(self.probe) if item.type in types), None)
        key = None if life is None else await Journey(self.probe, life).make()
        known = [item for one in types for item in self.probe.known.get(one, [])]
        key = key or next((item for item in known if item not in self.ids.values()), None)
        if key is not None:
            self.ids[recorded] = key
        return key is not None

    def _mapped(self, request: GraphRequest) -> GraphRequest:
        """Return the request with the provider's identities in place of the mock's."""
        if not self.ids:
            return request
        variables = {name: self._value(value, name) for name, value in request.variables.items()}
        query = request.query
        if any(f'"{key}"' in query or key in query for key in self.ids):
            query = _rewritten(query, self.ids)
        return GraphRequest(query=query, variables=variables, operation_name=request.operation_name)

    def _value(self, value: Any, name: str) -> Any:
        if isinstance(value, dict):
            return {key: self._value(item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [self._value(item, name) for item in value]
        if isinstance(value, (str, int)) and not isinstance(value, bool) and _is_identity(name):
            found = self.ids.get(str(value))
            if found is not None:
                return int(found) if isinstance(value, int) and found.isdecimal() else found
        return value


def _rewritten(query: str, ids: Mapping[str, str]) -> str:
    """Return a query whose literals in arguments for identities are the provider's."""

    class Rewriter(Visitor):
        def enter(self, node: Any, *_: Any) -> Any:
            if isinstance(node, (ArgumentNode, ObjectFieldNode)) and _is_identity(node.name.value):
                changed = literal(node.value)
                if changed is not node.value:
                    return type(node)(name=node.name, value=changed)
            return None

    def literal(value: Any) -> Any:
        if isinstance(value, ListValueNode):
            return ListValueNode(values=tuple(literal(item) for item in value.values))
        if isinstance(value, (StringValueNode, IntValueNode)) and value.value in ids:
            return type(value)(value=ids[value.value])
        return value

    try:
        return print_ast(visit(parse(query), Rewriter()))
    except GraphQLError:
        return query


def _is_identity(name: str) -> bool:
    return wording.is_identity(name) or name.endswith(("ids", "Ids", "IDs"))


def _said(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every single value of variables with the name that it stands under."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _said(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from _said(item, name)
    else:
        yield name, value


def _texts(request: GraphRequest) -> set[str]:
    """Return the texts that a request sends, those of identities left out."""
    said = _said(dict(request.variables))
    found = {value for name, value in said if isinstance(value, str) and not _is_identity(name)}
    found |= set(re.findall(r'"((?:[^"\\]|\\.)+)"', request.query))
    return found


def _identities(request: GraphRequest) -> list[str]:
    """Return what a request says where an identity stands."""
    said = ((name, value) for name, value in _said(dict(request.variables)) if _is_identity(name))
    found = [str(value) for _, value in said if isinstance(value, (str, int)) and not isinstance(value, bool)]

    class Reader(Visitor):
        def enter(self, node: Any, *_: Any) -> None:
            if isinstance(node, (ArgumentNode, ObjectFieldNode)) and _is_identity(node.name.value):
                values = node.value.values if isinstance(node.value, ListValueNode) else (node.value,)
                found.extend(
                    item.value for item in values if isinstance(item, (StringValueNode, IntValueNode))
                )

    with suppress(GraphQLError):
        visit(parse(request.query), Reader())
    return found


def _fields(call: Call) -> list[str]:
    return [item.strip() for item in (call.operation or "").partition(" ")[2].split(",")]


def _is_empty(data: Any) -> bool:
    return data is None or (isinstance(data, dict) and all(value is None for value in data.values()))
