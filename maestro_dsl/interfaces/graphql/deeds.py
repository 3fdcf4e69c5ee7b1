"""What a mutation does to the memory by the rules of its name, and what it answers with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from graphql import (
    GraphQLError,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLType,
    get_named_type,
    is_leaf_type,
)

from maestro_dsl.interfaces.graphql.table import is_listed
from maestro_dsl.interfaces.graphql.values import SINGLE, Rec, fits, plain_value, text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from maestro_dsl.interfaces.graphql.verbs import Deed
    from maestro_dsl.interfaces.graphql.world import World

_DONE: Final = re.compile(
    r"^(ok|success|succeeded|successful|done|deleted|created|updated|removed|acknowledged)$"
)
_COUNT: Final = re.compile(r"^(count|affected\w*|deletedCount|updatedCount)$")
_IDENTITY: Final = re.compile(r"^(id|_id|uuid|deleted\w*(Id|ID|_id))$")


class _Missing:
    """Says that a value cannot be taken."""


_MISSING: Final = _Missing()


class Deeds:
    """Carries out mutations in a `World`; `heard` is told the verb, the type and the value of each."""

    def __init__(self, world: World, heard: Callable[[str, Rec], None]) -> None:
        self._world = world
        self._table = world.table
        self._heard = heard

    def mutate(self, root: str, name: str, kind: GraphQLType, args: Mapping[str, Any]) -> Any:
        """Do what the mutation `name` says, and return its answer, of the type `kind`.

        Raises:
            GraphQLError: what should be changed was deleted.
        """
        deed = self._table.deed(root, name)
        targets = None if deed is None else self._done(deed, args)
        if deed is None or targets is None:
            named = get_named_type(kind)
            return (
                True if named.name == "Boolean" and not is_listed(kind) else self._answered(root, name, args)
            )
        for target in targets:
            self._heard(deed.verb, target)
        return self.answer(name, deed.type, kind, targets, args)

    def _answered(self, root: str, name: str, args: Mapping[str, Any]) -> Any:
        made = self._world.make(Rec(root), name, args)
        if isinstance(made, Rec):
            token = _token(args)
            if token is not None and "clientMutationId" in self._world.fields(made.type):
                made.fixed["clientMutationId"] = token
        return made

    def _done(self, deed: Deed, args: Mapping[str, Any]) -> list[Rec] | None:
        world = self._world
        if not deed.is_entity:
            kept = world.kept.setdefault((deed.type, SINGLE), {})
            kept.update(self.mapped(deed.type, SINGLE, args))
            return [Rec(deed.type, SINGLE)]
        keys = self._keys(deed, args)
        if deed.verb == "create" or (
            deed.verb == "upsert" and not (keys and keys[0] in world.living(deed.type))
        ):
            return [self.create(deed, args)]
        if deed.verb == "delete":
            return [self._delete(deed, key) for key in keys] if keys else None
        keys = keys or world.living(deed.type)[:1]
        return [self._update(deed, key, args) for key in keys]

    def _keys(self, deed: Deed, args: Mapping[str, Any]) -> list[str]:
        for holder in (args, *(value for value in args.values() if isinstance(value, dict))):
            for name in deed.ids:
                if isinstance(holder.get(name), list):
                    return [text(item) for item in holder[name] if item is not None]
        key = self._world.identity_arg(deed.ids, args)
        return [] if key is None else [key]

    def create(self, deed: Deed, args: Mapping[str, Any]) -> Rec:
        """Make a value of the type of `deed` with the fields that `args` give it, and return it."""
        world, entity = self._world, self._table.entity(deed.type)
        own = None if entity is None else world.identity_arg((entity.field,), args)
        key = own
        made = world.made.setdefault(deed.type, [])
        index = (0 if entity is None else entity.count) + len(made)
        while key is None:
            candidate = world.initial_key(deed.type, index)
            taken = candidate in made or (deed.type, candidate) in world.gone
            key, index = (None if taken else candidate), index + 1
        if key not in world.living(deed.type):
            made.append(key)
        world.gone.discard((deed.type, key))
        world.kept[deed.type, key] = self.mapped(deed.type, key, args)
        return Rec(deed.type, key)

    def _update(self, deed: Deed, key: str, args: Mapping[str, Any]) -> Rec:
        self._must_live(deed, key)
        kept = self._world.kept.setdefault((deed.type, key), {})
        kept.update(self.mapped(deed.type, key, args))
        return Rec(deed.type, key)

    def _delete(self, deed: Deed, key: str) -> Rec:
        self._must_live(deed, key)
        self._world.gone.add((deed.type, key))
        return Rec(deed.type, key, final=True)

    def _must_live(self, deed: Deed, key: str) -> None:
        if (deed.type, key) in self._world.gone:
            raise GraphQLError(f'{deed.type} "{key}" does not exist', extensions={"code": "NOT_FOUND"})

    # ---- what was sent, as fields ------------------------------------------------------------------------

    def mapped(self, kind: str, key: str, args: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments, and the fields of input objects, as fields of the type `kind`."""
        fields = self._world.fields(kind)
        entity = self._table.entity(kind)
        flat: dict[str, Any] = {}
        for name, value in args.items():
            if isinstance(value, dict) and name not in fields:
                flat.update(value)
            else:
                flat[name] = value
        found: dict[str, Any] = {}
        for name, value in flat.items():
            if entity is not None and name == entity.field:
                continue
            for field in self._fields_for(fields, name):
                if (field != name and field in flat) or any(map(_is_required, fields[field].args.values())):
                    continue
                taken = self._taken(value, fields[field].type, f"{kind}:{key}.{field}", field != name)
                if taken is not _MISSING:
                    found[field] = taken
        return found

    @staticmethod
    def _fields_for(fields: Mapping[str, Any], name: str) -> list[str]:
        """Return the fields that `name` sets: `authorId` sets the field of that name, and `author` too."""
        found = [name] if name in fields else []
        for ending, more in (("_ids", "s"), ("Ids", "s"), ("IDs", "s"), ("_id", ""), ("Id", ""), ("ID", "")):
            base = name.removesuffix(ending) + more
            if (
                name.endswith(ending)
                and base in fields
                and not is_leaf_type(get_named_type(fields[base].type))
            ):
                return [*found, base]
        return found

    def _taken(self, value: Any, kind: GraphQLType, key: str, given: bool) -> Any:
        if value is None:
            return _MISSING if isinstance(kind, GraphQLNonNull) else None
        inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        if isinstance(inner, GraphQLList):
            if not isinstance(value, list):
                return _MISSING
            items = [self._taken(item, inner.of_type, f"{key}[{at}]", given) for at, item in enumerate(value)]
            return _MISSING if any(item is _MISSING for item in items) else items
        if is_leaf_type(inner):
            return plain_value(value, inner) if fits(value, inner) else _MISSING
        return self._taken_object(value, inner, key)

    def _taken_object(self, value: Any, inner: Any, key: str) -> Any:
        options = self._table.shapes.possible(inner)
        if not isinstance(value, dict):
            is_key = isinstance(value, (str, int)) and not isinstance(value, bool)
            if not options or not is_key or not self._table.shapes.is_entity(inner):
                return _MISSING
            return Rec(self._world.type_of_key(options, str(value)), str(value))
        if not isinstance(inner, GraphQLObjectType):
            return _MISSING
        entity = self._table.entity(inner.name)
        if entity is not None:
            own = value.get(entity.field)
            if not isinstance(own, (str, int)):
                return _MISSING
            return Rec(inner.name, str(own))
        return Rec(inner.name, key, self.mapped(inner.name, key, value))

    # ---- the answer --------------------------------------------------------------------------------------

    def answer(
        self, name: str, about: str, kind: GraphQLType, targets: list[Rec], args: Mapping[str, Any]
    ) -> Any:
        """Return an answer of the type `kind` that tells of `targets`, which are of the type `about`."""
        named, listed = get_named_type(kind), is_listed(kind)
        if is_leaf_type(named):
            return self._leaf(name, named, listed, targets)
        options = self._table.shapes.possible(named)
        if about in options:
            return targets if listed else targets[0] if targets else None
        holding = [item for item in options if self._holds(item, about)]
        if not options:
            return None
        made = self._payload(name, (holding or list(options))[0], about, targets, args)
        return [made] if listed else made

    def _leaf(self, name: str, named: Any, listed: bool, targets: list[Rec]) -> Any:
        values = [self._world.identity_value(item.type, item.key) for item in targets]
        if named.name == "Boolean":
            return [True] if listed else True
        if listed:
            return [plain_value(item, named) for item in values if fits(item, named)]
        if named.name in {"Int", "Float"} and not (values and fits(values[0], named)):
            return len(targets)
        if values and fits(values[0], named):
            return plain_value(values[0], named)
        return name

    def _holds(self, option: str, about: str) -> bool:
        fields = self._world.fields(option).values()
        return any(about in self._table.shapes.possible(get_named_type(item.type)) for item in fields)

    def _payload(self, name: str, kind: str, about: str, targets: list[Rec], args: Mapping[str, Any]) -> Rec:
        made = Rec(kind, name)
        for key, entry in self._world.fields(kind).items():
            value = self._part(key, entry, about, targets, args)
            if value is not _MISSING:
                made.fixed[key] = value
        return made

    def _part(self, key: str, entry: Any, about: str, targets: list[Rec], args: Mapping[str, Any]) -> Any:
        named, listed = get_named_type(entry.type), is_listed(entry.type)
        if not is_leaf_type(named):
            return self._object_part(named, listed, about, targets)
        if key == "clientMutationId":
            token = _token(args)
            return token if token is not None or not _is_required(entry) else ""
        if named.name == "Boolean" and _DONE.match(key):
            return True
        if named.name == "Int" and _COUNT.match(key):
            return len(targets)
        base = key.removesuffix("Id").removesuffix("ID").removesuffix("_id").lower()
        if targets and (_IDENTITY.match(key) or base == about.lower()):
            own = self._world.identity_value(targets[0].type, targets[0].key)
            if fits(own, named) and not listed:
                return plain_value(own, named)
        return _MISSING

    def _object_part(self, named: Any, listed: bool, about: str, targets: list[Rec]) -> Any:
        if about in self._table.shapes.possible(named):
            return list(targets) if listed else targets[0] if targets else _MISSING
        node = named.fields.get("node") if isinstance(named, GraphQLObjectType) else None
        if node is not None and about in self._table.shapes.possible(get_named_type(node.type)):
            edges = [self._world.edge(named.name, "", item) for item in targets]
            return edges if listed else edges[0] if edges else _MISSING
        return _MISSING


def _token(args: Mapping[str, Any]) -> str | None:
    found = args.get("clientMutationId")
    for value in args.values():
        if isinstance(value, dict):
            found = value.get("clientMutationId", found)
    return found if isinstance(found, str) else None


def _is_required(item: Any) -> bool:
    """Return whether an argument or field allows no null."""
    return isinstance(item.type, GraphQLNonNull)
