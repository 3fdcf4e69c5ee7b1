"""From a request to an answer, by the decision table and the memory: the interpreter of the mock.

`emit_mock_server.js` holds the same rules in JavaScript; one suite of requests compares the two. Knows
nothing of sockets.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from maestro_dsl.interfaces.chance import hash32
from maestro_dsl.interfaces.openapi import answers, credentials, inputs, paging, reasons
from maestro_dsl.interfaces.openapi.admin import Admin
from maestro_dsl.interfaces.openapi.answers import Answer, Preference, problem
from maestro_dsl.interfaces.openapi.memory import Memory, overlay
from maestro_dsl.interfaces.openapi.validate import is_valid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.interfaces.openapi.inputs import Inputs, Request
    from maestro_dsl.interfaces.openapi.model import Media, Operation, Response, Schema
    from maestro_dsl.interfaces.openapi.paging import Page
    from maestro_dsl.interfaces.openapi.routes import Match
    from maestro_dsl.interfaces.openapi.table import Behaviour, Table

VIOLATIONS_HEADER = "x-maestro-violations"
_STATUS = re.compile(r"[2-5]\d\d", re.ASCII)
_NO_BODY = frozenset({204, 205, 304})
_MOST_CHOSEN = 1000
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Interpreter:
    """Answers requests to one mock; each instance has its own memory."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.memory = Memory(table)
        self.admin = Admin(table, self.memory)
        self._chosen: dict[tuple[str, str, str], Media | None] = {}

    def answer(self, request: Request, *, failing: bool = False) -> Answer:
        """Return the answer to `request`; every request has one, with `failing` that of a broken provider."""
        admin = self.admin.answer(request)
        if admin is not None:
            return admin
        match, allowed = self.table.router.find(request.raw_path, request.method)
        if match is None:
            return problem(404, f"no operation of this API has the path {request.raw_path}")
        operation = match.route.operations.get(request.method)
        if operation is None and request.method == "HEAD":
            operation = match.route.operations.get("GET")
        if operation is None:
            return _method_not_allowed(request, allowed)
        if failing and answers.preference(request.headers.get("prefer", "")).code is None:
            status, response = answers.for_failure(operation)
            return self._failed(operation, request, status, response, "this failure is simulated")
        return self._guarded(operation, match, request)

    def _guarded(self, operation: Operation, match: Match, request: Request) -> Answer:
        refused = self.table.refusal(operation, request)
        if refused is not None:
            return self._unauthorized(operation, request, refused)
        found = inputs.read(self.table.api, operation, request, match.values)
        if found.unsupported:
            takes = ", ".join(operation.body.content if operation.body is not None else ())
            reason = f"the media type {request.media_type} is not accepted; send {takes or 'no body'}"
            return self._failed(
                operation, request, 415, answers.for_status(operation, 415, default=False), reason
            )
        if found.violations:
            status, response = answers.for_bad_request(
                operation, malformed=found.malformed, violations=found.violations
            )
            reason = "; ".join(found.violations)
            return self._failed(operation, request, status, response, reason, violations=found.violations)
        answer = self._fulfilled(operation, match, request, found)
        if not found.deprecated:
            return answer
        return replace(
            answer, headers={**answer.headers, reasons.HEADER: reasons.of_deprecated(found.deprecated)}
        )

    def _fulfilled(self, operation: Operation, match: Match, request: Request, found: Inputs) -> Answer:
        asked = request.query if "__" in request.query_string else ()
        wanted = answers.preference(request.headers.get("prefer", ""), asked)
        if wanted.is_any:
            return self._preferred(operation, request, wanted)
        role = self.table.role(operation)
        if role is not None:
            return self._remembered(operation, match, request, found, *role)
        single = self.table.single(operation)
        if single is not None:
            return self._single(operation, match, request, found, *single)
        return self._stateless(operation, request, found)

    def _single(
        self, operation: Operation, match: Match, request: Request, found: Inputs, path: str, role: str
    ) -> Answer:
        sent = found.body if isinstance(found.body, dict) else {}
        kept = self.memory.single(path, match.values, role, sent)
        answer, response = self._stateless(operation, request, found), operation.success
        media = (
            None if answer.media_type is None or response is None else response.content.get(answer.media_type)
        )
        if media is None or not media.is_json or not isinstance(answer.body, dict):
            return answer
        return replace(answer, body=overlay(answer.body, kept, self._validity(media.schema)))

    def _unauthorized(self, operation: Operation, request: Request, reason: str) -> Answer:
        status, response = answers.for_stranger(operation)
        answer = self._failed(operation, request, status, response, reason)
        own = {
            "www-authenticate": credentials.challenge(operation),
            reasons.HEADER: reasons.of_credentials(reason, status),
        }
        return replace(answer, headers={**answer.headers, **own})

    def _failed(
        self,
        operation: Operation,
        request: Request,
        status: int,
        response: Response | None,
        reason: str,
        *,
        violations: list[str] | None = None,
    ) -> Answer:
        """Return the declared error `response` with the reason worked in, or problem details."""
        found = tuple(violations or ())
        headers = (
            {VIOLATIONS_HEADER: answers.header_text(found), reasons.HEADER: reasons.of_violations(found)}
            if found
            else {}
        )
        if response is None:
            return replace(problem(status, reason, violations=found), operation=operation, headers=headers)
        if not response.content:
            return Answer(status=status, operation=operation, violations=found, headers=headers)
        media = self._media(operation, response, "") or next(iter(response.content.values()))
        media = self._media(operation, response, request.headers.get("accept", "")) or media
        named = self._named_example(request, status, media) if found else None
        pool = self.table.pool(operation, response, media) if named is None else ()
        if named is not None:
            body = self.table.example(media, named)
        elif not pool:
            return self._failed(operation, request, status, None, reason, violations=violations)
        elif media.is_json:
            words = dict(answers.worded(pool[0], status, reason))
            body = overlay(pool[0], words, self._validity(media.schema))
        else:
            body = pool[0]
        return Answer(
            status=status,
            body=body,
            media_type=media.media_type,
            headers={**self.table.headers(operation, response), **headers},
            operation=operation,
            violations=found,
        )

    @staticmethod
    def _named_example(request: Request, status: int, media: Media) -> str | None:
        """Return the example of a refusal that the caller asks for together with the refusal's status."""
        wanted = answers.preference(request.headers.get("prefer", ""))
        is_meant = wanted.code == str(status) and wanted.example in media.examples
        return wanted.example if is_meant else None

    def _preferred(self, operation: Operation, request: Request, wanted: Preference) -> Answer:
        response, status = operation.success, operation.success_status
        if wanted.code is not None:
            if _STATUS.fullmatch(wanted.code) is None:
                return problem(400, f'"{wanted.code}" is no status code', operation=operation)
            status = int(wanted.code)
            response = answers.for_status(operation, status)
        if response is None:
            return problem(404, f"the answer {status} is not declared", operation=operation)
        return self._send(operation, request, response, status, wanted)

    def _send(
        self,
        operation: Operation,
        request: Request,
        response: Response,
        status: int,
        wanted: Preference | None = None,
    ) -> Answer:
        headers = self.table.headers(operation, response)
        if not response.content or status in _NO_BODY:
            return Answer(status=status, headers=headers, operation=operation)
        media = self._media(operation, response, request.headers.get("accept", ""))
        if media is None:
            return _no_body(operation, response, request)
        example = None if wanted is None else wanted.example
        if example is not None:
            if example not in media.examples:
                return problem(404, f'the answer {status} has no example "{example}"', operation=operation)
            body = self.table.example(media, example)
        else:
            is_dynamic = self.table.is_dynamic or (wanted is not None and wanted.is_dynamic)
            pool = (self.table.made if is_dynamic else self.table.pool)(operation, response, media)
            path = self.table.router.relative(request.raw_path)
            body = pool[hash32(f"{self.table.seed}|{path}|{request.query_string}") % len(pool)]
        return Answer(
            status=status, body=body, media_type=media.media_type, headers=headers, operation=operation
        )

    def _media(self, operation: Operation, response: Response, accept: str) -> Media | None:
        """Return the best acceptable media type that a body can be made for."""
        key = (operation.id, response.status, accept)
        if key not in self._chosen:
            if len(self._chosen) >= _MOST_CHOSEN:
                self._chosen.clear()
            options = answers.acceptable(response.content, accept)
            found = (media for media in options if self.table.pool(operation, response, media))
            self._chosen[key] = next(found, None)
        return self._chosen[key]

    def _stateless(self, operation: Operation, request: Request, found: Inputs) -> Answer:
        response = operation.success
        if response is None:
            return Answer(status=200, operation=operation)
        answer = self._send(operation, request, response, operation.success_status)
        media = None if answer.media_type is None else response.content.get(answer.media_type)
        if media is None or not media.is_json or not isinstance(answer.body, dict):
            return answer
        if media.examples and self.table.pool(operation, response, media)[0] in media.examples.values():
            echoed = self._path_echo(operation, answer.body, found)
        else:
            sent = found.body if isinstance(found.body, dict) else {}
            same = {name: value for name, value in sent.items() if name in answer.body}
            echoed = {**same, **self._path_echo(operation, answer.body, found)}
        return replace(answer, body=overlay(answer.body, echoed, self._validity(media.schema)))

    def _path_echo(self, operation: Operation, body: Mapping[str, Any], found: Inputs) -> dict[str, Any]:
        """Return the path's values under the names that the body has for them."""
        return {
            name: found.values["path", parameter]
            for parameter, name in self.table.path_echo(operation)
            if name in body
            and not isinstance(body[name], (dict, list))
            and ("path", parameter) in found.values
        }

    def _remembered(
        self,
        operation: Operation,
        match: Match,
        request: Request,
        found: Inputs,
        behaviour: Behaviour,
        role: str,
    ) -> Answer:
        if not self.memory.has_parent(behaviour, match.values):
            missing = self._missing(operation, request, declared_only=True)
            if missing is not None:
                return missing
        if role == "list":
            return self._list(operation, match, request, found, behaviour)
        if role == "create":
            return self._create(operation, match, request, found, behaviour)
        shelf = self.memory.shelf(behaviour, match.values)
        identity = match.values.get(behaviour.resource.id_parameter.name, "")
        if identity not in shelf.items and role == "replace" and behaviour.resource.is_upserted:
            sent = found.body if isinstance(found.body, dict) else {}
            return self._item(operation, request, self.memory.put(behaviour, shelf, identity, sent))
        if identity not in shelf.items:
            missing = self._missing(operation, request, declared_only=identity not in shelf.gone)
            return missing or self._stateless(operation, request, found)
        if role == "delete":
            item = self.memory.delete(shelf, identity)
        elif role == "read":
            item = shelf.items[identity]
        else:
            sent = found.body if isinstance(found.body, dict) else {}
            item = self.memory.replace(behaviour, shelf, identity, sent, partly=role == "patch")
        return self._item(operation, request, item)

    def _missing(self, operation: Operation, request: Request, *, declared_only: bool) -> Answer | None:
        response = answers.for_status(operation, 404)
        if response is None and declared_only:
            return None
        return self._failed(operation, request, 404, response, "there is nothing with this identity")

    def _item(self, operation: Operation, request: Request, item: Mapping[str, Any]) -> Answer:
        answer, media = self._successful(operation, request)
        if media is None:
            return answer
        return replace(answer, body=self._conform(media.schema, item, answer.body))

    def _successful(self, operation: Operation, request: Request) -> tuple[Answer, Media | None]:
        """Return the described success, and what it is written in where that is JSON."""
        response = operation.success
        if response is None:
            return Answer(status=200, operation=operation), None
        answer = self._send(operation, request, response, operation.success_status)
        media = None if answer.media_type is None else response.content.get(answer.media_type)
        return answer, media if media is not None and media.is_json else None

    def _conform(self, schema: Schema | None, item: Mapping[str, Any], spare: Any) -> Any:
        """Return `item` as `schema` shows it: itself where valid, else what of it fits into `spare`."""
        hidden = self.table.hidden(schema)
        shown = {name: value for name, value in item.items() if name not in hidden}
        check = self._validity(schema)
        return shown if check(shown) else overlay(spare, shown, check)

    def _validity(self, schema: Schema | None) -> Any:
        api = self.table.api
        return lambda value: schema is None or is_valid(api, schema, value)

    def _create(
        self, operation: Operation, match: Match, request: Request, found: Inputs, behaviour: Behaviour
    ) -> Answer:
        sent = found.body if isinstance(found.body, dict) else {}
        item = self.memory.create(behaviour, match.values, sent)
        answer = self._item(operation, request, item)
        location = f"{request.raw_path.rstrip('/')}/{_quoted(item[behaviour.id_property])}"
        return replace(answer, headers={**answer.headers, "location": location})

    def _list(
        self, operation: Operation, match: Match, request: Request, found: Inputs, behaviour: Behaviour
    ) -> Answer:
        answer, media = self._successful(operation, request)
        if media is None:
            return answer
        query = {name: value for (place, name), value in found.values.items() if place == "query"}
        defaults = self.table.query_defaults(operation)
        query = {name: value for name, value in {**defaults, **query}.items() if value is not None}
        page = self.memory.page(self.memory.shelf(behaviour, match.values), query)
        return replace(answer, body=self._listed(media.schema, behaviour, page, answer.body))

    def _listed(self, schema: Schema | None, behaviour: Behaviour, page: Page, spare: Any) -> Any:
        key = behaviour.resource.list_key
        entry = self.table.list_entry(behaviour, schema)
        spares = spare if key is None else spare.get(key) if isinstance(spare, dict) else None
        spare_item = spares[0] if isinstance(spares, list) and spares else {}
        items = [self._conform(entry, item, spare_item) for item in page.items]
        check = self._validity(schema)
        if key is None:
            return items if check(items) else spare
        base = spare if isinstance(spare, dict) else {}
        changes = {key: items, **paging.told(base, key, page)}
        return paging.ended(overlay(base, changes, check), page, check)


