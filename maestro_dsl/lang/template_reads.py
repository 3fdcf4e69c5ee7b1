"""What a prompt template reads from its context, with places: found on the tree, nothing is rendered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jinja2 import TemplateSyntaxError, nodes
from jinja2.parser import Parser

from maestro_dsl.lang.expression_env import environment
from maestro_dsl.lang.expressions import word_at
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

_MANY: Final = ""
"""Stands for a name that is bound in more than one way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateRead:
    """A name with at most one field, and the word that matters: the field, or the name where there is none.

    `is_item` says that the name stands for one item of the list `path[0]`.
    """

    path: tuple[str, ...]
    start: int
    root: int
    """Where the name itself begins."""
    is_item: bool = False


def template_reads(source: str) -> tuple[TemplateRead, ...]:
    """Return what `source` reads from outside, in order; empty where it does not parse."""
    tree = _tree(source)
    if tree is None:
        return ()
    found = sorted(_reads(source, tree), key=lambda item: item.start)
    return tuple(dict.fromkeys(found))


def has_text(source: str) -> bool:
    """Return whether a template can say anything; a broken one is taken to."""
    tree = _tree(source)
    if tree is None:
        return True
    pieces = [node.data for node in tree.find_all(nodes.TemplateData)]
    outputs = (child for node in tree.find_all(nodes.Output) for child in node.nodes)
    return any(piece.strip() for piece in pieces) or any(
        not isinstance(child, nodes.TemplateData) for child in outputs
    )


def _tree(source: str) -> nodes.Template | None:
    try:
        return Parser(environment(), source).parse()
    except (TemplateSyntaxError, RecursionError):
        return None


def _reads(source: str, tree: nodes.Template) -> Iterator[TemplateRead]:
    bound = _bound(tree)
    fields: set[int] = set()
    for node in tree.find_all(nodes.Getattr):
        if not isinstance(node.node, nodes.Name):
            continue
        fields.add(id(node.node))
        start, _ = word_at(source, node.lineno)
        root, _ = word_at(source, node.node.lineno)
        name = node.node.name
        if name not in bound:
            yield TemplateRead(path=(name, node.attr), start=start, root=root)
        elif bound[name]:
            yield TemplateRead(path=(bound[name], node.attr), start=start, root=root, is_item=True)
    for name_node in tree.find_all(nodes.Name):
        if name_node.ctx == "load" and name_node.name not in bound and id(name_node) not in fields:
            start, _ = word_at(source, name_node.lineno)
            yield TemplateRead(path=(name_node.name,), start=start, root=start)


def _bound(tree: nodes.Template) -> dict[str, str]:
    """Return the names that the template binds itself; of a loop over a plain name, that name."""
    bound = {"loop": _MANY}
    for node in tree.find_all(nodes.Name):
        if node.ctx in {"store", "param"}:
            bound[node.name] = _MANY
    seen: set[str] = set()
    for loop in tree.find_all(nodes.For):
        if isinstance(loop.target, nodes.Name) and isinstance(loop.iter, nodes.Name):
            name, source = loop.target.name, loop.iter.name
            is_plain = source not in bound and (name not in seen or bound[name] == source)
            bound[name] = source if is_plain else _MANY
            seen.add(name)
    return bound
