"""What schemas that hold together say in one normal form, so that equal meaning looks equal.

`$ref` and `allOf` are merged; `nullable` of OpenAPI 3.0 and "null" in the type lists of 3.1 are one thing, so
are `const` and `enum` of one value, both ways to exclude a limit, and an alternative that stands alone.
Only the own level is read: properties and items stay schemas of their own. What cannot be merged is kept
side by side.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

from maestro_dsl.interfaces.openapi.diff.nodes import Conj, Node
from maestro_dsl.interfaces.openapi.diff.values import (
    ANNOTATIONS,
    OPAQUE,
    Fact,
    canonical,
    is_any_text,
    limits_of,
    tighter,
)
from maestro_dsl.interfaces.openapi.tidy import tidy
from maestro_dsl.lang.sourcemap import Pointer

_OBJECT_KEYS: Final = frozenset({"properties", "required", "additionalProperties", "patternProperties"})
_FLAGS: Final = ("readOnly", "writeOnly", "deprecated", "uniqueItems")
_TYPES_OF: Final = {str: "string", bool: "boolean", dict: "object", list: "array", type(None): "null"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One `oneOf` or `anyOf` with at least two alternatives that are not null."""

    kind: str
    alternatives: tuple[Conj, ...]
    pointer: Pointer


@dataclass(slots=True, kw_only=True)
class Shape:
    """The normal form; a keyword that says nothing is absent. Not changed once it is made."""

    pointer: Pointer | None
    """Of the first schema; None where anything goes and nothing is written."""
    types: frozenset[str] | None = None
    """Without "null"; None where any; "number" stands beside "integer" which it includes."""
    is_nullable: bool = True
    is_never: bool = False
    values: dict[str, Fact] | None = None
    """The allowed values but null, by their canonical text."""
    is_const: bool = False
    facts: dict[str, Fact] = field(default_factory=dict)
    """`format`, `pattern`, `default`, `discriminator`, flags, limits and opaque constraints by keyword."""
    properties: dict[str, Conj] = field(default_factory=dict)
    required: dict[str, Pointer] = field(default_factory=dict)
    is_closed: bool = False
    rest: Conj = ()
    """What properties without a name of their own must be."""
    patterns: dict[str, Conj] = field(default_factory=dict)
    items: Conj = ()
    prefix: tuple[Conj, ...] = ()
    choices: tuple[Choice, ...] = ()
    lost: dict[str, Pointer] = field(default_factory=dict)
    """References that lead nowhere."""
    is_single_choice: bool = False
    """True where it is written as alternatives of which there is only one."""
    folded: Shape | None = None
    """The same with a list of types or values instead of alternatives that say no more than that."""

    def place(self, keyword: str) -> Pointer | None:
        """Return the way to a keyword, or to the schema where it is absent."""
        fact = self.facts.get(keyword)
        return self.pointer if fact is None else fact.pointer

    @property
    def is_bare_choice(self) -> bool:
        """True where nothing but alternatives is said."""
        said = (
            self.values is not None
            or self.properties
            or self.required
            or self.items
            or self.prefix
            or self.rest
        )
        own = any(key not in {"discriminator", "default", "deprecated"} for key in self.facts)
        return len(self.choices) == 1 and not (said or own or self.is_closed or self.is_never or self.lost)


def shape_of(conj: Conj) -> Shape:
    """Return the normal form of schemas that hold together."""
    return _Builder(conj).build()


