"""What the shape of a schema's types says: which have an identity, which are pages, which are errors.

Pure questions about one schema; what is answered with is for `table`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from graphql import (
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLUnionType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphql import GraphQLField, GraphQLSchema, GraphQLType

_NO_ENTITY: Final = re.compile(r"(Payload|Response|Results?|Output|Connection|Edge|PageInfo|Page)$")
_ERROR: Final = re.compile(
    r"(Error|Errors|Failure|Problem|Exception|NotFound|Invalid|Forbidden)", re.IGNORECASE
)
_TOTAL: Final = re.compile(
    r"^(total|count|total_?(count|items|results|elements)|items_?count|filtered_?count)$", re.IGNORECASE
)
_MORE: Final = re.compile(r"^has_?(more|next(_?page)?)$", re.IGNORECASE)
_BACK: Final = re.compile(r"^has_?prev(ious)?(_?page)?$", re.IGNORECASE)
_PAGE_FIELD: Final = re.compile(
    r"^(page_?info|page|pages|total_?pages|next|(next|end)_?cursor|cursor|limit|offset)$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """By which field the values of a type are told apart, and how that is written."""

    field: str
    kind: str
    """"text", "number", "uuid" or "global" (base64 of "Type:1", as Relay does)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paged:
    """A type that holds a part of a list: `item` is the type of what is listed."""

    item: str
    edges: str | None
    """The field of edges with `node`; None where there are none."""
    lists: tuple[str, ...]
    more: tuple[str, ...]
    info: str | None


