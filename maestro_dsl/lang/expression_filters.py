"""What the filters of expressions take and give, by type: a table, and the few that depend on their input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jinja2 import nodes

from maestro_dsl.lang.expression_types import (
    HOLE,
    INTEGER,
    NUMBER,
    NUMERIC,
    STRING,
    Type,
    TypeKind,
    list_of,
    unify,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_LISTS: Final = frozenset({TypeKind.LIST, TypeKind.MAPPING, TypeKind.RECORD})
_SIZED: Final = _LISTS | {TypeKind.STRING}
_TEXT: Final = frozenset({TypeKind.STRING})
_KEYED: Final = frozenset({TypeKind.MAPPING, TypeKind.RECORD})
_LIST: Final = frozenset({TypeKind.LIST})

ACCEPTS: Final[Mapping[str, frozenset[TypeKind]]] = {
    "abs": NUMERIC,
    "capitalize": _TEXT,
    "count": _SIZED,
    "first": _SIZED,
    "indent": _TEXT,
    "items": _KEYED,
    "join": _LISTS,
    "keys": _KEYED,
    "last": _SIZED,
    "length": _SIZED,
    "list": _SIZED,
    "lower": _TEXT,
    "map": _LIST,
    "max": _LIST,
    "min": _LIST,
    "reject": _LIST,
    "rejectattr": _LIST,
    "replace": _TEXT,
    "reverse": _SIZED,
    "round": NUMERIC,
    "select": _LIST,
    "selectattr": _LIST,
    "sort": _LISTS,
    "sum": _LIST,
    "title": _TEXT,
    "trim": _TEXT,
    "unique": _LIST,
    "upper": _TEXT,
    "values": _KEYED,
}
RESULTS: Final[Mapping[str, Type]] = {
    "capitalize": STRING,
    "count": INTEGER,
    "float": NUMBER,
    "indent": STRING,
    "int": INTEGER,
    "join": STRING,
    "keys": list_of(STRING),
    "length": INTEGER,
    "lower": STRING,
    "replace": STRING,
    "round": NUMBER,
    "string": STRING,
    "title": STRING,
    "tojson": STRING,
    "trim": STRING,
    "upper": STRING,
}
_SAME: Final = frozenset({"abs", "reject", "rejectattr", "reverse", "select", "selectattr", "unique"})


def filter_result(
    tree: nodes.Filter, value: Type, arguments: list[Type], named: Mapping[str, nodes.Expr]
) -> Type:
    """Return the type of a filter's result; the input was found acceptable."""
    if tree.name in RESULTS:
        return RESULTS[tree.name]
    if tree.name in _SAME:
        return value
    if tree.name in {"default", "d"}:
        return unify([value, *arguments[:1]])
    if tree.name in {"list", "sort"}:
        return value if value.kind is TypeKind.LIST else list_of(STRING)
    if tree.name == "values":
        return list_of(_member(value))
    if tree.name == "items":
        return list_of(list_of(HOLE))
    if tree.name == "map":
        return list_of(_mapped(value.item or HOLE, tree, named))
    if value.kind is TypeKind.LIST:  # first, last, max, min, sum
        return value.item or HOLE
    return STRING


def _member(value: Type) -> Type:
    if value.item is not None:
        return value.item
    return unify(value.fields.values()) if value.fields else HOLE


def _mapped(item: Type, tree: nodes.Filter, named: Mapping[str, nodes.Expr]) -> Type:
    attribute = named.get("attribute")
    if attribute is None:
        name = tree.args[0].value if tree.args and isinstance(tree.args[0], nodes.Const) else ""
        return RESULTS.get(str(name), item)
    if not isinstance(attribute, nodes.Const):
        return HOLE
    for step in str(attribute.value).split("."):
        item = (item.fields or {}).get(step, HOLE) if item.fields is not None else item.item or HOLE
    return item
