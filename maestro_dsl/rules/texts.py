"""Every expression inside the parameters of a blueprint's nodes, with what is needed to point at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.compiler.check import strings_of
from maestro_dsl.lang.document import Document
from maestro_dsl.lang.expressions import Expression, Problem, parse_text
from maestro_dsl.lang.model import Blueprint, NodeSpec
from maestro_dsl.lang.sourcemap import Pointer
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from maestro_dsl.diagnostics import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeText:
    """One expression of one parameter; `offset` is where it begins in the string it stands in."""

    document: Document[Blueprint]
    node: NodeSpec
    pointer: Pointer
    """Below the node: ("with", "run", 2)."""
    offset: int
    expression: Expression

    def span(self, start: int, end: int) -> Span:
        """Return where a part of the expression stands in the file."""
        offsets = self.document.map.scalar_offsets(("nodes", self.node.id, *self.pointer))
        return offsets.span(self.offset + start, self.offset + end)


def node_texts(document: Document[Blueprint]) -> Iterator[NodeText]:
    """Yield the expressions of all nodes of a blueprint; those that do not parse were reported."""
    for node in document.value.nodes.values():
        if not node.params:
            continue
        for pointer, value in strings_of(dict(node.params), ("with",)):
            parsed = parse_text(value)
            if isinstance(parsed, Problem):
                continue
            for offset, expression in parsed.expressions:
                yield NodeText(
                    document=document, node=node, pointer=pointer, offset=offset, expression=expression
                )
