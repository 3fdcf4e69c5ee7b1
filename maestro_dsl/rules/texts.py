"""Every expression inside the parameters of a blueprint's nodes, with what is needed to point at it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from maestro_dsl.compiler.check import strings_of
from maestro_dsl.lang.alike import alike
from maestro_dsl.lang.document import Document
from maestro_dsl.lang.expressions import Expression, Problem, parse_text
from maestro_dsl.lang.model import Blueprint, Json, NodeSpec
from maestro_dsl.lang.sourcemap import Pointer
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from maestro_dsl.diagnostics import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeText:
    """One expression of one parameter; `offset` is where it begins in the string it stands in."""

    pointer: Pointer
    """Below the node: ("with", "run", 2)."""
    offset: int
    expression: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeTexts:
    """The expressions in the parameters of `nodes`, whose actions and parameters are equal."""

    document: Document[Blueprint]
    action: str
    params: Mapping[str, Json]
    nodes: tuple[NodeSpec, ...]
    texts: tuple[NodeText, ...]

    def spans(self, text: NodeText, start: int, end: int) -> Iterator[Span]:
        """Yield where a part of an expression stands in the file, once for each node."""
        for node in self.nodes:
            offsets = self.document.map.scalar_offsets(("nodes", node.id, *text.pointer))
            yield offsets.span(text.offset + start, text.offset + end)


def node_texts(document: Document[Blueprint]) -> Iterator[NodeTexts]:
    """Yield the expressions of all nodes of a blueprint; those that do not parse were reported."""
    groups: dict[int, list[NodeSpec]] = {}
    for node, number in zip(document.value.nodes.values(), alike(document), strict=True):
        if node.params:
            groups.setdefault(number, []).append(node)
    for nodes in groups.values():
        texts = tuple(_texts_of(nodes[0].params))
        if texts:
            yield NodeTexts(
                document=document,
                action=nodes[0].action,
                params=nodes[0].params,
                nodes=tuple(nodes),
                texts=texts,
            )


def _texts_of(params: Mapping[str, Json]) -> Iterator[NodeText]:
    for pointer, value in strings_of(dict(params), ("with",)):
        parsed = parse_text(value)
        if not isinstance(parsed, Problem):
            for offset, expression in parsed.expressions:
                yield NodeText(pointer=pointer, offset=offset, expression=expression)