def _method_not_allowed(request: Request, allowed: tuple[str, ...]) -> Answer:
    methods = sorted({*allowed, "OPTIONS", *(("HEAD",) if "GET" in allowed else ())})
    allow = {"allow": ", ".join(methods)}
    if request.method == "OPTIONS":
        return Answer(status=204, headers=allow)
    answer = problem(405, f"{request.method} is not an operation of {request.raw_path}")
    return replace(answer, headers=allow)


def _no_body(operation: Operation, response: Response, request: Request) -> Answer:
    offered = ", ".join(response.content)
    if answers.acceptable(response.content, request.headers.get("accept", "")):
        reason = f"no body can be made that the schema of this answer allows ({offered})"
        return problem(500, reason, operation=operation)
    return problem(406, f"this operation answers with {offered}", operation=operation)


def _quoted(identity: object) -> str:
    from urllib.parse import quote

    return quote(str(identity), safe="")


def encoded(answer: Answer) -> bytes:
    """Return the bytes of an answer's body."""
    if answer.media_type is None:
        return b""
    bare = answer.media_type.partition(";")[0].strip().lower()
    is_json = bare.endswith(("/json", "+json")) or "*" in bare
    if not is_json and isinstance(answer.body, str):
        return answer.body.encode("utf-8", "replace")
    return _encode(answer.body).encode("utf-8", "replace")
