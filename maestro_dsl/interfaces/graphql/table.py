"""The decision table of a mock: for each field of each type, by which rule it gets its value.

Plain data, so that the emitted server follows the same rules; who follows them here is `world`. What is
decided depends on the schema and the seed alone.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from graphql import (
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
)

from maestro_dsl.interfaces.chance import hash32
from maestro_dsl.interfaces.graphql.scalars import leaf_pool
from maestro_dsl.interfaces.graphql.shape import Shapes, is_error_field, is_required, page_info
from maestro_dsl.interfaces.graphql.verbs import Deed, deed, identity_names

if TYPE_CHECKING:
    from graphql import GraphQLField, GraphQLType

    from maestro_dsl.interfaces.graphql.model import GraphApi

_FEWEST, _SPREAD = 3, 4
_NULL_AT: Final = 7
_TOKENS: Final = frozenset({"clientMutationId", "client_mutation_id"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How one field gets its value.

    `rule`: pool (pick from `pool`), key (the own identity), refkey (the identity of what the field `of`
    gives, or of one of `types`), one, list, page (a part of a list of `types`), empty, sdl, entities, root.
    """

    rule: str
    pool: int = -1
    lists: int = 0
    """How many lists stand around a value."""
    types: tuple[str, ...] = ()
    entity: bool = False
    ids: tuple[str, ...] = ()
    """Arguments that carry an identity."""
    of: str | None = None
    back: str | None = None
    """The field of the items that points back at what holds the list."""
    page: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A type with an identity and how many of it there are at the start."""

    field: str
    kind: str
    count: int


class Table:
    """Decisions about one schema; each is made when it is first asked for."""

    def __init__(self, api: GraphApi, seed: int | str = 0) -> None:
        self.api = api
        self.seed = str(seed)
        self.shapes = Shapes(api.schema)
        self.pools: list[list[Any]] = []
        self._numbers: dict[str, int] = {}
        self._recipes: dict[tuple[str, str], Recipe] = {}
        self._deeds: dict[tuple[str, str], Deed | None] = {}
        self._entities: dict[str, Entity | None] = {}

    def entity(self, name: str) -> Entity | None:
        """Return how the type `name` is told apart and how many there are, None where it has no identity."""
        if name not in self._entities:
            identity = self.shapes.identity(name)
            self._entities[name] = (
                None
                if identity is None
                else Entity(
                    field=identity.field,
                    kind=identity.kind,
                    count=_FEWEST + hash32(f"{self.seed}|{name}") % _SPREAD,
                )
            )
        return self._entities[name]

    def deed(self, root: str, name: str) -> Deed | None:
        """Return what the root field `name` of a mutation or subscription does, by its name."""
        if (root, name) not in self._deeds:
            self._deeds[root, name] = deed(self.shapes, name, self._field(root, name))
        return self._deeds[root, name]

    def recipe(self, owner: str, name: str) -> Recipe:
        """Return how the field `name` of the object type `owner` gets its value."""
        found = self._recipes.get((owner, name))
        if found is None:
            found = self._recipes[owner, name] = self._decide(owner, name, self._field(owner, name))
        return found

    def _field(self, owner: str, name: str) -> GraphQLField:
        holder = self.api.schema.type_map[owner]
        if not isinstance(holder, GraphQLObjectType):
            raise TypeError(f"{owner} is no object type")
        found: GraphQLField = holder.fields[name]
        return found

    def _decide(self, owner: str, name: str, field: GraphQLField) -> Recipe:
        named = get_named_type(field.type)
        lists = _lists(field.type)
        if owner == "_Service" and name == "sdl":
            return Recipe(rule="sdl")
        if named.name == "_Entity" and name == "_entities":
            return Recipe(rule="entities", types=self.shapes.possible(named))
        if is_leaf_type(named):
            return self._leaf(owner, name, field, lists)
        if lists and is_error_field(name):
            return Recipe(rule="empty")
        if not lists and is_error_field(name.removesuffix("s") + "s") and not is_required(field.type):
            return Recipe(rule="null")
        if self.shapes.is_root(named.name):
            return Recipe(rule="root", types=(named.name,))
        types = self.shapes.possible(named)
        if not types:
            return Recipe(rule="empty" if lists else "null")
        entity = self.shapes.is_entity(named)
        page = self.shapes.page(named.name)
        if page is not None and not lists:
            item = self.api.schema.type_map[page.item]
            types = self.shapes.possible(item)
            back = self._back(owner, types, self.shapes.is_entity(item))
            entity = self.shapes.is_entity(item)
            return Recipe(
                rule="page", types=types, entity=entity, page=named.name, back=back, ids=self._ids(types)
            )
        if lists:
            back = self._back(owner, types, entity)
            return Recipe(
                rule="list", lists=lists, types=types, entity=entity, back=back, ids=self._ids(types)
            )
        return Recipe(rule="one", types=types, entity=entity, ids=self._ids(types))

    def _ids(self, types: tuple[str, ...]) -> tuple[str, ...]:
        found = [name for item in types for name in identity_names(self.shapes, item)]
        return tuple(dict.fromkeys(found))

    def _back(self, owner: str, types: tuple[str, ...], entity: bool) -> str | None:
        """Return the one field of the items that holds an `owner`, so that both sides of a relation agree."""
        if not entity or len(types) != 1 or self.shapes.identity(owner) is None:
            return None
        item = self.api.schema.type_map[types[0]]
        fields = item.fields.items() if isinstance(item, GraphQLObjectType) else ()
        found = [
            key
            for key, field in fields
            if get_named_type(field.type).name == owner and not _lists(field.type) and not field.args
        ]
        return found[0] if len(found) == 1 else None

    def _leaf(self, owner: str, name: str, field: GraphQLField, lists: int) -> Recipe:
        own = self.shapes.identity(owner)
        leaf = get_named_type(field.type)
        if own is not None and own.field == name:
            return Recipe(rule="key")
        if not lists and leaf.name in {"ID", "String", "Int"} and (base := _base(name)):
            of = self._related(owner, base)
            if of is not None:
                return of
        values = list(leaf_pool(leaf, name, owner, self.seed, field.description or ""))
        if (
            not lists
            and not is_required(field.type)
            and not self.shapes.is_root(owner)
            and len(values) > _NULL_AT
        ):
            values.insert(_NULL_AT, None)
        return (
            Recipe(rule="null")
            if name in _TOKENS
            else Recipe(rule="pool", pool=self._pool(values), lists=lists)
        )

    def _related(self, owner: str, base: str) -> Recipe | None:
        """Return the recipe for `authorId` beside `author`, or of the id of a type called Author."""
        holder = self.api.schema.type_map[owner]
        field = holder.fields.get(base) if isinstance(holder, GraphQLObjectType) else None
        is_one = field is not None and not field.args and not _lists(field.type)
        if is_one and field is not None and self.shapes.is_entity(get_named_type(field.type)):
            return Recipe(rule="refkey", of=base)
        name = base[:1].upper() + base[1:]
        identity = self.shapes.identity(name) if name in self.api.schema.type_map else None
        return None if identity is None else Recipe(rule="refkey", types=(name,))

    def _pool(self, values: list[Any]) -> int:
        text = json.dumps(values)
        if text not in self._numbers:
            self._numbers[text] = len(self.pools)
            self.pools.append(values)
        return self._numbers[text]

    def data(self) -> dict[str, Any]:
        """Return every decision as JSON, for the emitted server."""
        types: dict[str, Any] = {}
        pages: dict[str, Any] = {}
        deeds: dict[str, dict[str, Any]] = {}
        info: dict[str, dict[str, str]] = {}
        for name, item in self.api.schema.type_map.items():
            if not isinstance(item, GraphQLObjectType) or name.startswith("__"):
                continue
            entity = self.entity(name)
            types[name] = {
                "entity": None if entity is None else asdict(entity),
                "fields": {key: _brief(asdict(self.recipe(name, key))) for key in item.fields},
            }
            page = self.shapes.page(name)
            if page is not None:
                pages[name] = asdict(page)
            info[name] = page_info(item.fields)
        for kind, root in self.api.roots():
            if kind != "query":
                found = {name: self.deed(root.name, name) for name in root.fields}
                deeds[root.name] = {name: asdict(item) for name, item in found.items() if item is not None}
        return {
            "seed": self.seed,
            "text": self.api.text if "_Service" in self.api.schema.type_map else "",
            "pools": self.pools,
            "types": types,
            "pages": pages,
            "info": {name: item for name, item in info.items() if item},
            "deeds": deeds,
        }


def _brief(recipe: dict[str, Any]) -> dict[str, Any]:
    """Return a recipe without what is not stated in it."""
    return {key: value for key, value in recipe.items() if value not in (-1, 0, None, (), False)}


def _nullable(given: GraphQLType) -> GraphQLType:
    found: GraphQLType = given.of_type if isinstance(given, GraphQLNonNull) else given
    return found


def is_listed(given: GraphQLType) -> bool:
    """Return whether a type is a list."""
    return isinstance(_nullable(given), GraphQLList)


def _lists(given: GraphQLType) -> int:
    count = 0
    inner = _nullable(given)
    while isinstance(inner, GraphQLList):
        count += 1
        inner = _nullable(inner.of_type)
    return count


def _base(name: str) -> str | None:
    """Return "author" for "authorId", None for what is no such name."""
    for ending in ("_id", "Id", "ID", "_ID"):
        if name.endswith(ending) and len(name) > len(ending):
            return name.removesuffix(ending)
    return None
