"""Sends GraphQL requests to a provider, judges each answer, and learns which identities there are.

Knows single requests only; what they mean together is for `journey`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from graphql import GraphQLList, GraphQLNonNull, GraphQLObjectType, get_named_type, is_abstract_type

from maestro_dsl.interfaces.graphql.ask import Asker, Style
from maestro_dsl.interfaces.graphql.judge import faults
from maestro_dsl.interfaces.graphql.model import GraphApi
from maestro_dsl.interfaces.graphql.shape import Shapes
from maestro_dsl.interfaces.graphql.table import Table
from maestro_dsl.interfaces.verification import Sheet
from maestro_dsl.net.client import Answer, HttpClient, NoAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from maestro_dsl.interfaces.graphql.execute import GraphRequest

JSON_TYPES: Final = frozenset({"application/json", "application/graphql-response+json"})
_SUCCESS: Final = 2
_REFUSED: Final = frozenset({401, 403})
_CODES: Final = frozenset({"UNAUTHENTICATED", "FORBIDDEN", "UNAUTHORIZED"})
_SHOWN: Final = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer in the shape of GraphQL; `is_closed` says that the provider wants credentials."""

    data: Any = None
    errors: tuple[str, ...] = ()
    is_closed: bool = False

    @property
    def ok(self) -> bool:
        """True where there is data and no error."""
        return self.data is not None and not self.errors


