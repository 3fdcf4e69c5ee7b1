"""The value that a GraphQL schema file is read into; everything else of this package is made from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from graphql import GraphQLSchema, print_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphql import GraphQLField, GraphQLObjectType


@dataclass(frozen=True, kw_only=True)
class GraphApi:
    """A schema that can be served; `text` is what the file says, `is_federated` that it is a subgraph.

    Not slotted: what is derived from it is kept on it.
    """

    schema: GraphQLSchema = field(repr=False)
    text: str = field(repr=False)
    is_federated: bool = False

    @cached_property
    def sdl(self) -> str:
        """The schema as clean SDL: everything in it is declared, and it builds without findings."""
        return print_schema(self.schema)

    @cached_property
    def operations(self) -> tuple[str, ...]:
        """What can be asked, e.g. "query film"."""
        return tuple(f"{kind} {name}" for kind, root in self.roots() for name in root.fields)

    def roots(self) -> Iterator[tuple[str, GraphQLObjectType]]:
        """Yield the kinds of operation and the type that holds the fields of each."""
        schema = self.schema
        for kind, root in (
            ("query", schema.query_type),
            ("mutation", schema.mutation_type),
            ("subscription", schema.subscription_type),
        ):
            if root is not None:
                yield kind, root

    def root_field(self, operation: str) -> GraphQLField | None:
        """Return the field that "query film" names."""
        kind, _, name = operation.partition(" ")
        root = dict(self.roots()).get(kind)
        return None if root is None else root.fields.get(name)
