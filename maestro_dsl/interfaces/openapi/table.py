"""The decision table of a mock: everything an answer depends on, as data made on first use.

`decide` interprets it here; `emit` writes the same table out for the interpreter in JavaScript. Holds no
state of a running mock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from maestro_dsl.interfaces.openapi import shapes
from maestro_dsl.interfaces.openapi.credentials import MISSING, Accepted, refusal
from maestro_dsl.interfaces.openapi.credentials_shown import credentials_shown
from maestro_dsl.interfaces.openapi.groups import find_groups
from maestro_dsl.interfaces.openapi.identities import Identities, next_id
from maestro_dsl.interfaces.openapi.markup import is_xml, to_xml
from maestro_dsl.interfaces.openapi.resources import Resource, find_resources, id_property
from maestro_dsl.interfaces.openapi.routes import Router
from maestro_dsl.interfaces.openapi.sample import example, sample
from maestro_dsl.interfaces.openapi.validate import is_valid
from maestro_dsl.interfaces.options import NO_OPTIONS, ServeOptions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from maestro_dsl.interfaces.openapi.inputs import Request
    from maestro_dsl.interfaces.openapi.model import Api, Callback, Media, Operation, Response, Schema

_POOL = 3
_SEEDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How one resource with a memory behaves; all values are ready to be used and valid."""

    index: int
    resource: Resource
    id_property: str
    id_kind: str
    """"integer" counts up, "uuid" and "digits" are made, "pool" takes from `ids`."""
    ids: tuple[str, ...]
    parent: int | None
    """Index of the resource whose item the collection belongs to."""
    parent_parameter: str | None
    seeds: tuple[dict[str, Any], ...]
    """Items that exist at the start."""
    bases: tuple[dict[str, Any], ...]
    """What a new item has that its creator did not send: required, read-only and default values."""
    kept: tuple[str, ...]
    """Properties that a replacement does not take from the caller, or keeps where the caller is silent."""
    read_only: tuple[str, ...]


