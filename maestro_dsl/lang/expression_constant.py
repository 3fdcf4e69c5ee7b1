"""Finds conditions that are always true or always false, whatever their names stand for.

Decides little, and never wrongly: literals, a part compared with itself, `x or true`, `x and false`, and a
comparison with a word that is none of an enumeration's. Reads no values of a plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jinja2 import nodes

from maestro_dsl.lang.expression_check import type_in
from maestro_dsl.lang.expressions import Expression, ExpressionError, evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.lang.expression_types import Type

_WITH_ITSELF: Final = {"eq": True, "lteq": True, "gteq": True, "ne": False, "lt": False, "gt": False}


def constant(expression: Expression, context: Mapping[str, Type]) -> tuple[bool, str | None] | None:
    """Return what a condition always is, with a reason where one helps, or None where it can be either.

    `expression` is free of mistakes over `context`.
    """
    if not expression.names:
        try:
            value = evaluate(expression, {})
        except ExpressionError:
            return None
        return (value, None) if isinstance(value, bool) else None
    folder = _Folder(expression, context)
    found = folder.fold(expression.tree)
    return None if found is None else (found, folder.reason)


class _Folder:
    """Folds one tree to true, false, or None for either."""

    def __init__(self, expression: Expression, context: Mapping[str, Type]) -> None:
        self._expression = expression
        self._context = context
        self.reason: str | None = None

    def fold(self, tree: nodes.Node) -> bool | None:
        """Return what `tree` always is."""
        match tree:
            case nodes.Const():
                return tree.value if isinstance(tree.value, bool) else None
            case nodes.Not():
                inner = self.fold(tree.node)
                return None if inner is None else not inner
            case nodes.And():
                return self._decided(tree, by=False)
            case nodes.Or():
                return self._decided(tree, by=True)
            case nodes.Compare() if len(tree.ops) == 1:
                return self._compared(tree.expr, tree.ops[0])
            case _:
                return None

    def _decided(self, tree: nodes.And | nodes.Or, *, by: bool) -> bool | None:
        """Fold `and` (decided by one false side) or `or` (by one true side)."""
        sides = (self.fold(tree.left), self.fold(tree.right))
        if by in sides:
            return by
        return None if None in sides else not by

    def _compared(self, left: nodes.Node, operand: nodes.Operand) -> bool | None:
        right = operand.expr
        if left == right:
            return _WITH_ITSELF.get(operand.op)
        if operand.op not in {"eq", "ne"}:
            return None
        for word, other in ((left, right), (right, left)):
            if isinstance(word, nodes.Const) and self._is_never(word.value, other):
                return operand.op == "ne"
        return None

    def _is_never(self, value: object, tree: nodes.Node) -> bool:
        if not isinstance(tree, (nodes.Name, nodes.Getattr, nodes.Getitem)):
            return False
        known = type_in(tree, self._expression, self._context).values
        if known is None or value is None or value in known:
            return False
        self.reason = f"{value!r} is none of: {', '.join(map(str, known))}"
        return True