@dataclass(slots=True)
class Prober:
    """One verification's way to the provider; what it finds is counted on `sheet`."""

    api: GraphApi
    client: HttpClient
    sheet: Sheet
    path: str = "/graphql"
    seed: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    known: dict[str, list[str]] = field(default_factory=dict)
    """By type: the identities that the provider has told of, and that were not deleted."""
    good: set[str] = field(default_factory=set)
    """Operations that have answered as declared at least once."""
    about: str | None = None
    """The type that a mutation in hand is about; says what `ownerId` stands for."""
    shapes: Shapes = field(init=False)
    table: Table = field(init=False)
    asker: Asker = field(init=False)

    def __post_init__(self) -> None:
        self.table = Table(self.api)
        self.shapes = self.table.shapes
        self.asker = Asker(self.api, self.key_for)

    def key_for(self, place: str) -> str:
        """Return an identity for an argument, "film.id" or "BookInput.authorId", that the provider knows."""
        holder, _, name = place.rpartition(".")
        found = self._type_for(holder, name)
        known = self.known.get(found, []) if found is not None else []
        return known[0] if known else "1"

    def _type_for(self, holder: str, name: str) -> str | None:
        types = self.api.schema.type_map
        base = next(
            (
                name.removesuffix(end)
                for end in ("_ids", "Ids", "IDs", "_id", "Id", "ID")
                if name.endswith(end)
            ),
            name,
        )
        about = types.get(self.about or "")
        entry = getattr(about, "fields", {}).get(base)
        if entry is not None and self.shapes.identity(get_named_type(entry.type).name) is not None:
            return str(get_named_type(entry.type).name)
        named = base[:1].upper() + base[1:]
        if named in types and self.shapes.identity(named) is not None:
            return named
        for kind in ("query", "mutation", "subscription"):
            field_ = self.api.root_field(f"{kind} {holder}")
            if field_ is not None:
                return next((item for item in self.listed_types(get_named_type(field_.type))), None)
        return self.about

    def listed_types(self, named: Any) -> tuple[str, ...]:
        """Return the types with identity that a field of the type `named` tells of."""
        page = self.shapes.page(named.name)
        if page is not None:
            return self.listed_types(self.api.schema.type_map[page.item])
        return tuple(item for item in self.shapes.possible(named) if self.shapes.identity(item) is not None)

    async def send(self, request: GraphRequest, operation: str) -> Reply | None:
        """Send a request; None where no GraphQL came back, which is counted as an error of the operation."""
        content = {"query": request.query, "variables": dict(request.variables)}
        if request.operation_name is not None:
            content["operationName"] = request.operation_name
        return await self.post(json.dumps(content).encode(), operation)

    async def post(self, content: bytes, operation: str) -> Reply | None:
        """Send a body; see `send`."""
        headers = {"content-type": "application/json", "accept": "application/json", **self.headers}
        try:
            answer = await self.client.send("POST", self.path, headers=headers, body=content)
        except NoAnswer as error:
            self.sheet.check("http", False, f"{operation}: {error.message}", operation=operation)
            return None
        return self._reply(answer, operation)

    def _reply(self, answer: Answer, operation: str) -> Reply | None:
        if answer.status in _REFUSED:
            return Reply(errors=(f"status {answer.status}",), is_closed=True)
        try:
            data = answer.json()
        except ValueError:
            data = None
        is_graphql = isinstance(data, dict) and ("data" in data or isinstance(data.get("errors"), list))
        told = f"{operation}: the answer, status {answer.status}, is no GraphQL result"
        if not self.sheet.check("http", is_graphql, told, operation=operation):
            return None
        media = answer.media_type
        told = f'{operation}: its content type is "{media}", not application/json'
        self.sheet.check("http", media in JSON_TYPES, told, operation=operation)
        errors = data.get("errors") or []
        if data.get("data") is not None:
            told = f"{operation}: its status is {answer.status} though it has data"
            self.sheet.check("http", answer.status // 100 == _SUCCESS, told, operation=operation)
        codes = {str((item.get("extensions") or {}).get("code")) for item in errors if isinstance(item, dict)}
        return Reply(
            data=data.get("data"), errors=tuple(map(_message, errors)), is_closed=bool(codes & _CODES)
        )

    async def ask(
        self,
        operation: str,
        given: Mapping[str, Any] | None = None,
        style: Style | None = None,
        *,
        strict: bool = True,
    ) -> Reply | None:
        """Ask for an operation and judge the answer; None where it is no answer that can be used.

        Where not `strict`, a provider may refuse what was made up; this is noted and not counted.
        """
        return await self.judged(operation, self.asker.ask(operation, given, style), strict=strict)

    async def judged(self, operation: str, request: GraphRequest, *, strict: bool) -> Reply | None:
        """Send a request of an operation and judge the answer; see `ask`."""
        reply = await self.send(request, operation)
        if reply is None:
            return None
        if reply.is_closed:
            self.sheet.note(f"{operation} wants credentials, so it was not judged", operation=operation)
            return None
        if reply.errors:
            told = f"{operation} answers with an error: {reply.errors[0]}"
            if strict:
                self.sheet.check("errors", False, told, operation=operation)
            else:
                self.sheet.note(f"{told}; not judged, since the arguments were made up", operation=operation)
            return None
        self.sheet.check("errors", True, "", operation=operation)
        found = faults(self.api.schema, request.query, reply.data, request.variables)
        text = f"{operation}: {'; '.join(found)}"
        if not self.sheet.check("shape", not found, text, operation=operation):
            return None
        self.good.add(operation)
        self.learn(operation, reply.data)
        return reply

    def learn(self, operation: str, data: Any) -> None:
        """Note the identities that an answer tells of."""
        for kind, key, _ in self.objects(operation, data):
            known = self.known.setdefault(kind, [])
            if key not in known:
                known.append(key)

    def objects(self, operation: str, data: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield type, identity and fields of each object with an identity in an answer."""
        entry = self.api.root_field(operation)
        name = operation.partition(" ")[2]
        waiting: list[tuple[Any, Any]] = []
        if entry is not None and isinstance(data, dict):
            waiting.append((data.get(name), entry.type))
        while waiting:  # what stands higher comes first
            level, waiting = waiting, []
            for value, kind in level:
                named, fields = self._object(value, kind, waiting)
                identity = None if named is None else self.shapes.identity(named.name)
                if named is not None and identity is not None:
                    key = fields.get(identity.field)
                    if isinstance(key, (str, int)):
                        yield named.name, str(key), fields

    def _object(
        self, value: Any, kind: Any, waiting: list[tuple[Any, Any]]
    ) -> tuple[GraphQLObjectType | None, dict[str, Any]]:
        """Return an object's type and fields; what it holds is added to `waiting`."""
        if isinstance(kind, GraphQLNonNull):
            return self._object(value, kind.of_type, waiting)
        if isinstance(kind, GraphQLList):
            waiting += [(item, kind.of_type) for item in value] if isinstance(value, list) else []
            return None, {}
        if not isinstance(value, dict):
            return None, {}
        named = self.api.schema.type_map.get(str(value.get("__typename"))) if is_abstract_type(kind) else kind
        if not isinstance(named, GraphQLObjectType):
            return None, {}
        fields = {key.removeprefix(f"{named.name}_"): item for key, item in value.items()}
        waiting += [(item, named.fields[name].type) for name, item in fields.items() if name in named.fields]
        return named, fields


def _message(error: Any) -> str:
    text = str(error.get("message")) if isinstance(error, dict) else str(error)
    flat = " ".join(text.split())
    return flat if len(flat) <= _SHOWN else flat[: _SHOWN - 1] + "…"
