"""Finds conditions that are always true or always false, whatever their names stand for.

Decides little, and never wrongly: literals, a part compared with itself, `x or true` and `x and false`. A
word that an enumeration never is, is told where it stands. Reads no values of a plan.
"""

from __future__ import annotations

from typing import Final

from jinja2 import nodes

from maestro_dsl.lang.expressions import Expression, ExpressionError, evaluate

_WITH_ITSELF: Final = {"eq": True, "lteq": True, "gteq": True, "ne": False, "lt": False, "gt": False}


def constant(expression: Expression) -> bool | None:
    """Return what a condition without mistakes always is, or None where it can be either."""
    if expression.names:
        return _folded(expression.tree)
    try:
        value = evaluate(expression, {})
    except ExpressionError:
        return None
    return value if isinstance(value, bool) else None


def _folded(tree: nodes.Node) -> bool | None:
    """Return what `tree` always is."""
    match tree:
        case nodes.Const():
            return tree.value if isinstance(tree.value, bool) else None
        case nodes.Not():
            inner = _folded(tree.node)
            return None if inner is None else not inner
        case nodes.And():
            return _decided(tree, by=False)
        case nodes.Or():
            return _decided(tree, by=True)
        case nodes.Compare() if len(tree.ops) == 1 and tree.expr == tree.ops[0].expr:
            return _WITH_ITSELF.get(tree.ops[0].op)
        case _:
            return None


def _decided(tree: nodes.And | nodes.Or, *, by: bool) -> bool | None:
    """Fold `and` (decided by one false side) or `or` (by one true side)."""
    sides = (_folded(tree.left), _folded(tree.right))
    if by in sides:
        return by
    return None if None in sides else not by