class _Builder:
    def __init__(self, conj: Conj) -> None:
        self.shape = Shape(pointer=conj[0].pointer if conj else None)
        self._waiting: list[tuple[Node, bool]] = [(node, True) for node in reversed(conj)]
        self._seen: set[int] = set()
        self._types: frozenset[str] | None = None
        self._hints: set[str] = set()
        self._null: list[bool] = []
        self._is_wrapped_null = False
        self._choices: list[Choice] = []
        self._types_folded: frozenset[str] | None = None
        self._values_folded: dict[str, Fact] | None = None

    def build(self) -> Shape:
        """Read all parts, then settle what they say together."""
        while self._waiting:
            node, is_outer = self._waiting.pop()
            if id(node) not in self._seen:
                self._seen.add(id(node))
                self._part(node, is_outer=is_outer)
        self._settle()
        self._view()
        return self.shape

    def _view(self) -> None:
        """Add the other view of a schema whose only alternatives are types or values."""
        shape, types, values = self.shape, self._types_folded, self._values_folded
        if len(shape.choices) != 1 or (types is None and values is None):
            return
        if types is None:
            found = frozenset(_type_of(fact.value) for fact in (values or {}).values())
            types = found | ({"integer"} if "number" in found else frozenset())
        both = types if shape.types is None else shape.types & types
        shape.folded = replace(shape, types=both, values=values or shape.values, choices=())

    def _part(self, node: Node, *, is_outer: bool) -> None:
        if node.value is False:
            self.shape.is_never = True
        if not isinstance(node.value, dict):
            return
        schema = tidy(node.value)
        self._more(node, schema, is_outer=is_outer)
        self._null_and_types(schema, is_outer=is_outer)
        self._values(node, schema)
        self._facts(node, schema)
        self._object(node, schema)
        self._array(node, schema)
        for key in ("oneOf", "anyOf"):
            if key in schema:
                self._alternatives(node, key)

    def _more(self, node: Node, schema: dict[str, Any], *, is_outer: bool) -> None:
        """Queue what holds beside this part: the target of its reference and the parts of its `allOf`."""
        parts = node.child("allOf") if "allOf" in schema else None
        if parts is not None:
            inner = [parts.child(number) for number in range(len(parts.value))]
            self._waiting += [(part, False) for part in reversed(inner) if part is not None]
        ref = schema.get("$ref")
        if isinstance(ref, str):
            target = node.side.target(ref)
            if target is None:
                self.shape.lost.setdefault(ref, (*node.pointer, "$ref"))
            else:
                self._waiting.append((target, is_outer and len(schema) == 1))

    def _null_and_types(self, schema: dict[str, Any], *, is_outer: bool) -> None:
        kinds = schema.get("type")
        is_nullable = schema.get("nullable") is True
        if kinds is not None:
            listed = frozenset(kinds if isinstance(kinds, list) else [kinds])
            self._null.append("null" in listed or is_nullable)
            own = listed - {"null"} | ({"integer"} if "number" in listed else frozenset())
            self._types = own if self._types is None else self._types & own
        elif is_nullable and is_outer:
            self._is_wrapped_null = True
        if _OBJECT_KEYS & schema.keys():
            self._hints.add("object")
        if "items" in schema or "prefixItems" in schema:
            self._hints.add("array")

    def _values(self, node: Node, schema: dict[str, Any]) -> None:
        key = "const" if "const" in schema else "enum"
        if key not in schema:
            return
        listed = [schema[key]] if key == "const" else schema[key]
        own = {}
        for number, value in enumerate(listed):
            pointer = (*node.pointer, key) if key == "const" else (*node.pointer, key, number)
            own[canonical(value)] = Fact(value, pointer)
        if own.pop("null", None) is not None and "type" not in schema:
            self._null.append(True)
        elif "type" not in schema and not schema.get("nullable"):
            self._null.append(False)
        known = self.shape.values
        self.shape.values = own if known is None else {text: own[text] for text in known if text in own}
        self.shape.is_const = self.shape.is_const or key == "const"

    def _facts(self, node: Node, schema: dict[str, Any]) -> None:
        facts, pointer = self.shape.facts, node.pointer
        for key, written, limit in limits_of(schema):
            found = Fact(limit, (*pointer, written))
            facts[key] = tighter(key, facts.get(key), found)
        for key in _FLAGS:
            if schema.get(key) is True:
                facts.setdefault(key, Fact(True, (*pointer, key)))
        self._said(node, schema)
        if "default" in schema:
            facts.setdefault("default", Fact(schema["default"], (*pointer, "default")))
        if "discriminator" in schema:
            facts.setdefault("discriminator", Fact(node.child("discriminator"), (*pointer, "discriminator")))
        for key in OPAQUE:
            if key in schema:
                self._opaque(node, key)

    def _said(self, node: Node, schema: dict[str, Any]) -> None:
        """Keep format, patterns, and values of a list that may grow."""
        facts, pointer = self.shape.facts, node.pointer
        if isinstance(schema.get("format"), str):
            facts.setdefault("format", Fact(schema["format"], (*pointer, "format")))
        if isinstance(schema.get("pattern"), str) and not is_any_text(schema["pattern"]):
            known = facts.get("pattern")
            both = {schema["pattern"], *(known.value if known is not None else ())}
            facts["pattern"] = Fact(tuple(sorted(both)), (*pointer, "pattern"))
        if isinstance(schema.get("x-extensible-enum"), list):
            facts.setdefault(
                "x-extensible-enum", Fact(schema["x-extensible-enum"], (*pointer, "x-extensible-enum"))
            )

    def _opaque(self, node: Node, key: str) -> None:
        """Keep a constraint that is compared as a whole; several of one kind stay side by side."""
        name = key
        while name in self.shape.facts:
            name += "+"
        inner = node.child(key)
        self.shape.facts[name] = Fact(inner, (*node.pointer, key))

    def _object(self, node: Node, schema: dict[str, Any]) -> None:
        shape = self.shape
        for key, target in (("properties", shape.properties), ("patternProperties", shape.patterns)):
            inner = node.child(key) if key in schema else None
            for name in inner.value if inner is not None else ():
                found = inner.child(name) if inner is not None else None
                if found is not None:
                    target[str(name)] = (*target.get(str(name), ()), found)
        for number, name in enumerate(schema.get("required", ())):
            shape.required.setdefault(name, (*node.pointer, "required", number))
        for key in ("additionalProperties", "unevaluatedProperties"):
            if key not in schema:
                continue
            inner = node.child(key)
            if inner is not None and inner.value is False:
                shape.is_closed = True
                shape.facts.setdefault("closed", Fact(True, inner.pointer))
            elif inner is not None and isinstance(inner.value, dict) and inner.value.keys() - ANNOTATIONS:
                shape.rest = (*shape.rest, inner)

    def _array(self, node: Node, schema: dict[str, Any]) -> None:
        items = node.child("items") if "items" in schema else None
        if items is not None and items.value is not True:
            self.shape.items = (*self.shape.items, items)
        listed = node.child("prefixItems") if "prefixItems" in schema else None
        if listed is not None:
            own = [listed.child(number) for number in range(len(listed.value))]
            self.shape.prefix = tuple((part,) for part in own if part is not None)

    def _alternatives(self, node: Node, key: str) -> None:
        listed = node.child(key)
        if listed is None:
            return
        nodes = [listed.child(number) for number in range(len(listed.value))]
        found = [part for part in nodes if part is not None]
        kept = [part for part in found if not _is_null(part)]
        self._null.append(len(kept) < len(found) or not kept)
        if len(kept) == 1:
            self.shape.is_single_choice = True
            self._waiting.append((kept[0], True))
            self._is_wrapped_null = self._is_wrapped_null or len(kept) < len(found)
            if len(kept) == len(found):
                self._null.pop()
        elif kept:
            self._fold(kept)
            alternatives = tuple((part,) for part in kept)
            self._choices.append(Choice(kind=key, alternatives=alternatives, pointer=listed.pointer))

    def _fold(self, parts: list[Node]) -> None:
        """Note alternatives that only name a type, or only a value each, as a list of those."""
        said = [part.value.keys() - ANNOTATIONS if isinstance(part.value, dict) else {"?"} for part in parts]
        if all(keys == {"type"} for keys in said) and all(_is_one_type(part) for part in parts):
            own = {part.value["type"] for part in parts}
            self._types_folded = frozenset(own | ({"integer"} if "number" in own else set()))
        elif self.shape.values is None and all(
            "const" in keys and keys <= {"const", "type"} for keys in said
        ):
            self._values_folded = {
                canonical(part.value["const"]): Fact(part.value["const"], (*part.pointer, "const"))
                for part in parts
            }

    def _settle(self) -> None:
        shape = self.shape
        shape.choices = tuple(self._choices)
        types = self._types
        if types is None and shape.values:
            types = frozenset(_type_of(fact.value) for fact in shape.values.values())
            types |= {"integer"} if "number" in types else frozenset()
        if types is None and len(self._hints) == 1 and not shape.choices:
            types = frozenset(self._hints)
            self._null.append(False)
        shape.types = types
        shape.is_nullable = self._is_wrapped_null or all(self._null)
        shape.is_const = shape.is_const and shape.values is not None and len(shape.values) == 1


def _is_one_type(part: Node) -> bool:
    return isinstance(part.value["type"], str)


def _is_null(node: Node) -> bool:
    target = node.side.follow(node)
    if target is None or not isinstance(target.value, dict):
        return False
    schema = target.value
    return schema.get("type") in ("null", ["null"]) or schema.get("enum") == [None] or _const_null(schema)


def _const_null(schema: dict[str, Any]) -> bool:
    return "const" in schema and schema["const"] is None


def _type_of(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "integer" if float(value).is_integer() else "number"
    return _TYPES_OF.get(type(value), "string")
