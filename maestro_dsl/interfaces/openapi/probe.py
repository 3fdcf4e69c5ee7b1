"""Sends requests of described operations and judges each answer against the description.

Knows single requests only; what they mean together is for `journey`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final
from urllib.parse import quote, urlencode

from maestro_dsl.interfaces.openapi.model import Api, Operation, Parameter, Response, is_json_media
from maestro_dsl.interfaces.openapi.sample import sample
from maestro_dsl.interfaces.openapi.validate import errors
from maestro_dsl.interfaces.openapi.written import text_of, writable, written
from maestro_dsl.interfaces.verification import Sheet
from maestro_dsl.lang.model import Json
from maestro_dsl.net.client import Answer, HttpClient, NoAnswer

NOT_FOUND = 404
NOT_IMPLEMENTED = frozenset({405, 501})
_NOT_IMPLEMENTED = 501
_MAX_MESSAGES = 3
_MAX_WORDS = 160
_BOGUS = "/maestro-no-such-route-7f3a"


class NoBody(Enum):
    """Says that a request has no body; `None` is the JSON value null."""

    NO_BODY = "no body"


NO_BODY: Final = NoBody.NO_BODY


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request that was answered, with the answer's body as JSON (None where it has none)."""

    operation: Operation
    target: str
    answer: Answer
    data: Any = None

    @property
    def ok(self) -> bool:
        """True for a 2xx answer."""
        return self.answer.status // 100 == 2  # noqa: PLR2004 - the class of success


