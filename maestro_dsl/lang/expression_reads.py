"""What an expression reads: each path of names, with its place, and whether it comes out as text.

Types are `expression_check`'s business; here only the way from a value to the result counts.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from jinja2 import nodes

from maestro_dsl.lang.expression_parse import walk
from maestro_dsl.lang.expressions import Expression, parse, word_at
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

_NUMBERS: Final = frozenset({"abs", "count", "float", "int", "length", "round", "sum"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One path that is read, as `inputs.name` is ("inputs", "name"); `start` and `end` are of its last word.

    `is_text` is False where only a number or a truth value can come of it. A step that is not known before
    it is evaluated stands as "".
    """

    path: tuple[str, ...]
    start: int
    end: int
    is_text: bool


def reads_of(expression: Expression) -> tuple[Read, ...]:
    """Return everything that `expression` reads."""
    return _reads(expression.text)


@lru_cache(maxsize=8192)
def _reads(text: str) -> tuple[Read, ...]:
    parsed = parse(text)  # known already: asked by its text, an expression is walked once
    return tuple(_visit(text, parsed.tree, is_text=True)) if isinstance(parsed, Expression) else ()


def names_of(expression: Expression) -> tuple[Read, ...]:
    """Return every step of every path that `expression` reads: for `a.b.c` the places of a, b and c."""
    found = []
    for tree in walk(expression.tree):
        path = _path(tree)
        if path:
            start, end = word_at(expression.text, tree.lineno)
            found.append(Read(path=path, start=start, end=end, is_text=False))
    return tuple(found)


def _visit(text: str, tree: nodes.Node, *, is_text: bool) -> Iterator[Read]:
    path = _path(tree)
    if path:
        start, end = word_at(text, tree.lineno)
        yield Read(path=path, start=start, end=end, is_text=is_text)
        yield from _indexes(text, tree)
        return
    if isinstance(tree, nodes.CondExpr):
        yield from _visit(text, tree.test, is_text=False)
        for branch in (tree.expr1, tree.expr2):
            if branch is not None:
                yield from _visit(text, branch, is_text=is_text)
        return
    is_judged = isinstance(tree, (nodes.Compare, nodes.Test, nodes.Not))
    is_counted = isinstance(tree, nodes.Filter) and tree.name in _NUMBERS
    for child in tree.iter_child_nodes():
        yield from _visit(text, child, is_text=is_text and not is_judged and not is_counted)


def _path(tree: nodes.Node) -> tuple[str, ...]:
    if isinstance(tree, nodes.Name):
        return (tree.name,)
    if isinstance(tree, (nodes.Getattr, nodes.Getitem)):
        before = _path(tree.node)
        return (*before, _step(tree)) if before else ()
    return ()


def _step(tree: nodes.Getattr | nodes.Getitem) -> str:
    if isinstance(tree, nodes.Getattr):
        return tree.attr
    is_key = isinstance(tree.arg, nodes.Const) and isinstance(tree.arg.value, str)
    return str(tree.arg.value) if is_key and isinstance(tree.arg, nodes.Const) else ""


def _indexes(text: str, tree: nodes.Node) -> Iterator[Read]:
    """Yield what the steps of a path read that are expressions themselves."""
    while isinstance(tree, (nodes.Getattr, nodes.Getitem)):
        if isinstance(tree, nodes.Getitem) and not isinstance(tree.arg, nodes.Const):
            yield from _visit(text, tree.arg, is_text=False)
        tree = tree.node
