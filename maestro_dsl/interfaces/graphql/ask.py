"""Makes questions out of a schema: a query for each operation, with arguments and a plausible selection.

Used to verify providers and to compare mocks. What an answer is worth is for `judge`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

from maestro_dsl.interfaces.chance import hash32
from maestro_dsl.interfaces.graphql.execute import GraphRequest
from maestro_dsl.interfaces.graphql.paging import LIMITS, NAMES
from maestro_dsl.interfaces.graphql.scalars import leaf_pool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphql import GraphQLField, GraphQLNamedType, GraphQLSchema, GraphQLType

    from maestro_dsl.interfaces.graphql.model import GraphApi

_DEPTH: Final = 3
_FIELDS: Final = 60
_FEW: Final = 3
_FRAGMENTS: Final = 3
_INPUT_DEPTH: Final = 3
_PAGE: Final = 2


@dataclass(slots=True)
class _Draft:
    """A query that is being written: its variables, and how many fields it may still get."""

    variables: dict[str, Any] = field(default_factory=dict)
    declared: list[str] = field(default_factory=list)
    left: int = _FIELDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How to ask: `optional` says which optional arguments get a value, `rich` fills inputs with more."""

    depth: int = _DEPTH
    seed: str = "0"
    rich: bool = False
    optional: Callable[[str], bool] = field(default=lambda _: False)


class Asker:
    """Writes questions for one schema; `keys` gives an identity for an argument, by its name and holder."""

    def __init__(self, api: GraphApi, keys: Callable[[str], str] | None = None) -> None:
        self._schema: GraphQLSchema = api.schema
        self._api = api
        self._keys = keys or (lambda _: "1")

    def ask(
        self, operation: str, given: Mapping[str, Any] | None = None, style: Style | None = None
    ) -> GraphRequest:
        """Return a request for an operation, e.g. "query film"; `given` are values for its arguments."""
        kind, _, name = operation.partition(" ")
        entry = self._api.root_field(operation)
        if entry is None:
            raise ValueError(f"the schema has no {operation}")
        draft, style = _Draft(), style or Style()
        body = self._field(name, entry, draft, style, style.depth, given or {})
        declared = f"({', '.join(draft.declared)})" if draft.declared else ""
        query = f"{kind} Ask{declared} {{ {body} }}"
        return GraphRequest(query=query, variables=draft.variables, operation_name="Ask")

    def _field(
        self,
        name: str,
        entry: GraphQLField,
        draft: _Draft,
        style: Style,
        depth: int,
        given: Mapping[str, Any],
        alias: str = "",
    ) -> str:
        arguments = []
        for key, argument in entry.args.items():
            if key in given:
                value: Any = given[key]
            elif is_required_argument(argument) or style.optional(key):
                value = self.value(argument.type, key, style, holder=name)
            else:
                continue
            number = len(draft.variables)
            draft.variables[f"v{number}"] = value
            draft.declared.append(f"$v{number}: {argument.type}")
            arguments.append(f"{key}: $v{number}")
        written = f"{alias}{name}" + (f"({', '.join(arguments)})" if arguments else "")
        named = get_named_type(entry.type)
        return written if is_leaf_type(named) else f"{written} {self._selection(named, draft, style, depth)}"

    def _selection(self, named: GraphQLNamedType, draft: _Draft, style: Style, depth: int) -> str:
        if isinstance(named, GraphQLObjectType):
            return f"{{ {self._fields(named, draft, style, depth) or '__typename'} }}"
        parts = ["__typename"]
        if isinstance(named, GraphQLInterfaceType):
            parts.append(self._fields(named, draft, style, depth))
        if isinstance(named, (GraphQLInterfaceType, GraphQLUnionType)):
            for option in self._schema.get_possible_types(named)[:_FRAGMENTS]:
                inner = self._fields(option, draft, style, depth - 1, prefix=f"{option.name}_")
                parts.append(f"... on {option.name} {{ {inner} }}" if inner else "")
        return f"{{ {' '.join(part for part in parts if part)} }}"

    def _fields(
        self,
        holder: GraphQLObjectType | GraphQLInterfaceType,
        draft: _Draft,
        style: Style,
        depth: int,
        prefix: str = "",
    ) -> str:
        """Return leaf fields first, then those that go deeper, as far as depth and number allow."""
        parts: list[str] = []
        entries = sorted(
            holder.fields.items(), key=lambda item: not is_leaf_type(get_named_type(item[1].type))
        )
        roots = {root.name for _, root in self._api.roots()}
        last = len(entries)
        for number, (name, entry) in enumerate(entries):
            named = get_named_type(entry.type)
            deep = not is_leaf_type(named)
            required = any(is_required_argument(item) for item in entry.args.values())
            too_deep = deep and (depth <= 1 or named.name in roots)
            if draft.left <= 0 or too_deep or (required and depth < style.depth):
                continue
            draft.left -= 1
            alias = f"{prefix}{name}: " if prefix else ""
            inner = Style(depth=style.depth, seed=style.seed, rich=style.rich)
            share = draft.left // (last - number) if deep else draft.left  # later ones get theirs
            kept = draft.left - max(share, _FEW)
            draft.left -= kept
            parts.append(self._field(name, entry, draft, inner, depth - 1, {}, alias))
            draft.left += kept
        return " ".join(parts)

    # ---- values ------------------------------------------------------------------------------------------

    def value(self, kind: GraphQLType, name: str, style: Style, *, holder: str = "", depth: int = 0) -> Any:
        """Return a value for an argument or an input field."""
        inner: Any = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        if isinstance(inner, GraphQLList):
            if isinstance(get_named_type(inner), GraphQLInputObjectType) and depth >= _INPUT_DEPTH:
                return []
            return [self.value(inner.of_type, name, style, holder=holder, depth=depth)]
        if isinstance(inner, GraphQLInputObjectType):
            return self._object(inner, style, depth)
        if isinstance(inner, GraphQLEnumType):
            options = list(inner.values)
            return options[hash32(f"{style.seed}|{name}") % len(options)]
        if inner.name == "ID":
            return self._keys(f"{holder}.{name}")
        if inner.name == "Int" and name in NAMES:
            return _PAGE if name in LIMITS or name == "last" else 1
        values = leaf_pool(inner, name, holder, style.seed)
        return values[hash32(f"{style.seed}|{holder}.{name}") % len(values)]

    def _object(self, inner: GraphQLInputObjectType, style: Style, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, entry in inner.fields.items():
            leaf = is_leaf_type(entry.type.of_type if isinstance(entry.type, GraphQLNonNull) else entry.type)
            identity = get_named_type(entry.type).name == "ID"
            if is_required_input_field(entry) or (style.rich and leaf and not identity):
                found[name] = self.value(entry.type, name, style, holder=inner.name, depth=depth + 1)
        if inner.is_one_of:
            name, entry = next(iter(inner.fields.items()))
            return {name: self.value(entry.type, name, style, holder=inner.name, depth=depth + 1)}
        if not found and inner.fields and depth < _INPUT_DEPTH:
            name, entry = next(iter(inner.fields.items()))
            if is_leaf_type(get_named_type(entry.type)):
                found[name] = self.value(entry.type, name, style, holder=inner.name, depth=depth + 1)
        return found
