"""What a mutation does by its name, and to which type: `createPost`, `post_delete`, `setTheme`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from graphql import GraphQLObjectType, get_named_type

from maestro_dsl.interfaces.graphql.shape import plain

if TYPE_CHECKING:
    from graphql import GraphQLField

    from maestro_dsl.interfaces.graphql.shape import Shapes

VERBS: Final = {
    **dict.fromkeys(
        ("create", "add", "insert", "new", "register", "make", "submit", "created", "added"), "create"
    ),
    **dict.fromkeys(
        (
            "update",
            "edit",
            "modify",
            "change",
            "patch",
            "set",
            "rename",
            "replace",
            "updated",
            "changed",
            "edited",
        ),
        "update",
    ),
    **dict.fromkeys(("delete", "remove", "destroy", "deleted", "removed"), "delete"),
    **dict.fromkeys(("upsert", "save", "put"), "upsert"),
}
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What a mutation does to which type: `verb` is create, update, delete or upsert."""

    verb: str
    type: str
    is_entity: bool
    ids: tuple[str, ...]
    """Names of arguments, or of fields of input objects, that carry the identity."""


def words(name: str) -> list[str]:
    """Return the words of a camelCase or snake_case name, in small letters."""
    return [word.lower() for word in _WORDS.findall(name)]


def deed(shapes: Shapes, name: str, field: GraphQLField) -> Deed | None:
    """Return what the root field `name` does by its name, None where the name says nothing we know."""
    parts = words(name)
    at = next((i for i in (0, len(parts) - 1) if parts and parts[i] in VERBS), None)
    if at is None:
        return None
    noun = [word for i, word in enumerate(parts) if i != at and word not in {"bulk", "many", "one", "my"}]
    found = _target(shapes, noun, field)
    if found is None:
        return None
    is_entity = shapes.identity(found) is not None
    verb = VERBS[parts[at]]
    if not is_entity and verb not in {"update", "upsert"}:
        return None
    return Deed(verb=verb, type=found, is_entity=is_entity, ids=identity_names(shapes, found))


def identity_names(shapes: Shapes, name: str) -> tuple[str, ...]:
    """Return what an argument that carries the identity of the type `name` may be called."""
    identity = shapes.identity(name)
    own = name[:1].lower() + name[1:]
    key = "id" if identity is None else identity.field
    singles = (key, "id", f"{own}Id", f"{own}ID", f"{own}_id")
    many = ("ids", f"{own}Ids", f"{own}IDs", f"{own}_ids")
    return tuple(dict.fromkeys((*singles, *many)))


def _target(shapes: Shapes, noun: list[str], field: GraphQLField) -> str | None:
    """Return the type that a mutation is about: by the noun of its name, else by what it answers."""
    wanted = plain("".join(noun))
    by_name = {
        plain(name): name
        for name, item in shapes.schema.type_map.items()
        if isinstance(item, GraphQLObjectType) and not name.startswith("_") and not shapes.is_root(name)
    }
    exact = by_name.get(wanted)
    if exact is not None and (shapes.identity(exact) is not None or _gives(shapes, field, exact)):
        return exact
    given = _answered(shapes, field)
    if given:
        named = next((item for item in given if wanted.endswith(plain(item))), None)
        return named or given[0]
    ends = [name for key, name in by_name.items() if key and wanted.endswith(key) and shapes.identity(name)]
    return max(ends, key=len, default=None)


def _gives(shapes: Shapes, field: GraphQLField, name: str) -> bool:
    return name in _answered(shapes, field, entities=False)


def _answered(shapes: Shapes, field: GraphQLField, *, entities: bool = True) -> list[str]:
    """Return the types that an answer of `field` holds, its own or those of its fields."""
    found: list[str] = []
    for option in shapes.possible(get_named_type(field.type)):
        answer = shapes.schema.type_map[option]
        if shapes.identity(option) is not None or not entities:
            found.append(option)
        for inner in answer.fields.values() if isinstance(answer, GraphQLObjectType) else ():
            named = get_named_type(inner.type)
            if isinstance(named, GraphQLObjectType) and not shapes.is_root(named.name):
                edge = named.fields.get("node") if named.name.endswith("Edge") else None
                named = get_named_type(edge.type) if edge is not None else named
                if isinstance(named, GraphQLObjectType) and (shapes.identity(named.name) or not entities):
                    found.append(named.name)
    return list(dict.fromkeys(found))
