"""Holds an answer against the schema and the query that it answers: shape, types, nulls, names of types.

Judges one answer only; what several mean together is for `journey`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    NamedTypeNode,
    OperationDefinitionNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    parse,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from graphql import DocumentNode, GraphQLSchema

_MOST: Final = 5
_MAX_INT: Final = 2**31
_META: Final = frozenset({"__schema", "__type"})


def faults(
    schema: GraphQLSchema,
    query: str | DocumentNode,
    data: Any,
    variables: Mapping[str, Any] | None = None,
    operation_name: str | None = None,
) -> list[str]:
    """Return what is wrong with the `data` of an answer to a valid `query`; at most a few sentences."""
    document = parse(query) if isinstance(query, str) else query
    judge = _Judge(schema, document, variables or {})
    operation = next(
        (
            item
            for item in document.definitions
            if isinstance(item, OperationDefinitionNode)
            and (operation_name is None or (item.name is not None and item.name.value == operation_name))
        ),
        None,
    )
    if operation is None:
        return ["the query has no such operation"]
    root = getattr(schema, f"{operation.operation.value}_type")
    if not isinstance(data, dict):
        return [f'"data" is {_said(data)}, not an object']
    judge.object(data, [operation.selection_set], root, "")
    return judge.found[:_MOST]


class _Judge:
    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self.found: list[str] = []
        self._schema = schema
        self._variables: Any = dict(variables)
        self._fragments = {
            item.name.value: item for item in document.definitions if isinstance(item, FragmentDefinitionNode)
        }

    def object(self, data: dict[str, Any], selections: list[Any], holder: Any, path: str) -> None:
        """Judge an object against what was selected of it."""
        named = self._runtime(data, selections, holder, path)
        asked: dict[str, list[FieldNode]] = {}
        for item in self._collected(selections, named, set()):
            asked.setdefault((item.alias or item.name).value, []).append(item)
        for key, items in asked.items():
            if len(self.found) >= _MOST:
                return
            where = f"{path}.{key}" if path else key
            self._field(data, key, items, named, where)
        sure = not is_abstract_type(named)
        for key in data if sure else ():
            if key not in asked:
                self.found.append(f"{f'{path}.{key}' if path else key} was not asked for")

    def _field(self, data: dict[str, Any], key: str, items: list[FieldNode], named: Any, where: str) -> None:
        name = items[0].name.value
        if name in _META:
            return
        if name == "__typename":
            if key not in data:
                self.found.append(f"{where} is missing")
            return
        entry = getattr(named, "fields", {}).get(name)
        if entry is None:
            return
        if key not in data:
            if not is_abstract_type(named):
                self.found.append(f"{where} is missing")
            return
        inner = [item.selection_set for item in items if item.selection_set is not None]
        self._value(data[key], entry.type, inner, where)

    def _runtime(self, data: dict[str, Any], selections: list[Any], holder: Any, path: str) -> Any:
        """Return the type that an object says it has, as far as it may have it."""
        keys = [
            (item.alias or item.name).value
            for selection in selections
            for item in selection.selections
            if isinstance(item, FieldNode) and item.name.value == "__typename"
        ]
        told = next((data[key] for key in keys if key in data), None)
        if told is None:
            return holder
        allowed = self._schema.get_possible_types(holder) if is_abstract_type(holder) else [holder]
        found = next((item for item in allowed if item.name == told), None)
        if found is None:
            self.found.append(f'{path or "the answer"} says its type is "{told}", which it cannot be')
            return holder
        return found

    def _collected(self, selections: list[Any], named: Any, seen: set[str]) -> Iterator[FieldNode]:
        for selection in selections:
            for item in selection.selections:
                if not self._is_wanted(item):
                    continue
                if isinstance(item, FieldNode):
                    yield item
                    continue
                if isinstance(item, FragmentSpreadNode):
                    fragment = self._fragments.get(item.name.value)
                    if fragment is None or item.name.value in seen:
                        continue
                    seen.add(item.name.value)
                    applies, inner = self._applies(fragment.type_condition, named), fragment.selection_set
                else:
                    applies, inner = self._applies(item.type_condition, named), item.selection_set
                if applies:
                    yield from self._collected([inner], named, seen)

    def _is_wanted(self, item: Any) -> bool:
        """Return whether `@skip` and `@include` let a selection through."""
        for applied in item.directives or ():
            if applied.name.value in {"skip", "include"} and applied.arguments:
                value = applied.arguments[0].value
                told = (
                    self._variables.get(value.name.value) if isinstance(value, VariableNode) else value.value
                )
                if bool(told) is (applied.name.value == "skip"):
                    return False
        return True

    def _applies(self, condition: NamedTypeNode | None, named: Any) -> bool:
        """Return whether a fragment on the type of `condition` tells something of a `named`."""
        if condition is None:
            return True
        wanted = self._schema.type_map.get(condition.name.value)
        if is_abstract_type(wanted) and isinstance(named, GraphQLObjectType):
            return self._schema.is_sub_type(wanted, named)
        return wanted is not None and wanted is named

    def _value(self, value: Any, kind: Any, selections: list[Any], where: str) -> None:
        if len(self.found) >= _MOST:
            return
        if isinstance(kind, GraphQLNonNull):
            if value is None:
                self.found.append(f"{where} is null, but the contract says {kind}")
                return
            kind = kind.of_type
        if value is None:
            return
        if isinstance(kind, GraphQLList):
            if not isinstance(value, list):
                self.found.append(f"{where} is {_said(value)}, not a list")
                return
            for index, item in enumerate(value):
                self._value(item, kind.of_type, selections, f"{where}[{index}]")
        else:
            self._single(value, kind, selections, where)

    def _single(self, value: Any, kind: Any, selections: list[Any], where: str) -> None:
        if is_leaf_type(kind):
            if not _is_leaf_value(value, kind):
                self.found.append(f"{where} is {_said(value)}, which is no {kind.name}")
        elif isinstance(value, dict):
            self.object(value, selections, get_named_type(kind), where)
        else:
            self.found.append(f"{where} is {_said(value)}, not an object")


def _is_leaf_value(value: Any, kind: Any) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if isinstance(kind, GraphQLEnumType):
        return isinstance(value, str) and value in kind.values
    if kind.name == "Int":
        return is_number and float(value).is_integer() and abs(value) <= _MAX_INT
    if kind.name == "Float":
        return is_number
    if kind.name == "Boolean":
        return isinstance(value, bool)
    return isinstance(value, str) if kind.name in {"String", "ID"} else True


def _said(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + '…"'  # noqa: PLR2004 - fits a line