@dataclass(slots=True)
class Prober:
    """One verification's way to the provider; what it finds is counted on `sheet`."""

    api: Api
    client: HttpClient
    sheet: Sheet
    prefix: str = ""
    seed: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    good: set[str] = field(default_factory=set)
    """Operations that have answered a good request as declared at least once."""
    signatures: dict[str, tuple[int, str, bytes]] = field(default_factory=dict)
    given: dict[str, Json] = field(default_factory=dict)
    """Values that answers gave, by the path they are good for: "/tickets/{ticketId}" after POST /tickets."""

    async def send(
        self,
        operation: Operation,
        values: Mapping[str, Json],
        *,
        body: Json | NoBody = NO_BODY,
        query: Mapping[str, Json] | None = None,
        is_stranger: bool = False,
        without: str | None = None,
    ) -> Sent | None:
        """Send a request; None where nothing came back, which is counted as an error of the operation.

        `is_stranger` leaves credentials out, `without` a parameter of the query.
        """
        asked = self._query(operation, query or {}, is_stranger=is_stranger, without=without)
        target = self.prefix + path_of(operation, values) + asked
        headers, content = self._content(operation, body, is_stranger=is_stranger)
        try:
            answer = await self.client.send(operation.method, target, headers=headers, body=content)
        except NoAnswer as error:
            self.sheet.check("status", False, f"{label(operation)}: {error.message}", operation=operation.id)
            return None
        sent = Sent(operation=operation, target=target, answer=answer, data=_json(answer))
        if sent.ok and operation.method == "POST" and isinstance(sent.data, dict):
            for name, value in sent.data.items():
                if isinstance(value, (str, int)):
                    self.given[f"{operation.path}/{{{name}}}"] = value
        return sent

    def _query(
        self, operation: Operation, given: Mapping[str, Json], *, is_stranger: bool, without: str | None
    ) -> str:
        pairs: list[tuple[str, str]] = []
        for parameter in operation.parameters_in("query"):
            if parameter.name == without:
                continue
            if parameter.name in given:
                pairs += _pairs(parameter, given[parameter.name])
            elif parameter.required:
                pairs += _pairs(parameter, value_of(self.api, parameter, self.seed))
        if not is_stranger:
            pairs += [(name, "maestro") for name in _query_keys(operation) if name not in dict(pairs)]
        return "?" + urlencode(pairs) if pairs else ""

    def _content(
        self, operation: Operation, body: Json | NoBody, *, is_stranger: bool
    ) -> tuple[dict[str, str], bytes | None]:
        headers = {} if is_stranger else credentials(operation)
        for parameter in operation.parameters_in("header"):
            if parameter.required and parameter.name.lower() not in {
                "accept",
                "content-type",
                "authorization",
            }:
                headers[parameter.name] = text_of(value_of(self.api, parameter, self.seed))
        if not is_stranger:
            headers.update(self.headers)
        if operation.body is None or isinstance(body, NoBody):
            return headers, None
        media = writable(operation)
        if media is None:
            return headers, None
        kind, content = written(self.api, media, body)
        return {**headers, "content-type": kind}, content

    def judge(self, sent: Sent) -> bool:
        """Hold one answer against the declaration of its operation; return whether it is as declared."""
        operation, answer, name = sent.operation, sent.answer, label(sent.operation)
        if not operation.responses:
            return True
        response = declared(operation, answer.status)
        listed = ", ".join(operation.responses)
        if not self.sheet.check(
            "status",
            response is not None,
            f"{name} answers {answer.status}; declared are {listed}",
            operation=operation.id,
        ):
            return False
        fine = self._judge_headers(sent, response) if response is not None else True
        if response is None or not response.content or operation.method == "HEAD":
            return fine
        return self._judge_body(sent, response) and fine

    def _judge_headers(self, sent: Sent, response: Response) -> bool:
        missing = [
            name
            for name, header in response.headers.items()
            if (header.required or name.lower() == "location") and name.lower() not in sent.answer.headers
        ]
        return self.sheet.check(
            "content",
            not missing,
            f"{label(sent.operation)} answers {sent.answer.status} without the declared header "
            f"{', '.join(missing)}",
            operation=sent.operation.id,
        )

    def _judge_body(self, sent: Sent, response: Response) -> bool:
        operation, answer, name = sent.operation, sent.answer, label(sent.operation)
        media = next(
            (item for kind, item in response.content.items() if covers(kind, answer.media_type)), None
        )
        if not self.sheet.check(
            "content",
            media is not None,
            f'{name} answers {answer.status} as "{answer.media_type or "nothing"}"; '
            f"declared is {', '.join(response.content)}",
            operation=operation.id,
        ):
            return False
        if media is None or media.schema is None or not is_json_media(answer.media_type):
            return True
        if sent.data is None and answer.body.strip() != b"null":
            text = f"{name} answers {answer.status} with a body that is no JSON"
            return self.sheet.check("body", False, text, operation=operation.id)
        problems = errors(self.api, media.schema, sent.data, "response")[:_MAX_MESSAGES]
        text = f"{name} answers {answer.status} with a body its schema does not allow: {'; '.join(problems)}"
        return self.sheet.check("body", not problems, text, operation=operation.id)

    async def is_unknown_route(self, sent: Sent) -> bool:
        """Return whether the answer is the one that this provider gives for a path nobody described."""
        method = sent.operation.method
        if method not in self.signatures:
            target = self.prefix + _BOGUS
            try:
                answer = await self.client.send(method, target)
            except NoAnswer:
                return False
            self.signatures[method] = _signature(answer, target)
        return _signature(sent.answer, sent.target) == self.signatures[method]

    def is_missing(self, sent: Sent) -> None:
        """Record that the provider does not have the operation."""
        name = label(sent.operation)
        if name in self.sheet.missing:
            return
        self.sheet.missing[name] = None
        self.sheet.recommend(f"add the operation {name}")
        text = f"{name} is missing: the provider answers {sent.answer.status}{_own_words(sent)}"
        self.sheet.operations[sent.operation.id] = []  # what is not there has no other merits
        self.sheet.check("routes", False, text, operation=sent.operation.id)

    def succeeded(self, operation: Operation) -> None:
        """Record that the operation exists and has answered a good request."""
        if operation.id not in self.good:
            self.good.add(operation.id)
            self.sheet.check("routes", True, "", operation=operation.id)


