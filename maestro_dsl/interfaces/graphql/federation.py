"""What Apollo Federation adds to a schema without declaring it: directives, scalars and two query fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from graphql import DirectiveDefinitionNode, FieldDefinitionNode, ObjectTypeDefinitionNode, parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphql import DefinitionNode

_SUPPORT: Final = """
directive @key(fields: _FieldSet!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE
directive @requires(fields: _FieldSet!) on FIELD_DEFINITION
directive @provides(fields: _FieldSet!) on FIELD_DEFINITION
directive @external(reason: String) on OBJECT | FIELD_DEFINITION
directive @extends on OBJECT | INTERFACE
directive @shareable repeatable on OBJECT | FIELD_DEFINITION
directive @inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR
  | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION
directive @override(from: String!, label: String) on FIELD_DEFINITION
directive @tag(name: String!) repeatable on FIELD_DEFINITION | INTERFACE | OBJECT | UNION
  | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION | SCHEMA
directive @composeDirective(name: String!) repeatable on SCHEMA
directive @interfaceObject on OBJECT
directive @authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @requiresScopes(scopes: [[_Scope!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @policy(policies: [[_Policy!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @link(url: String!, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
scalar _FieldSet
scalar _Scope
scalar _Policy
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
"""
_SERVICE: Final = "type _Service { sdl: String }"
_FIELDS: Final = "type Query { _service: _Service! }"
_ENTITIES: Final = "type Query { _entities(representations: [_Any!]!): [_Entity]! }"

_NAMES: Final = frozenset(
    {
        "key", "requires", "provides", "external", "extends", "shareable", "inaccessible", "override",
        "composeDirective", "interfaceObject", "link", "tag", "authenticated", "requiresScopes", "policy",
    }
)  # fmt: skip
_SURE: Final = _NAMES - {"tag", "authenticated", "policy", "link"}
"""Those that no schema outside a federation is likely to use undeclared."""


def is_federated(used: Iterable[str], declared: Iterable[str]) -> bool:
    """Return whether directives that are used but not declared show that a schema is a subgraph."""
    return bool((set(used) & _SURE) - set(declared))


def support(used: Iterable[str]) -> list[DefinitionNode]:
    """Return definitions of the `used` directives that a federation knows, and of their types."""
    wanted = {name.rpartition("__")[2] for name in used} & _NAMES
    found: list[DefinitionNode] = []
    needed = ""
    definitions = parse(_SUPPORT, no_location=True).definitions
    for item in definitions:
        if isinstance(item, DirectiveDefinitionNode) and item.name.value in wanted:
            found.append(item)
            needed += " ".join(_type_names(item)) + " "
    types = [item for item in definitions if not isinstance(item, DirectiveDefinitionNode)]
    return found + [item for item in types if item.name.value in needed.split()]  # type: ignore[attr-defined]


def _type_names(directive: DirectiveDefinitionNode) -> list[str]:
    names = []
    for argument in directive.arguments or ():
        node: Any = argument.type
        while not hasattr(node, "name"):
            node = node.type
        names.append(str(node.name.value))
    return names


def service_parts(entities: tuple[str, ...]) -> tuple[list[DefinitionNode], list[FieldDefinitionNode]]:
    """Return the types and the query fields of a subgraph whose types with keys are `entities`."""
    text, queries = _SERVICE, [_FIELDS]
    if entities:
        text += f" scalar _Any union _Entity = {' | '.join(entities)}"
        queries.append(_ENTITIES)
    fields: list[FieldDefinitionNode] = []
    for query in queries:
        holder = parse(query, no_location=True).definitions[0]
        if isinstance(holder, ObjectTypeDefinitionNode):
            fields += holder.fields or ()
    return list(parse(text, no_location=True).definitions), fields
