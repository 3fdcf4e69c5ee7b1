"""Types of the values an expression can see, from JSON Schema or from the values themselves.

There is no "any": a value without a type is an error where it is used. `HOLE` stands where another mistake
was reported already, so that one mistake gives one finding. This module checks no expression.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from enum import StrEnum
from typing import Any, Final

from maestro_dsl.lang.model import Json
from maestro_dsl.records import dataclass


class TypeKind(StrEnum):
    """What shape a value has; the text is what messages call it."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    STRING = "string"
    NULL = "null"
    LIST = "list"
    MAPPING = "mapping"
    RECORD = "record"
    UNTYPED = "untyped"
    HOLE = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """A type; `item` is of lists and mappings, `fields` are of records, `label` names it in messages.

    `values` are all that a value can be, where an enumeration says so; types are equal without them.
    """

    kind: TypeKind
    item: Type | None = None
    fields: Mapping[str, Type] | None = None
    label: str = ""
    is_contract: bool = False
    is_open: bool = field(default=False, compare=False)
    """True for records that have other keys in another plan: to ask whether one is there is right."""
    values: tuple[Json, ...] | None = field(default=None, compare=False)

    def __str__(self) -> str:
        if self.label:
            return self.label
        return f"{self.kind} of {self.item}" if self.item is not None else str(self.kind)


BOOLEAN: Final = Type(kind=TypeKind.BOOLEAN)
INTEGER: Final = Type(kind=TypeKind.INTEGER)
NUMBER: Final = Type(kind=TypeKind.NUMBER)
STRING: Final = Type(kind=TypeKind.STRING)
NULL: Final = Type(kind=TypeKind.NULL)
UNTYPED: Final = Type(kind=TypeKind.UNTYPED)
HOLE: Final = Type(kind=TypeKind.HOLE)

NUMERIC: Final = frozenset({TypeKind.INTEGER, TypeKind.NUMBER})
KNOWN_BY_NAME: Final = {
    "boolean": BOOLEAN,
    "integer": INTEGER,
    "number": NUMBER,
    "string": STRING,
    "null": NULL,
}


def list_of(item: Type) -> Type:
    """Return the type of lists whose items are all `item`."""
    return Type(kind=TypeKind.LIST, item=item)


def mapping_of(item: Type) -> Type:
    """Return the type of mappings from any name to `item`."""
    return Type(kind=TypeKind.MAPPING, item=item)


def record(
    fields: Mapping[str, Type], label: str = "", *, is_contract: bool = False, is_open: bool = False
) -> Type:
    """Return the type of mappings with exactly these keys."""
    return Type(kind=TypeKind.RECORD, fields=fields, label=label, is_contract=is_contract, is_open=is_open)


def one_of(values: Iterable[Json]) -> Type:
    """Return the type of an enumeration."""
    known = tuple(values)
    return replace(unify(type_of(value) for value in known), values=known)


def unify(types: Iterable[Type]) -> Type:
    """Return the type that holds values of all `types`; UNTYPED where there is none, HOLE for none at all."""
    result = HOLE
    for item in types:
        result = _unify(result, item)
    return result


def _unify(left: Type, right: Type) -> Type:
    if left.kind is TypeKind.HOLE:
        return right
    if right.kind is TypeKind.HOLE:
        return left
    if left == right:
        return left if left.values == right.values else replace(left, values=None)
    if left.kind in NUMERIC and right.kind in NUMERIC:
        return NUMBER
    if left.kind is right.kind and left.item is not None and right.item is not None:
        return Type(kind=left.kind, item=_unify(left.item, right.item))
    if left.kind is TypeKind.RECORD and right.kind is TypeKind.RECORD and left.fields and right.fields:
        shared = {
            name: _unify(left.fields[name], right.fields[name])
            for name in left.fields
            if name in right.fields
        }
        return record(shared)
    return UNTYPED


def type_of(value: Json) -> Type:
    """Return the type of a JSON value."""
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, int):
        return INTEGER
    if isinstance(value, float):
        return NUMBER
    if isinstance(value, str):
        return STRING
    if value is None:
        return NULL
    if isinstance(value, list):
        return list_of(unify(type_of(item) for item in value))
    return record({str(name): type_of(item) for name, item in value.items()})


def type_of_schema(schema: Any) -> Type:
    """Return the type that a JSON Schema states; UNTYPED where it states none."""
    if not isinstance(schema, Mapping):
        return UNTYPED
    if "const" in schema:
        return one_of([schema["const"]])
    values = schema.get("enum")
    if isinstance(values, list) and values:
        return one_of(values)
    stated = schema.get("type")
    if isinstance(stated, list):
        return unify(type_of_schema({**schema, "type": name}) for name in stated)
    if isinstance(stated, str) and stated in KNOWN_BY_NAME:
        return KNOWN_BY_NAME[stated]
    if stated == "array":
        return list_of(type_of_schema(schema.get("items")))
    if stated == "object":
        return _object_type(schema)
    return UNTYPED


def _object_type(schema: Mapping[str, Any]) -> Type:
    properties = schema.get("properties")
    if isinstance(properties, Mapping) and properties:
        return record({str(name): type_of_schema(item) for name, item in properties.items()})
    return mapping_of(type_of_schema(schema.get("additionalProperties")))
