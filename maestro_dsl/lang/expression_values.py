"""Which values can be compared, and comparisons of an enumeration with a word that it never is: seldom meant.

Knows what stands in the expression and the types of its parts; where something can be anything it is silent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from jinja2 import nodes

from maestro_dsl.lang.expression_parse import Problem, word_at
from maestro_dsl.lang.expression_types import NUMERIC, TypeKind
from maestro_dsl.lang.suggest import closest, guessed, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from maestro_dsl.lang.expression_types import Type
    from maestro_dsl.lang.model import Json

_PLAIN: Final = re.compile(r"[\w .:/+-]*")
"""Words that stand between quotes as they are, in an expression and in YAML."""


def ordered(left: Type, right: Type) -> bool:
    """Return whether one of two values can be less than the other."""
    kinds = {left.kind, right.kind}
    return TypeKind.HOLE in kinds or kinds <= NUMERIC or kinds == {TypeKind.STRING}


def comparable(left: Type, right: Type) -> bool:
    """Return whether two values can be equal."""
    kinds = {left.kind, right.kind}
    if len(kinds) == 1 or kinds & {TypeKind.HOLE, TypeKind.NULL} or kinds <= NUMERIC:
        return True
    return kinds <= {TypeKind.MAPPING, TypeKind.RECORD}


def never_equal(
    text: str, left: tuple[nodes.Node, Type], right: tuple[nodes.Node, Type], operator: str
) -> Iterator[Problem]:
    """Yield every word of a comparison in `text` that the enumeration on its other side does not hold."""
    if operator in {"eq", "ne"}:
        yield from _strangers(text, left, [right[0]])
        yield from _strangers(text, right, [left[0]])
    elif operator in {"in", "notin"} and isinstance(right[0], (nodes.List, nodes.Tuple)):
        yield from _strangers(text, left, right[0].items)


def name_of(tree: nodes.Node) -> str:
    """Return the names joined by dots that `tree` was read from, "it" for anything else."""
    if isinstance(tree, nodes.Name):
        return tree.name
    if isinstance(tree, nodes.Getattr):
        return f"{name_of(tree.node)}.{tree.attr}"
    return "it"


def _strangers(
    text: str, enumeration: tuple[nodes.Node, Type], words: Iterable[nodes.Node]
) -> Iterator[Problem]:
    tree, known = enumeration[0], enumeration[1].values
    if known is None or not isinstance(tree, (nodes.Name, nodes.Getattr, nodes.Getitem)):
        return
    for word in words:
        if isinstance(word, nodes.Const) and word.value is not None and word.value not in known:
            yield _stranger(text, name_of(tree), word, known)


def _stranger(text: str, name: str, word: nodes.Const, known: tuple[Json, ...]) -> Problem:
    start, end = word_at(text, word.lineno)
    is_bare = text[start + 1 : end - 1] == word.value
    if is_bare:  # between its quotes, which may be doubled or escaped in the file
        start, end = start + 1, end - 1
    texts = [item for item in known if isinstance(item, str)]
    meant = closest(word.value, texts) if isinstance(word.value, str) else None
    can_replace = is_bare and meant is not None and _PLAIN.fullmatch(meant) is not None
    return Problem(
        code="EXP004",
        start=start,
        end=end,
        message=f"{name} is never {word.value!r}",
        help=f"{guessed(meant)}it is one of: {listed([str(item) for item in known])}",
        word=meant if can_replace else None,
    )
