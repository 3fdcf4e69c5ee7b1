"""Resources found by shape: a collection, its items, and the operations that list, create, read, change them.

Names decide little: a path ending in one parameter, the path before it, and the schema that both answer with.
What fits no such shape belongs to no resource and is answered, made or tested operation by operation.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from maestro_dsl.interfaces.openapi import shapes
from maestro_dsl.interfaces.openapi.model import Api, Operation, Parameter, Response, Schema

_ITEM_PATH = re.compile(r"^(?P<collection>.*/[^/{}]+)/\{(?P<parameter>[^/{}]+)\}$")
_COMPOSED = frozenset({"object", "array"})
_PARAMETER = re.compile(r"\{([^/{}]+)\}")
FORM = "application/x-www-form-urlencoded"
LIST_KEYS = ("items", "data", "results", "entries", "records", "content", "values", "list")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One kind of thing with an identity; absent operations are None, at least `read` or `list` exists."""

    name: str
    """The last word of the collection's path, e.g. "tasks"; unique together with the path."""
    collection_path: str
    item_path: str
    id_parameter: Parameter
    """The last parameter of the item's path."""
    id_property: str | None
    """The property of the item that holds the same value; None where no property does."""
    schema: Schema
    """Of one item, as answered; raw, often a reference."""
    list_key: str | None = None
    """The property of the list's answer that holds the items; None where the answer is the array itself."""
    parents: Mapping[str, str | None] = field(default_factory=dict)
    """Parameters of the collection's path, each with the item's property that holds the same value."""
    list: Operation | None = None
    create: Operation | None = None
    read: Operation | None = None
    replace: Operation | None = None
    patch: Operation | None = None
    delete: Operation | None = None
    save: Operation | None = None
    """PUT on the collection, with a body that names its target."""
    amend: Operation | None = None
    """POST on the item, which changes some of it."""
    clear: Operation | None = None
    """DELETE on the collection."""
    has_item: bool = True
    """False where no operation has the path of an item; `item_path` is then only its name."""

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations that exist, by role: list, create, read, replace, patch, delete."""
        roles = {
            "list": self.list,
            "create": self.create,
            "read": self.read,
            "replace": self.replace,
            "patch": self.patch,
            "delete": self.delete,
        }
        return {role: operation for role, operation in roles.items() if operation is not None}

    @property
    def is_stateful(self) -> bool:
        """True where items come into being through the interface, so a memory of them makes sense."""
        return self.create is not None or self.is_upserted

    @property
    def is_upserted(self) -> bool:
        """True where items come into being by a PUT on their path, and only so."""
        return self.create is None and self.replace is not None and "201" in self.replace.responses

    def role(self, operation_id: str) -> str | None:
        """Return the role of the operation with this id, None where it is not of this resource."""
        return next((role for role, item in self.operations.items() if item.id == operation_id), None)


def find_resources(api: Api) -> tuple[Resource, ...]:
    """Return the resources of `api`, in the order of their item paths; no operation is in two of them."""
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in api.operations:
        by_path.setdefault(operation.path, {})[operation.method] = operation
    found: list[Resource] = []
    for path, methods in by_path.items():
        match = _ITEM_PATH.match(path)
        if match is not None:
            collection = by_path.get(match["collection"], {})
            found += _resource(api, match["collection"], path, collection, methods)
    known = {item.collection_path for item in found}
    for path, methods in by_path.items():
        if path not in known and {"GET", "POST"} <= methods.keys() and not path.endswith("}"):
            found += _without_items(api, path, methods)
    return tuple(found)


def _without_items(api: Api, path: str, methods: Mapping[str, Operation]) -> Iterator[Resource]:
    """Yield a resource that is listed and created, while nothing is known of a single item's path."""
    for item in _resource(api, path, f"{path}/{{id}}", methods, {}):
        if item.create is not None and item.list is not None and item.id_property is not None:
            yield dataclasses.replace(item, has_item=False)


def _resource(
    api: Api,
    collection_path: str,
    item_path: str,
    above: Mapping[str, Operation],
    on: Mapping[str, Operation],
) -> Iterator[Resource]:
    parameter = _last_parameter(item_path, on)
    schema = _item_schema(api, above, on)
    if parameter is None or schema is None:
        return
    lists, key = listing(api, above.get("GET"), schema)
    create = above.get("POST")
    if create is not None and not creates(api, create, schema):
        create = None
    read = on.get("GET") if _answers_object(api, on.get("GET")) else None
    if read is None and lists is None:
        return
    names = tuple(_PARAMETER.findall(collection_path))
    owned = shapes.properties(api, schema)
    yield Resource(
        name=collection_path.rstrip("/").rpartition("/")[2],
        collection_path=collection_path,
        item_path=item_path,
        id_parameter=parameter,
        id_property=id_property(api, parameter.name, collection_path, owned),
        schema=schema,
        list_key=key,
        parents={name: _same_name(name, owned) for name in names},
        list=lists,
        create=create,
        read=read,
        replace=on.get("PUT"),
        patch=on.get("PATCH"),
        delete=on.get("DELETE"),
        save=above.get("PUT"),
        amend=on.get("POST"),
        clear=above.get("DELETE"),
    )


