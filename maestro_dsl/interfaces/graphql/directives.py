"""Declares a directive that a schema uses and declares nowhere, from how it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from graphql import (
    DirectiveDefinitionNode,
    InputValueDefinitionNode,
    NamedTypeNode,
    NameNode,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

_LOCATIONS: Final = {
    "object_type_definition": "OBJECT",
    "field_definition": "FIELD_DEFINITION",
    "input_value_definition": "ARGUMENT_DEFINITION",
    "interface_type_definition": "INTERFACE",
    "union_type_definition": "UNION",
    "enum_type_definition": "ENUM",
    "enum_value_definition": "ENUM_VALUE",
    "input_object_type_definition": "INPUT_OBJECT",
    "scalar_type_definition": "SCALAR",
}
_KINDS: Final = {"int_value": "Int", "float_value": "Float", "boolean_value": "Boolean"}


def declared_for(name: str, places: Iterable[Any]) -> DirectiveDefinitionNode:
    """Return a declaration of the directive `name` that fits all nodes of `places`, which apply it."""
    locations: dict[str, None] = {}
    arguments: dict[str, str] = {}
    for node in places:
        locations[_LOCATIONS.get(node.kind, "SCHEMA")] = None
        if node.kind == "input_value_definition":
            locations["INPUT_FIELD_DEFINITION"] = None
        for applied in node.directives:
            if applied.name.value == name:
                for argument in applied.arguments or ():
                    kind = _KINDS.get(argument.value.kind, "String")
                    known = arguments.setdefault(argument.name.value, kind)
                    if known != kind:
                        arguments[argument.name.value] = "String"
    return DirectiveDefinitionNode(
        name=NameNode(value=name),
        arguments=tuple(_argument(key, kind) for key, kind in arguments.items()),
        repeatable=True,
        locations=tuple(NameNode(value=item) for item in locations or {"SCHEMA": None}),
    )


def _argument(name: str, kind: str) -> InputValueDefinitionNode:
    named = NamedTypeNode(name=NameNode(value=kind))
    return InputValueDefinitionNode(name=NameNode(value=name), type=named, directives=())