def label(operation: Operation) -> str:
    """Return "POST /tasks (createTask)", or without the id where there is none."""
    where = f"{operation.method} {operation.path}"
    return f"{where} ({operation.operation_id})" if operation.operation_id else where


def declared(operation: Operation, status: int) -> Response | None:
    """Return what the operation declares for a status: the number, else its range, else default."""
    for key in (str(status), f"{status // 100}XX", "default"):
        if key in operation.responses:
            return operation.responses[key]
    return None


def path_of(operation: Operation, values: Mapping[str, Json]) -> str:
    """Return the path with its parameters replaced by encoded values."""
    path = operation.path
    for name, value in values.items():
        path = path.replace("{" + name + "}", quote(text_of(value), safe=""))
    return path


def value_of(api: Api, parameter: Parameter, seed: int) -> Json:
    """Return a good value for a parameter: its example, its schema's, else a generated one."""
    if parameter.examples:
        return next(iter(parameter.examples.values()))
    return sample(api, parameter.schema, seed=seed, direction="request")


def credentials(operation: Operation) -> dict[str, str]:
    """Return made-up credentials where the operation asks for some; real ones come from the caller."""
    headers: dict[str, str] = {}
    for requirement in operation.security[:1]:
        for scheme in requirement.schemes:
            if scheme.kind == "apiKey" and scheme.location == "header":
                headers[scheme.parameter] = "maestro"
            elif scheme.kind == "apiKey" and scheme.location == "cookie":
                headers["cookie"] = f"{scheme.parameter}=maestro"
            elif scheme.http_scheme == "basic":
                headers["authorization"] = "Basic " + base64.b64encode(b"maestro:maestro").decode()
            elif scheme.kind in {"http", "oauth2", "openIdConnect"}:
                headers["authorization"] = "Bearer maestro"
    return headers


def _query_keys(operation: Operation) -> list[str]:
    schemes = operation.security[0].schemes if operation.security else ()
    return [item.parameter for item in schemes if item.kind == "apiKey" and item.location == "query"]


def _pairs(parameter: Parameter, value: Json) -> list[tuple[str, str]]:
    if isinstance(value, list):
        items = [text_of(item) for item in value]
        return (
            [(parameter.name, item) for item in items]
            if parameter.explode
            else [(parameter.name, ",".join(items))]
        )
    return [(parameter.name, text_of(value))]


def _json(answer: Answer) -> Any:
    try:
        return answer.json() if answer.body else None
    except ValueError:
        return None


def covers(declared_kind: str, answered: str) -> bool:
    """Return whether a declared media type, perhaps a wildcard, covers the one of an answer."""
    kind = declared_kind.partition(";")[0].strip().lower()
    if kind in {"*/*", answered}:
        return True
    return kind.endswith("/*") and answered.startswith(kind[:-1])


def _own_words(sent: Sent) -> str:
    """Return what a provider says itself about an operation that it does not have; "" for nothing."""
    if sent.answer.status != _NOT_IMPLEMENTED or not isinstance(sent.data, dict):
        return ""
    inner = sent.data.get("error")
    data = inner if isinstance(inner, dict) else sent.data
    said = (data.get(name) for name in ("detail", "message", "error", "description", "title"))
    text = next((item for item in said if isinstance(item, str) and item.strip()), "")
    line = " ".join("".join(char for char in text if char.isprintable() or char.isspace()).split())
    return f" ({line[:_MAX_WORDS]})" if line else ""


def _signature(answer: Answer, target: str) -> tuple[int, str, bytes]:
    """Return an answer without what differs between requests: its path and its digits."""
    body = answer.body.replace(target.encode(), b"").replace(target.partition("?")[0].encode(), b"")
    return answer.status, answer.media_type, bytes(byte for byte in body if not 48 <= byte <= 57)  # noqa: PLR2004 - "0" to "9"