class Shapes:
    """Answers about the types of one schema, each found out once."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self._identities: dict[str, Identity | None] = {}
        self._pages: dict[str, Paged | None] = {}
        self._roots = {
            root.name
            for root in (schema.query_type, schema.mutation_type, schema.subscription_type)
            if root is not None
        }
        self._global = self._global_types()

    def is_root(self, name: str) -> bool:
        """Return whether a type holds the operations."""
        return name in self._roots

    def identity(self, name: str) -> Identity | None:
        """Return by what the object type `name` is told apart, None where it is part of something else."""
        if name not in self._identities:
            self._identities[name] = self._find_identity(name)
        return self._identities[name]

    def _find_identity(self, name: str) -> Identity | None:
        found = self.schema.type_map.get(name)
        if not isinstance(found, GraphQLObjectType) or name in self._roots:
            return None
        if _NO_ENTITY.search(name) and name not in self._global:
            return None
        own = name[:1].lower() + name[1:]
        wanted = ("id", "_id", "ID", "uuid", "guid", f"{own}Id", f"{own}ID", f"{own}_id")
        field = next((item for item in wanted if _is_leaf(found.fields.get(item))), None)
        if field is None:
            typed = [key for key, item in found.fields.items() if _is_id(item)]
            field = typed[0] if len(typed) == 1 else None
        if field is None or _is_error(name):
            return None
        leaf = get_named_type(found.fields[field].type).name
        if leaf == "Int" or re.search(r"Int|Long|Number", leaf):
            kind = "number"
        elif "uuid" in leaf.lower() or field in {"uuid", "guid"}:
            kind = "uuid"
        elif leaf not in {"ID", "String"}:
            kind = "text"
        else:
            kind = "global" if name in self._global and leaf == "ID" else "text"
        return Identity(field=field, kind=kind)

    def _global_types(self) -> frozenset[str]:
        """Return the types that `node(id:)` can give, which need ids that tell the type."""
        query = self.schema.query_type
        node = None if query is None else query.fields.get("node")
        if node is None or "id" not in node.args:
            return frozenset()
        abstract = get_named_type(node.type)
        if not isinstance(abstract, (GraphQLInterfaceType, GraphQLUnionType)):
            return frozenset()
        return frozenset(item.name for item in self.schema.get_possible_types(abstract))

    def possible(self, named: GraphQLNamedType) -> tuple[str, ...]:
        """Return the object types that a value of `named` may have, faults and empty ones last."""
        if isinstance(named, GraphQLObjectType):
            return (named.name,)
        if not isinstance(named, (GraphQLInterfaceType, GraphQLUnionType)):
            return ()
        names = [item.name for item in self.schema.get_possible_types(named)]
        good = tuple(name for name in names if not _is_error(name))
        return good or tuple(names)

    def is_entity(self, named: GraphQLNamedType) -> bool:
        """Return whether every value of `named` has an identity."""
        options = self.possible(named)
        return bool(options) and all(self.identity(name) is not None for name in options)

    def page(self, name: str) -> Paged | None:
        """Return what the object type `name` lists, None where it is no page."""
        if name not in self._pages:
            found = self.schema.type_map.get(name)
            is_page = isinstance(found, GraphQLObjectType) and name not in self._roots
            self._pages[name] = self._find_page(found) if is_page else None  # type: ignore[arg-type]
        return self._pages[name]

    def _find_page(self, found: GraphQLObjectType) -> Paged | None:
        fields = found.fields
        edges = next((key for key, item in fields.items() if key == "edges" and self._node(item)), None)
        item = self._node(fields[edges]) if edges is not None else None
        lists = [key for key, entry in fields.items() if _is_list(entry) and key != edges]
        if item is None:
            if self.identity(found.name) is not None:
                return None
            listed = [key for key in lists if self.is_entity(get_named_type(fields[key].type))]
            told = any(_TOTAL.match(k) or _MORE.match(k) or _PAGE_FIELD.match(k) for k in fields)
            if len(listed) != 1 or not told:
                return None
            item = get_named_type(fields[listed[0]].type).name
        return Paged(
            item=item,
            edges=edges,
            lists=tuple(key for key in lists if get_named_type(fields[key].type).name == item),
            more=tuple(
                k for k in fields if _MORE.match(k) and get_named_type(fields[k].type).name == "Boolean"
            ),
            info=next((key for key in fields if key in {"pageInfo", "page_info"}), None),
        )

    def _node(self, field: GraphQLField) -> str | None:
        edge = get_named_type(field.type)
        if not _is_list(field) or not isinstance(edge, GraphQLObjectType) or "node" not in edge.fields:
            return None
        node = get_named_type(edge.fields["node"].type)
        return None if is_leaf_type(node) else node.name


def page_info(fields: Iterable[str]) -> dict[str, str]:
    """Return which fields of a page info type say what: field → "more", "back", "start", "end" or "total"."""
    found: dict[str, str] = {}
    for name in fields:
        key = name.replace("_", "").lower()
        if _MORE.match(name):
            found[name] = "more"
        elif _BACK.match(name):
            found[name] = "back"
        elif key == "startcursor":
            found[name] = "start"
        elif key in {"endcursor", "nextcursor", "cursor"}:
            found[name] = "end"
        elif _TOTAL.match(name):
            found[name] = "total"
    return found


def _is_error(name: str) -> bool:
    return _ERROR.search(name) is not None


def is_error_field(name: str) -> bool:
    """Return whether a field of a mutation's answer lists what went wrong."""
    return re.search(r"(^e|E|_e)rrors?$", name) is not None or name == "problems"


def _is_list(field: GraphQLField) -> bool:
    return isinstance(get_nullable_type(field.type), GraphQLList)


def _is_leaf(field: GraphQLField | None) -> bool:
    return (
        field is not None
        and not _is_list(field)
        and isinstance(get_named_type(field.type), GraphQLScalarType)
    )


def _is_id(field: GraphQLField) -> bool:
    return _is_leaf(field) and get_named_type(field.type).name == "ID"


def is_required(given: GraphQLType) -> bool:
    """Return whether a type does not allow null."""
    return isinstance(given, GraphQLNonNull)


def plain(word: str) -> str:
    """Return a word without what marks a plural, in small letters."""
    low = word.lower().replace("_", "")
    if low.endswith("ies") and len(low) > 4:  # noqa: PLR2004 - "ties" is no plural of "ty"
        return low[:-3] + "y"
    if low.endswith(("sses", "xes", "ches", "shes")):
        return low[:-2]
    return low[:-1] if low.endswith("s") and not low.endswith("ss") else low
