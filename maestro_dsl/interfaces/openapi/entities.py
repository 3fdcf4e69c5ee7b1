"""Items that a verification creates at the provider: request bodies, parents, identities.

An item of a resource needs the items above it in the path, and often the id of another one in its body; both
are created first. Judges only what creating itself shows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from maestro_dsl.interfaces.openapi import shapes
from maestro_dsl.interfaces.openapi.identities import can_be_asked
from maestro_dsl.interfaces.openapi.probe import (
    NO_BODY,
    NOT_FOUND,
    NOT_IMPLEMENTED,
    NoBody,
    Prober,
    Sent,
    declared,
    label,
    value_of,
)
from maestro_dsl.interfaces.openapi.resources import Resource
from maestro_dsl.interfaces.openapi.sample import sample
from maestro_dsl.interfaces.openapi.validate import errors
from maestro_dsl.interfaces.openapi.variants import changed, showable
from maestro_dsl.interfaces.openapi.written import writable
from maestro_dsl.lang.model import Json

if TYPE_CHECKING:
    from maestro_dsl.interfaces.openapi.model import Media, Operation, Schema

_PARAMETER = re.compile(r"\{([^/{}]+)\}")
_REDIRECT = 3
_NEEDS_RIGHTS = frozenset({401, 402, 403, 407})
_REFUSED = _NEEDS_RIGHTS | {409, 412, 423, 428, 429}
_UNKNOWN_UUID = "00000000-0000-4000-8000-00000000dead"
_UNKNOWN_NUMBER = 2_000_000_011
_TRIES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """An item that exists at the provider: `values` fill the parameters of its path, its own id last."""

    resource: Resource
    values: Mapping[str, Json]
    sent: Mapping[str, Json]
    shown: Mapping[str, Json]
    """As the provider answered when it was created; empty where it answered without a body."""

    @property
    def identity(self) -> Json:
        """The value of its own path parameter."""
        return self.values[self.resource.id_parameter.name]


@dataclass(slots=True)
class Entities:
    """Creates items; those of `live` stay for the whole verification and are shared."""

    probe: Prober
    resources: tuple[Resource, ...]
    live: dict[str, Entity | None] = field(default_factory=dict)
    turn: int = 0

    async def path_values(self, path: str) -> tuple[dict[str, Json], bool]:
        """Return values for the parameters of `path`, and whether all of them name items that exist."""
        values: dict[str, Json] = {}
        certain = True
        for match in _PARAMETER.finditer(path):
            name, above = match[1], path[: match.end()]
            resource = next((item for item in self.resources if item.item_path == above), None)
            entity = await self.alive(resource) if resource is not None else None
            if entity is not None and resource is not None:
                values[name] = entity.identity
            elif above in self.probe.given:
                values[name] = self.probe.given[above]
            else:
                values[name] = self._guess(path, name)
                certain = certain and self._is_stated(path, name)
        return values, certain

    def _is_stated(self, path: str, name: str) -> bool:
        """Return whether the description itself says which values a parameter may have."""
        api = self.probe.api
        return any(
            shapes.keyword(api, parameter.schema, "default") is not None
            for operation in api.operations
            if operation.path == path
            for parameter in operation.parameters_in("path")
            if parameter.name == name
        )

    def _guess(self, path: str, name: str) -> Json:
        for operation in self.probe.api.operations:
            if operation.path.startswith(path.partition("{" + name + "}")[0]):
                for parameter in operation.parameters_in("path"):
                    if parameter.name == name:
                        return value_of(self.probe.api, parameter, self.probe.seed)
        return "1"

    async def alive(self, resource: Resource) -> Entity | None:
        """Return an item of the resource that stays; None where none can be made or found."""
        if resource.item_path in self.live:
            return self.live[resource.item_path]
        self.live[resource.item_path] = None  # a resource that needs itself finds nothing instead of no end
        entity = None
        if resource.create is not None:
            entity = await self.create(resource)
        elif resource.is_upserted:
            entity = await self.put(resource)
        if entity is None:
            entity = await self._listed(resource)
        self.live[resource.item_path] = entity
        return entity

    async def create(self, resource: Resource) -> Entity | None:
        """Create another item and judge the answer; None where that did not work, which is counted."""
        operation = resource.create
        if operation is None:
            return None
        values, certain = await self.path_values(resource.collection_path)
        body = await self.body(operation, resource.schema, key=resource.id_property)
        if not isinstance(body, dict):
            return None
        for parameter, name in resource.parents.items():
            if name is not None and name in body:
                body[name] = values[parameter]
        sent = await self.probe.send(operation, values, body=body)
        if not await expect_success(self.probe, sent, certain=certain) or sent is None:
            return None
        identity = identity_of(resource, sent)
        if identity is None:
            self.probe.sheet.note(
                f"{label(operation)} answers nothing that tells the id of what it made",
                operation=operation.id,
            )
            return None
        values[resource.id_parameter.name] = identity
        shown = sent.data if isinstance(sent.data, dict) else {}
        return Entity(resource=resource, values=values, sent=body, shown=shown)

    async def put(self, resource: Resource) -> Entity | None:
        """Create an item whose id the caller chooses; None where that did not work, which is counted."""
        operation = resource.replace
        if operation is None:
            return None
        values, certain = await self.path_values(resource.collection_path)
        body = await self.body(operation, resource.schema, key=resource.id_property)
        if not isinstance(body, dict):
            return None
        name = resource.id_parameter.name
        schema = resource.id_parameter.schema
        seed = f"{self.probe.seed}|{resource.item_path}|{self.turn}"
        values[name] = sample(self.probe.api, schema, seed=seed, direction="request", name=name)
        if resource.id_property in body:
            body[resource.id_property] = values[name]
        sent = await self.probe.send(operation, values, body=body)
        if not await expect_success(self.probe, sent, certain=certain) or sent is None:
            return None
        shown = sent.data if isinstance(sent.data, dict) else {}
        return Entity(resource=resource, values=values, sent=body, shown=shown)

    async def _listed(self, resource: Resource) -> Entity | None:
        if resource.list is None or resource.id_property is None:
            return None
        values, certain = await self.path_values(resource.collection_path)
        sent = await self.probe.send(resource.list, values)
        if sent is None or not await expect_success(self.probe, sent, certain=certain):
            return None
        for item in items_of(resource, sent.data):
            identity = item.get(resource.id_property)
            if can_be_asked(self.probe.api, resource.id_parameter, identity):
                values[resource.id_parameter.name] = identity
                return Entity(resource=resource, values=values, sent={}, shown=item)
        return None

    async def body(
        self, operation: Operation, shown: Schema | None = None, *, key: str | None = None
    ) -> Json | NoBody:
        """Return a good request body, different at each call where the schema leaves room.

        `shown` is the schema in which the provider will answer it, `key` a property that must differ.
        """
        media = writable(operation)
        if media is None:
            return NO_BODY
        if media.schema is None:
            plain: Json = {} if media.is_json else "maestro"
            return next(iter(media.examples.values()), plain)
        self.turn += 1
        api = self.probe.api
        body = self._good(media, media.schema)
        if not isinstance(body, dict):
            return body
        body = showable(api, media.schema, body, shown)
        if self.turn > 1:
            texts = _free_text(body) | {key or ""}
            body |= changed(api, media.schema, body, shown=shown, turn=self.turn, only=texts)
        return {**body, **await self._references(media.schema, body)}

    def _good(self, media: Media, schema: Schema) -> Json | NoBody:
        """Return an example that is valid, else a generated value; nothing where none can be found."""
        seeds = range(self.probe.seed, self.probe.seed + _TRIES)
        made = (sample(self.probe.api, schema, seed=seed, direction="request") for seed in seeds)
        for value in (*media.examples.values(), *made):
            if not errors(self.probe.api, schema, value, "request"):
                return value
        return NO_BODY

    async def _references(self, schema: Schema, body: Mapping[str, Json]) -> dict[str, Json]:
        """Return the properties that name another item ("projectId"), with the id of one that exists."""
        found: dict[str, Json] = {}
        known = shapes.properties(self.probe.api, schema)
        for name, value in body.items():
            resource = self.referred(name)
            if resource is None or name not in known or isinstance(value, (dict, list)):
                continue
            entity = await self.alive(resource)
            if entity is not None and not errors(self.probe.api, known[name], entity.identity, "request"):
                found[name] = entity.identity
        return found

    def referred(self, name: str) -> Resource | None:
        """Return the resource whose ids a property of this name holds ("projectId"), if there is one."""
        bare = re.sub(r"[^a-z0-9]", "", name.lower())
        for resource in self.resources:
            noun = re.sub(r"[^a-z0-9]", "", resource.name.lower())
            singular = noun[:-3] + "y" if noun.endswith("ies") else noun.removesuffix("s")
            if resource.create is not None and bare in {singular + "id", noun + "id"}:
                return resource
        return None


def _free_text(body: Mapping[str, Json]) -> frozenset[str]:
    """Return the properties whose value may have to be unique: texts, not numbers or choices."""
    return frozenset(name for name, value in body.items() if isinstance(value, str))


async def expect_success(probe: Prober, sent: Sent | None, *, certain: bool = True) -> bool:
    """Judge the answer to a good request; `certain` means that the items named in its path exist.

    Returns whether the operation did its work. A missing operation, a refusal and a wrong answer are counted.
    """
    if sent is None:
        return False
    operation, status, name = sent.operation, sent.answer.status, label(sent.operation)
    if sent.ok or (status // 100 == _REDIRECT and _states(operation, status)):
        probe.succeeded(operation)
        probe.judge(sent)
        return True
    if status in NOT_IMPLEMENTED or (status == NOT_FOUND and await _has_no_route(probe, sent, certain)):
        probe.is_missing(sent)
    elif status == NOT_FOUND and certain:
        text = f"{name} answers 404 for an item that exists"
        probe.sheet.check("status", False, text, operation=operation.id)
    elif status == NOT_FOUND or status in _REFUSED:
        # with made-up credentials, or of an item whose id was guessed, nothing more can be said
        guessed = status == NOT_FOUND and declared(operation, status) is None
        if status not in _NEEDS_RIGHTS and not (guessed and not await probe.is_unknown_route(sent)):
            probe.judge(sent)
        probe.sheet.note(f"{name} could not be judged: it answers {status}", operation=operation.id)
    elif _states(operation, status) and not any(key[0] in "23d" for key in operation.responses):
        probe.judge(sent)
        probe.sheet.note(f"{name} could not be judged: it declares no success", operation=operation.id)
    else:
        text = f"{name} answers {status} to a request that its schema allows"
        probe.sheet.check("status", False, text, operation=operation.id)
    return False


def _states(operation: Operation, status: int) -> bool:
    """Return whether an answer is declared by its number or range, and not only as any other."""
    return bool({str(status), f"{status // 100}XX"} & operation.responses.keys())


async def _has_no_route(probe: Prober, sent: Sent, certain: bool) -> bool:
    """Return whether a 404 says that there is no such operation, and not that there is no such item."""
    if certain and "{" not in sent.operation.path:
        return True
    is_told_apart = certain or declared(sent.operation, NOT_FOUND) is None
    return is_told_apart and await probe.is_unknown_route(sent)


def identity_of(resource: Resource, sent: Sent) -> Json:
    """Return the id of what was created: from the body, else from Location; None where neither tells it."""
    if isinstance(sent.data, dict):
        found = sent.data.get(resource.id_property or "id")
        if isinstance(found, (str, int)):
            return found
    location = urlsplit(sent.answer.headers.get("location", "")).path.rstrip("/")
    return unquote(location.rpartition("/")[2]) or None


def items_of(resource: Resource, data: Any) -> list[dict[str, Json]]:
    """Return the items in the answer of the resource's list."""
    entries = data.get(resource.list_key) if resource.list_key and isinstance(data, dict) else data
    return [item for item in entries if isinstance(item, dict)] if isinstance(entries, list) else []


def unknown_id(probe: Prober, entity: Entity) -> Json:
    """Return an id that the resource's schema allows and that no item has."""
    schema = entity.resource.id_parameter.schema
    options: tuple[Json, ...] = (_UNKNOWN_UUID, "maestro-unknown-id", "unknown")
    if isinstance(entity.identity, int) or shapes.type_of(probe.api, schema) in {"integer", "number"}:
        options = (_UNKNOWN_NUMBER, 999_999_937, 9_973)
    elif str(entity.identity).isdigit():
        options = (str(_UNKNOWN_NUMBER), *options)
    elif "-" not in str(entity.identity):
        options = (*options[1:], options[0])
    fitting = [option for option in options if not errors(probe.api, schema, option, "request")]
    return fitting[0] if fitting else sample(probe.api, schema, seed=probe.seed + 977, direction="request")
