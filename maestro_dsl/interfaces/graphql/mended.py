"""Definitions of SDL by name while they are mended, and how their nodes are made and changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DirectiveDefinitionNode,
    DocumentNode,
    FieldDefinitionNode,
    NamedTypeNode,
    NameNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
)


@dataclass(slots=True)
class Mended:
    """Definitions by name in the order of the file, and the root types by kind of operation."""

    types: dict[str, Any] = field(default_factory=dict)
    directives: dict[str, DirectiveDefinitionNode] = field(default_factory=dict)
    roots: dict[str, str] = field(default_factory=dict)
    lost_roots: list[NamedTypeNode] = field(default_factory=list)
    is_federated: bool = False

    def document(self) -> DocumentNode:
        """Return the definitions as one document."""
        return DocumentNode(definitions=(*self.directives.values(), *self.types.values()))


def put(node: Any, part: str, value: object) -> None:
    """Change a node in place: nodes are frozen, but this tree was parsed a moment ago and is ours alone."""
    object.__setattr__(node, part, value)


def named_type(node: Any) -> NamedTypeNode:
    """Return the type that a type is a list of, or never null of, in the end."""
    while not isinstance(node, NamedTypeNode):
        node = node.type
    return node


def scalar(name: str) -> ScalarTypeDefinitionNode:
    """Return the definition of a scalar."""
    return ScalarTypeDefinitionNode(name=NameNode(value=name), directives=())


def object_with_id(name: str) -> ObjectTypeDefinitionNode:
    """Return the definition of a type that has an id and no more."""
    identity = NonNullTypeNode(type=NamedTypeNode(name=NameNode(value="ID")))
    entry = FieldDefinitionNode(name=NameNode(value="id"), arguments=(), type=identity, directives=())
    return ObjectTypeDefinitionNode(name=NameNode(value=name), fields=(entry,), interfaces=(), directives=())