def _last_parameter(item_path: str, on: Mapping[str, Operation]) -> Parameter | None:
    name = _PARAMETER.findall(item_path)[-1]
    declared = (
        parameter
        for operation in on.values()
        for parameter in operation.parameters_in("path")
        if parameter.name == name
    )
    return next(declared, Parameter(name=name, location="path", required=True, schema={"type": "string"}))


def _item_schema(api: Api, above: Mapping[str, Operation], on: Mapping[str, Operation]) -> Schema | None:
    for operation in (on.get("GET"), on.get("PUT"), on.get("PATCH"), above.get("POST")):
        schema = answer_schema(operation)
        if schema is not None and shapes.type_of(api, schema) == "object":
            return schema
    list_schema = answer_schema(above.get("GET"))
    entry = shapes.items(api, list_schema)
    return entry if entry is not None and shapes.type_of(api, entry) == "object" else None


def listing(api: Api, operation: Operation | None, schema: Schema) -> tuple[Operation | None, str | None]:
    """Return the operation where it lists things of this schema, and the property that holds the items."""
    answer = answer_schema(operation)
    if operation is None or answer is None:
        return None, None
    entry = shapes.items(api, answer)
    if shapes.type_of(api, answer) == "array" and entry is not None:
        return (operation, None) if is_like(api, entry, schema) else (None, None)
    candidates = {
        name: shapes.items(api, value)
        for name, value in shapes.properties(api, answer).items()
        if shapes.type_of(api, value) == "array"
    }
    matching = [
        name for name, entry in candidates.items() if entry is not None and is_like(api, entry, schema)
    ]
    matching.sort(
        key=lambda name: (shapes.ref_name(candidates[name]) != shapes.ref_name(schema), _rank(name))
    )
    return (operation, matching[0]) if matching else (None, None)


def _rank(name: str) -> int:
    return LIST_KEYS.index(name) if name in LIST_KEYS else len(LIST_KEYS)


def is_like(api: Api, one: Schema, other: Schema) -> bool:
    """Return whether both describe the same thing: the same reference, or mostly the same properties."""
    if shapes.ref_name(one) is not None and shapes.ref_name(one) == shapes.ref_name(other):
        return True
    first, second = set(shapes.properties(api, one)), set(shapes.properties(api, other))
    smaller = min(len(first), len(second))
    return smaller > 0 and len(first & second) * 2 >= smaller


def creates(api: Api, operation: Operation, schema: Schema) -> bool:
    """Return whether the operation takes and answers things of this schema."""
    body = body_schema(operation)
    if body is None:
        return False
    answer = answer_schema(operation)
    if answer is not None:
        return shapes.type_of(api, answer) == "object" and is_like(api, answer, schema)
    return shapes.type_of(api, body) == "object" and is_like(api, body, schema)


def _answers_object(api: Api, operation: Operation | None) -> bool:
    schema = answer_schema(operation)
    return schema is not None and shapes.type_of(api, schema) == "object"


def body_schema(operation: Operation | None) -> Schema | None:
    """Return the schema of the body as JSON, else as a form; None where it can be neither."""
    if operation is None or operation.body is None:
        return None
    media = operation.body.json or operation.body.content.get(FORM)
    return True if media is not None and media.schema is None else None if media is None else media.schema


def answer_schema(operation: Operation | None) -> Schema | None:
    """Return the schema of the answer to a good request, None where it is no JSON."""
    response: Response | None = None if operation is None else operation.success
    if response is None or response.status[0] not in "2d":
        return None
    return None if response.json is None else response.json.schema


def id_property(api: Api, parameter: str, collection_path: str, owned: Mapping[str, Schema]) -> str | None:
    """Return which of the properties `owned` holds the value of the path parameter, None where none does.

    "taskId" or "task_id" under "/tasks" is `task_id`, `taskId`, `id`; "username" is `username`; "id" is `id`.
    `task: {…}`, an envelope with the whole item in it, holds no such value.
    """
    owned = {name: part for name, part in owned.items() if shapes.type_of(api, part) not in _COMPOSED}
    same = _same_name(parameter, owned)
    if same is not None:
        return same
    bare = _words(parameter)
    noun = _words(collection_path.rpartition("/")[2])
    for tail in ("uuid", "id", "key", "slug", "name", "number", "code"):
        if bare.endswith(tail):
            for name in owned:
                if _words(name) in {tail, noun.removesuffix("s") + tail}:
                    return name
    return next((name for name in owned if _words(name) in {"id", "uuid"}), None)


def _same_name(parameter: str, owned: Mapping[str, Schema]) -> str | None:
    return next((name for name in owned if _words(name) == _words(parameter)), None)


def _words(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
