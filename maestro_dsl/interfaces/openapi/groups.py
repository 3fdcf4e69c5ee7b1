"""Shapes beside collection and item: lists without items of their own, single documents, searches, bulks.

Together with `resources` the one place that says what the operations of an interface belong to; what each
reader makes of it (a mock's memory, a verification's steps, generated code) is its own affair.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maestro_dsl.interfaces.openapi import shapes
from maestro_dsl.interfaces.openapi.model import Operation, Schema
from maestro_dsl.interfaces.openapi.resources import (
    LIST_KEYS,
    Resource,
    answer_schema,
    body_schema,
    creates,
    find_resources,
    is_like,
    listing,
)

if TYPE_CHECKING:
    from maestro_dsl.interfaces.openapi.model import Api

_ENDS_IN_PARAMETER = re.compile(r"/\{[^/{}]+\}$")
_ACTS = re.compile(
    r"^(log-?_?(in|out)|sign-?_?(in|out|up)|search|query|export|import|verify|validate|refresh|authorize|token)$",
    re.IGNORECASE,
)
"""Last words of paths that name a deed, not a thing."""
_PAGING = re.compile(
    r"^(total.*|limit|offset|next.*|prev.*|page.*|per_?page|cursor|count|has_?more)$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """Things without a path of their own: `list`, `create` or both exist."""

    path: str
    schema: Schema
    list_key: str | None = None
    list: Operation | None = None
    create: Operation | None = None
    save: Operation | None = None
    clear: Operation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """A document that is always there, such as settings: one at its path, no identity."""

    path: str
    schema: Schema
    read: Operation
    replace: Operation | None = None
    patch: Operation | None = None
    change: Operation | None = None
    """POST of the document or a part of it."""
    reset: Operation | None = None

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations that exist, by role."""
        roles = {
            "read": self.read, "replace": self.replace, "patch": self.patch, "change": self.change,
            "reset": self.reset,
        }  # fmt: skip
        return {role: operation for role, operation in roles.items() if operation is not None}

    @property
    def is_written(self) -> bool:
        """True where clients can change it."""
        return any((self.replace, self.patch, self.change))


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Everything that was recognised; an operation is in one group at most."""

    resources: tuple[Resource, ...]
    collections: tuple[Collection, ...]
    singles: tuple[Single, ...]
    searches: Mapping[str, tuple[Operation, ...]]
    """Path of a collection → lists of the same things at paths of their own (/pets/findByStatus)."""
    bulks: Mapping[str, Operation]
    """Path of a collection → a POST that takes several of its things at once."""


def find_groups(api: Api) -> Groups:
    """Return the groups of `api`, each kind in the order of its paths."""
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in api.operations:
        by_path.setdefault(operation.path, {})[operation.method] = operation
    resources = find_resources(api)
    known = {item.collection_path: item.schema for item in resources}
    taken = {*known, *(item.item_path for item in resources)}
    collections: list[Collection] = []
    for path, methods in by_path.items():
        collection = None if path in taken else _collection(api, path, methods, known)
        if collection is not None:
            collections.append(collection)
    known = {**{item.path: item.schema for item in collections}, **known}
    searches, bulks = _searches(api, by_path, known), _bulks(api, by_path, known)
    used = {operation.path for group in searches.values() for operation in group}
    used |= {operation.path for operation in bulks.values()}
    collections = [item for item in collections if item.path not in used]
    taken |= used | {item.path for item in collections}
    singles = [
        found
        for path, methods in by_path.items()
        if path not in taken and (found := _single(api, path, methods)) is not None
    ]
    return Groups(
        resources=resources,
        collections=tuple(collections),
        singles=tuple(singles),
        searches=searches,
        bulks=bulks,
    )


def _collection(
    api: Api, path: str, methods: Mapping[str, Operation], known: Mapping[str, Schema]
) -> Collection | None:
    if _ENDS_IN_PARAMETER.search(path) or names_deed(path):
        return None
    create, lists = methods.get("POST"), methods.get("GET")
    entry = _entry(api, path, lists)
    if entry is None:
        schema = _made(api, path, create, known) if lists is None else None
        return None if schema is None else Collection(path=path, schema=schema, create=create)
    found, key = listing(api, lists, entry)
    return Collection(
        path=path,
        schema=entry,
        list_key=key,
        list=found,
        create=create if create is not None and creates(api, create, entry) else None,
        save=methods.get("PUT"),
        clear=methods.get("DELETE"),
    )


def _made(api: Api, path: str, create: Operation | None, known: Mapping[str, Schema]) -> Schema | None:
    """Return the schema of what a lonely POST makes: its answer repeats the body and is no other resource.

    A deed such as /files/{id}/copy answers with a thing of another collection, or unlike its body.
    """
    answer = answer_schema(create)
    body = body_schema(create)
    if create is None or body is None or answer is None:
        return None
    if answer in known.values():
        return None
    is_noun = "201" in create.responses or _last(path).endswith("s")
    is_same = shapes.type_of(api, answer) == "object" and is_like(api, body, answer)
    return answer if is_noun and is_same else None


def _entry(api: Api, path: str, operation: Operation | None) -> Schema | None:
    """Return the schema of what a list holds: of the answer itself, or of the list in its envelope."""
    answer = answer_schema(operation)
    if answer is None:
        return None
    if shapes.type_of(api, answer) == "array":
        entry = shapes.items(api, answer)
        return entry if entry is not None and shapes.properties(api, entry) else None
    owned = shapes.properties(api, answer)
    lists = {
        name: entry
        for name, value in owned.items()
        if shapes.type_of(api, value) == "array"
        and (entry := shapes.items(api, value)) is not None
        and shapes.properties(api, entry)
    }
    if len(lists) != 1:
        return None
    name, entry = next(iter(lists.items()))
    is_envelope = (
        name in LIST_KEYS
        or len(owned) == 1
        or plain(name).removesuffix("s") == plain(_last(path)).removesuffix("s")
        or any(_PAGING.search(other) for other in owned if other != name)
    )
    return entry if is_envelope else None


def _searches(
    api: Api, by_path: Mapping[str, Mapping[str, Operation]], known: Mapping[str, Schema]
) -> dict[str, tuple[Operation, ...]]:
    found: dict[str, tuple[Operation, ...]] = {}
    for path, methods in by_path.items():
        base, operation = path.rpartition("/")[0], methods.get("GET")
        schema = known.get(base)
        if operation is None or schema is None or (path in known and _ENDS_IN_PARAMETER.search(path)):
            continue
        entry = _entry(api, path, operation)
        if entry is None or not is_like(api, entry, schema) or len(methods) > 1:
            continue
        asked = {plain(item.name) for item in operation.parameters_in("query")}
        names = {plain(name) for name in shapes.properties(api, schema)}
        if asked & names:
            found[base] = (*found.get(base, ()), operation)
    return found


def _bulks(
    api: Api, by_path: Mapping[str, Mapping[str, Operation]], known: Mapping[str, Schema]
) -> dict[str, Operation]:
    found: dict[str, Operation] = {}
    for path, methods in by_path.items():
        operation = methods.get("POST")
        for base in (path, path.rpartition("/")[0]):
            schema = known.get(base)
            media = None if operation is None or operation.body is None else operation.body.json
            if schema is None or media is None or operation is None or base in found:
                continue
            entry = shapes.items(api, media.schema)
            if (
                shapes.type_of(api, media.schema) == "array"
                and entry is not None
                and is_like(api, entry, schema)
            ):
                found[base] = operation
    return found


def _single(api: Api, path: str, methods: Mapping[str, Operation]) -> Single | None:
    read = methods.get("GET")
    schema = answer_schema(read)
    if read is None or schema is None or _ENDS_IN_PARAMETER.search(path) or names_deed(path):
        return None
    if shapes.type_of(api, schema) != "object" or not shapes.properties(api, schema):
        return None
    writers = {
        method: operation if operation is not None and creates(api, operation, schema) else None
        for method, operation in ((name, methods.get(name)) for name in ("PUT", "PATCH", "POST"))
    }
    return Single(
        path=path,
        schema=schema,
        read=read,
        replace=writers["PUT"],
        patch=writers["PATCH"],
        change=writers["POST"],
        reset=methods.get("DELETE"),
    )


def names_deed(path: str) -> bool:
    """Return whether the last word of a path says what to do (login, search), not what is there."""
    return _ACTS.match(_last(path)) is not None


def plain(name: str) -> str:
    """Return a name for comparison: lower-case letters and digits alone."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _last(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]