class Table:
    """Routes, answers and behaviours of `api`; equal `seed`, equal answers."""

    def __init__(self, api: Api, seed: int | str = 0, options: ServeOptions = NO_OPTIONS) -> None:
        self.api = api
        self.options = options
        self.seed = str(seed)
        self.router = Router(api)
        self._pools: dict[tuple[str, str, str], tuple[Any, ...]] = {}
        self._made: dict[tuple[str, str, str], tuple[Any, ...]] = {}
        self._echoes: dict[str, tuple[tuple[str, str], ...]] = {}
        self._defaults: dict[str, dict[str, int]] = {}
        self._headers: dict[tuple[str, str], dict[str, str]] = {}
        self._callback_pools: dict[str, tuple[Any, ...]] = {}
        self._listed = Accepted(texts=frozenset(options.credentials), is_all=bool(options.credentials))
        self._accepted: Accepted | None = None
        resources = find_resources(api)
        self._resources = [item for item in resources if item.is_stateful and item.id_property is not None]
        self._index = {item.item_path: index for index, item in enumerate(self._resources)}
        self._roles = {
            operation.id: (index, role)
            for index, item in enumerate(self._resources)
            for role, operation in item.operations.items()
        }
        self._behaviours: dict[int, Behaviour] = {}
        self._singles = {
            operation.id: (single.path, role)
            for single in find_groups(api).singles
            if single.is_written
            for role, operation in single.operations.items()
        }

    @property
    def is_dynamic(self) -> bool:
        """True where values are made although the contract has examples."""
        return self.options.is_dynamic

    @property
    def accepted(self) -> Accepted:
        """Return the credentials that are taken whatever they look like: those stated, else those shown."""
        if self._accepted is None:
            is_stated = self._listed.is_all
            self._accepted = self._listed if is_stated else Accepted(texts=credentials_shown(self.api))
        return self._accepted

    def refusal(self, operation: Operation, request: Request) -> str | None:
        """Return what is wrong with the credentials of a request, None for nothing."""
        found = refusal(operation, request, self._listed)
        may_be_shown = found is not None and found != MISSING
        return refusal(operation, request, self.accepted) if may_be_shown else found

    def callback_pool(self, callback: Callback) -> tuple[Any, ...]:
        """Return the bodies of a callback to choose from, a declared example first; empty for none."""
        media = None if callback.operation.body is None else callback.operation.body.json
        if media is None:
            return ()
        if callback.operation.id not in self._callback_pools:
            usable, value = example(self.api, media.schema, media.examples, direction="request")
            schema = True if media.schema is None else media.schema
            made = (
                sample(
                    self.api, schema, seed=f"{self.seed}|{callback.operation.id}|{turn}", direction="request"
                )
                for turn in range(_POOL)
            )
            self._callback_pools[callback.operation.id] = (value,) if usable else tuple(made)
        return self._callback_pools[callback.operation.id]

    def single(self, operation: Operation) -> tuple[str, str] | None:
        """Return the path of the single document that an operation belongs to and its role there."""
        return self._singles.get(operation.id)

    @property
    def behaviours(self) -> tuple[Behaviour, ...]:
        """All behaviours, in the order of their index."""
        return tuple(self.behaviour(index) for index in range(len(self._resources)))

    def role(self, operation: Operation) -> tuple[Behaviour, str] | None:
        """Return which behaviour an operation belongs to and as what, None where it has no memory."""
        found = self._roles.get(operation.id)
        return None if found is None else (self.behaviour(found[0]), found[1])

    def pool(self, operation: Operation, response: Response, media: Media) -> tuple[Any, ...]:
        """Return the bodies to choose from, a declared example first; empty where none can be valid."""
        key = (operation.id, response.status, media.media_type)
        if key not in self._pools:
            self._pools[key] = self._make_pool("|".join(key), response, media)
        return self._pools[key]

    def _make_pool(self, name: str, response: Response, media: Media) -> tuple[Any, ...]:
        usable, value = example(self.api, media.schema, media.examples)
        return (self._written(media, value),) if usable else self._make(name, response, media)

    def _make(self, name: str, response: Response, media: Media) -> tuple[Any, ...]:
        if "/" not in media.media_type:
            return ()  # a key of the document that stands in the wrong place
        if media.schema is None:
            return ({},) if media.is_json else ("",)
        size = _POOL if response.status[0] in "2d" else 1
        made = (sample(self.api, media.schema, seed=f"{self.seed}|{name}|{turn}") for turn in range(size))
        return tuple(self._written(media, value) for value in made if is_valid(self.api, media.schema, value))

    def made(self, operation: Operation, response: Response, media: Media) -> tuple[Any, ...]:
        """Return the bodies to choose from without the declared example; those of `pool` where none is."""
        if not media.examples or media.schema is None:
            return self.pool(operation, response, media)
        key = (operation.id, response.status, media.media_type)
        if key not in self._made:
            found = self._make("|".join(key), response, media)
            self._made[key] = found or self.pool(operation, response, media)
        return self._made[key]

    def example(self, media: Media, name: str) -> Any:
        """Return a declared example as it is sent."""
        return self._written(media, media.examples[name])

    def _written(self, media: Media, value: Any) -> Any:
        return to_xml(self.api, media.schema, value) if is_xml(media.media_type) else value

    def hidden(self, schema: Schema | None) -> frozenset[str]:
        """Return the properties of a schema that an answer does not show."""
        if not isinstance(schema, dict):
            return frozenset()
        kept: tuple[Schema, frozenset[str]] | None = self.api.memo.get(("hidden", id(schema)))
        if kept is None:
            known = shapes.properties(self.api, schema)
            found = frozenset(name for name, part in known.items() if _flag(self.api, part, "writeOnly"))
            kept = self.api.memo["hidden", id(schema)] = (schema, found)
        return kept[1]

    def path_echo(self, operation: Operation) -> tuple[tuple[str, str], ...]:
        """Return which path parameters an answer repeats, each with the property that repeats it."""
        if operation.id not in self._echoes:
            self._echoes[operation.id] = tuple(self._make_echo(operation))
        return self._echoes[operation.id]

    def _make_echo(self, operation: Operation) -> Iterator[tuple[str, str]]:
        media = None if operation.success is None else operation.success.json
        owned = shapes.properties(self.api, None if media is None else media.schema)
        for parameter in operation.parameters_in("path"):
            collection, _, last = operation.path.rpartition("/")
            if last == "{" + parameter.name + "}":
                name = id_property(self.api, parameter.name, collection, owned)
            else:
                name = parameter.name if parameter.name in owned else None
            if name is not None:
                yield parameter.name, name

    def query_defaults(self, operation: Operation) -> Mapping[str, int]:
        """Return the whole numbers that query parameters have where the caller is silent."""
        if operation.id not in self._defaults:
            stated = {
                parameter.name: shapes.keyword(self.api, parameter.schema, "default")
                for parameter in operation.parameters_in("query")
            }
            self._defaults[operation.id] = {
                name: value
                for name, value in stated.items()
                if isinstance(value, int) and not isinstance(value, bool)
            }
        return self._defaults[operation.id]

    def list_entry(self, behaviour: Behaviour, schema: Schema | None) -> Schema | None:
        """Return the schema of the items of a list that is answered by `schema`."""
        memo = ("entry", behaviour.index, id(schema))
        kept: tuple[Schema | None, Schema | None] | None = self.api.memo.get(memo)
        if kept is None:
            key = behaviour.resource.list_key
            inner = schema if key is None else shapes.properties(self.api, schema).get(key)
            kept = self.api.memo[memo] = (schema, shapes.items(self.api, inner))
        return kept[1]

    def headers(self, operation: Operation, response: Response) -> Mapping[str, str]:
        """Return values for the declared headers of an answer, names in lower case."""
        key = (operation.id, response.status)
        if key not in self._headers:
            self._headers[key] = {
                name.lower(): text
                for name, header in response.headers.items()
                if name.lower() not in {"content-type", "content-length"}
                and (text := self._header(name, header.schema, header.examples)) is not None
            }
        return self._headers[key]

    def _header(self, name: str, schema: Schema, examples: Mapping[str, Any]) -> str | None:
        usable, value = example(self.api, schema, examples)
        if not usable:
            value = sample(self.api, schema, seed=f"{self.seed}|header", name=name)
        text = ("true" if value else "false") if isinstance(value, bool) else str(value)
        is_sendable = not isinstance(value, (dict, list)) and text.isascii() and text.isprintable()
        return text if is_sendable else None

    def behaviour(self, index: int) -> Behaviour:
        """Return one behaviour by its index."""
        if index not in self._behaviours:
            self._behaviours[index] = self._make_behaviour(index)
        return self._behaviours[index]

    def _make_behaviour(self, index: int) -> Behaviour:
        resource = self._resources[index]
        key = resource.id_property or ""
        owned = shapes.properties(self.api, resource.schema)
        needed = shapes.required(self.api, resource.schema)
        flags = {
            name: (_flag(self.api, schema, "readOnly"), shapes.keyword(self.api, schema, "default"))
            for name, schema in owned.items()
        }
        made = [self._sample(resource, f"base|{turn}") for turn in range(_POOL)]
        read_only = tuple(name for name, (locked, _) in flags.items() if locked)
        bases = []
        for item in made:
            base = {name: value for name, value in item.items() if name in needed or name in read_only}
            defaults = {name: default for name, (_, default) in flags.items() if default is not None}
            base.update(
                {
                    name: value
                    for name, value in defaults.items()
                    if is_valid(self.api, resource.schema, {**base, name: value})
                }
            )
            bases.append(base)
        parent_path = resource.collection_path.rpartition("/")[0]
        parent = self._index.get(parent_path)
        identities = Identities(self.api, resource, owned[key], self.seed)
        kind, ids = identities.kind()
        return Behaviour(
            index=index,
            resource=resource,
            id_property=key,
            id_kind=kind,
            ids=ids,
            parent=parent,
            parent_parameter=None if parent is None else self._resources[parent].id_parameter.name,
            seeds=() if parent is not None else self._seeds(resource, identities, kind, ids),
            bases=tuple(bases),
            kept=tuple(dict.fromkeys((key, *read_only, *needed))),
            read_only=read_only,
        )

    def _sample(self, resource: Resource, name: str) -> dict[str, Any]:
        value = sample(self.api, resource.schema, seed=f"{self.seed}|{resource.item_path}|{name}")
        return value if isinstance(value, dict) else {}

    def _seeds(
        self, resource: Resource, identities: Identities, kind: str, ids: tuple[str, ...]
    ) -> tuple[dict[str, Any], ...]:
        key = resource.id_property or ""
        found: dict[str, dict[str, Any]] = {}
        for item in self._declared_items(resource):
            if identities.fits(item[key]):
                found.setdefault(str(item[key]), item)
        wanted = [identities.documented()]
        wanted += [
            next_id(kind, ids, turn, f"{self.seed}|{resource.item_path}") for turn in range(1, _SEEDS * 2 + 1)
        ]
        for turn, fresh in enumerate(wanted):
            if (turn and len(found) >= _SEEDS) or fresh is None or str(fresh) in found:
                continue
            item = self._sample(resource, f"seed|{turn}")
            if is_valid(self.api, resource.schema, {**item, key: fresh}):
                item = {**item, key: fresh}
            if key in item and is_valid(self.api, resource.schema, item):
                found.setdefault(str(item[key]), item)
        return tuple(found.values())

    def _declared_items(self, resource: Resource) -> list[dict[str, Any]]:
        """Return the items that the examples of the list and the read operation show."""
        shown: list[Any] = []
        for operation in (resource.list, resource.read):
            response = None if operation is None else operation.success
            media = None if response is None else response.json
            if media is None:
                continue
            for value in media.examples.values():
                inner = (
                    value.get(resource.list_key) if isinstance(value, dict) and resource.list_key else value
                )
                shown += inner if isinstance(inner, list) else [inner]
        key = resource.id_property
        return [
            item
            for item in shown
            if isinstance(item, dict) and key in item and is_valid(self.api, resource.schema, item)
        ]


def _flag(api: Api, schema: Schema, keyword: str) -> bool:
    return shapes.keyword(api, schema, keyword) is True
