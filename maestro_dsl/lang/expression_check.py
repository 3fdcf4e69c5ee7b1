"""Static checks of expressions over a typed context: what is undefined, what has the wrong type.

Nothing is compiled or evaluated. Problems carry offsets inside the expression; the first mistake of a
sub-expression silences what would only follow from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from jinja2 import nodes

from maestro_dsl.lang.expression_filters import ACCEPTS, RESULTS, filter_result
from maestro_dsl.lang.expression_types import (
    BOOLEAN,
    HOLE,
    INTEGER,
    NULL,
    NUMBER,
    NUMERIC,
    STRING,
    Type,
    TypeKind,
    list_of,
    mapping_of,
    type_of,
    unify,
)
from maestro_dsl.lang.expression_values import comparable, name_of, never_equal, ordered
from maestro_dsl.lang.expressions import Expression, Problem, Text, word_at
from maestro_dsl.lang.suggest import closest
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from maestro_dsl.lang.model import Json

TypedContext: TypeAlias = Mapping[str, Type]

_IN_TEXT: Final = NUMERIC | {TypeKind.STRING, TypeKind.BOOLEAN, TypeKind.HOLE}


def check(expression: Expression, context: TypedContext) -> tuple[Type, tuple[Problem, ...]]:
    """Return the type of `expression` over `context`, and what is wrong with it."""
    checker = _Checker(text=expression.text, context=context)
    found = checker.infer(expression.tree)
    return found, tuple(checker.problems)


def check_condition(expression: Expression, context: TypedContext) -> tuple[Problem, ...]:
    """Return what is wrong with `expression` where true or false is needed."""
    found, problems = check(expression, context)
    if problems or found.kind in {TypeKind.BOOLEAN, TypeKind.HOLE}:
        return problems
    text = expression.text
    start = len(text) - len(text.lstrip())
    return (
        Problem(
            code="EXP003",
            start=start,
            end=len(text.rstrip()),
            message=f"a condition must be true or false; this is {article(found)}",
            help=_how_to_compare(found, text.strip()),
        ),
    )


def check_text(text: Text, context: TypedContext) -> tuple[Type, tuple[Problem, ...]]:
    """Return the type that `text` renders to and what is wrong with it; offsets are in the whole string."""
    problems: list[Problem] = []
    whole = text.whole
    result = STRING
    for offset, expression in text.expressions:
        found, wrong = check(expression, context)
        if not wrong and whole is None and found.kind not in _IN_TEXT:
            wrong = (_not_text(expression, found),)
        problems.extend(_shifted(item, offset) for item in wrong)
        result = found if whole is not None else STRING
    return (HOLE if problems else result), tuple(problems)


def _not_text(expression: Expression, found: Type) -> Problem:
    text = expression.text
    return Problem(
        code="EXP003",
        start=len(text) - len(text.lstrip()),
        end=len(text.rstrip()),
        message=f"{article(found)} cannot stand inside a text",
        help="use the filter join or tojson",
    )


def _shifted(problem: Problem, offset: int) -> Problem:
    return Problem(
        code=problem.code,
        start=problem.start + offset,
        end=problem.end + offset,
        message=problem.message,
        help=problem.help,
        word=problem.word,
    )


def article(found: Type) -> str:
    """Return a type as it stands in a sentence: "a string", "an integer", "null"."""
    name = str(found)
    if found.kind is TypeKind.NULL:
        return "null"
    if name.startswith(("a ", "an ", "the ")):
        return name
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _how_to_compare(found: Type, text: str) -> str:
    match found.kind:
        case TypeKind.STRING:
            return f"compare it, for example: {text} == 'value'"
        case TypeKind.INTEGER | TypeKind.NUMBER:
            return f"compare it, for example: {text} > 0"
        case TypeKind.LIST | TypeKind.MAPPING:
            return f"count it, for example: {text} | length > 0"
        case _:
            return f"test it, for example: {text} is not none"


@dataclass(slots=True)
class _Checker:
    """Walks one expression."""

    text: str
    context: TypedContext
    problems: list[Problem] = field(default_factory=list)
    asked: set[tuple[str, str]] = field(default_factory=set)
    """Whose key is there only perhaps, as the expression itself says."""

    def report(self, offset: int, code: str, message: str, hint: str | None = None) -> Type:
        start, end = word_at(self.text, offset)
        self.problems.append(Problem(code=code, start=start, end=end, message=message, help=hint))
        return HOLE

    def unknown(self, offset: int, code: str, message: str, name: str, known: Mapping[str, Type]) -> Type:
        """Report a name that is none of those known, with the one that was probably meant."""
        start, end = word_at(self.text, offset)
        meant = closest(name, known)
        quote = self.text[start : start + 1] if self.text[start : start + 1] in {"'", '"'} else ""
        word = f"{quote}{meant}{quote}" if meant is not None else None
        problem = Problem(
            code=code, start=start, end=end, message=message, help=_hint(meant, known), word=word
        )
        self.problems.append(problem)
        return HOLE

    def infer(self, tree: nodes.Node) -> Type:
        handler = _HANDLERS.get(type(tree))
        if handler is not None:
            return handler(self, tree)
        if isinstance(tree, nodes.BinExpr):
            return self.arithmetic(tree)
        return self.unary(tree) if isinstance(tree, nodes.UnaryExpr) else HOLE

    def typed(self, found: Type, offset: int, name: str) -> Type:
        if found.kind is TypeKind.UNTYPED:
            return self.report(offset, "EXP003", f"{name} has no type", "state its type where it is declared")
        return found

    def name(self, tree: nodes.Name) -> Type:
        found = self.context.get(tree.name)
        if found is None:
            message = f"{tree.name} is not defined here"
            return self.unknown(tree.lineno, "EXP002", message, tree.name, self.context)
        return self.typed(found, tree.lineno, tree.name)

    def attribute(self, tree: nodes.Getattr) -> Type:
        return self.field_of(self.infer(tree.node), tree.attr, tree.lineno, tree.node)

    def field_of(self, owner: Type, key: str, offset: int, tree: nodes.Node) -> Type:
        if owner.kind is TypeKind.HOLE:
            return HOLE
        if owner.kind is TypeKind.MAPPING and owner.item is not None:
            return self.typed(owner.item, offset, key)
        if owner.kind is TypeKind.RECORD and owner.fields is not None:
            found = owner.fields.get(key)
            if found is not None:
                return self.typed(found, offset, key)
            if owner.is_open and (name_of(tree), key) in self.asked:
                return HOLE
            if isinstance(tree, nodes.Name) and tree.name == "nodes":
                message = f"{key} is no node of this blueprint"
                return self.unknown(offset, "REF001", message, key, owner.fields)
            whose = f" in {name_of(tree)}"
            return self.unknown(offset, "EXP002", f"{key} is not defined{whose}", key, owner.fields)
        return self.report(offset, "EXP003", f"{article(owner)} has no field {key}")

    def item(self, tree: nodes.Getitem) -> Type:
        owner = self.infer(tree.node)
        if isinstance(tree.arg, nodes.Slice):
            return self.slice(owner, tree.arg, tree.node.lineno)
        if isinstance(tree.arg, nodes.Const) and isinstance(tree.arg.value, str):
            return self.field_of(owner, tree.arg.value, tree.lineno, tree.node)
        index = self.infer(tree.arg)
        if TypeKind.HOLE in {owner.kind, index.kind}:
            return HOLE
        if owner.kind is TypeKind.RECORD and owner.fields is not None:
            return unify(owner.fields.values())
        wanted = TypeKind.INTEGER if owner.kind in {TypeKind.LIST, TypeKind.STRING} else TypeKind.STRING
        if index.kind is not wanted:
            return self.report(tree.lineno, "EXP003", f"{article(owner)} is read by {wanted}, not by {index}")
        if owner.kind is TypeKind.STRING:
            return STRING
        if owner.item is None:
            return self.report(tree.lineno, "EXP003", f"{article(owner)} has no items")
        return self.typed(owner.item, tree.lineno, "the item")

    def slice(self, owner: Type, tree: nodes.Slice, place: int) -> Type:
        for part in (tree.start, tree.stop, tree.step):
            found = INTEGER if part is None else self.infer(part)
            if part is not None and found.kind not in {TypeKind.INTEGER, TypeKind.HOLE}:
                return self.report(part.lineno, "EXP003", f"a slice takes integers, not {article(found)}")
        if owner.kind not in {TypeKind.LIST, TypeKind.STRING, TypeKind.HOLE}:
            return self.report(place, "EXP003", f"{article(owner)} cannot be cut into slices")
        return replace(owner, values=None)

    def literal(self, tree: nodes.List | nodes.Tuple) -> Type:
        return list_of(unify([self.infer(item) for item in tree.items]))

    def mapping(self, tree: nodes.Dict) -> Type:
        fields: dict[str, Type] = {}
        loose = False
        for pair in tree.items:
            value = self.infer(pair.value)
            if isinstance(pair.key, nodes.Const) and isinstance(pair.key.value, str):
                fields[pair.key.value] = value
            else:
                self.infer(pair.key)
                loose = True
        if loose:
            return mapping_of(unify(fields.values()))
        return Type(kind=TypeKind.RECORD, fields=fields)

    def compare(self, tree: nodes.Compare) -> Type:
        before, left = tree.expr, self.infer(tree.expr)
        for operand in tree.ops:
            right = self.infer(operand.expr)
            if operand.op in {"lt", "lteq", "gt", "gteq"} and not ordered(left, right):
                self.report(
                    tree.lineno,
                    "EXP003",
                    f"{article(left)} and {article(right)} have no order between them",
                )
            elif operand.op in {"eq", "ne"} and not comparable(left, right):
                self.report(tree.lineno, "EXP003", f"{article(left)} never equals {article(right)}")
            elif operand.op in {"in", "notin"} and right.kind not in _CONTAINERS:
                self.report(operand.expr.lineno, "EXP003", f"{article(right)} contains nothing")
            else:
                sides = (before, left), (operand.expr, right)
                self.problems.extend(never_equal(self.text, *sides, operand.op))
            before, left = operand.expr, right
        return BOOLEAN

    def logic(self, tree: nodes.And | nodes.Or) -> Type:
        return unify([self.operand(tree.left), self.operand(tree.right)])

    def negation(self, tree: nodes.Not) -> Type:
        self.operand(tree.node)
        return BOOLEAN

    def operand(self, tree: nodes.Node) -> Type:
        found = self.infer(tree)
        if found.kind in {TypeKind.BOOLEAN, TypeKind.HOLE}:
            return found
        return self.report(
            tree.lineno, "EXP003", f"and, or, not take true or false; this is {article(found)}"
        )

    def conditional(self, tree: nodes.CondExpr) -> Type:
        self.operand(tree.test)
        chosen = [self.infer(tree.expr1)]
        if tree.expr2 is not None:
            chosen.append(self.infer(tree.expr2))
        found = unify(chosen)
        if found.kind is TypeKind.UNTYPED:
            return self.report(tree.lineno, "EXP003", "both sides of if … else must have one type")
        return found

    def arithmetic(self, tree: nodes.BinExpr) -> Type:
        left, right = self.infer(tree.left), self.infer(tree.right)
        if TypeKind.HOLE in {left.kind, right.kind}:
            return HOLE
        if left.kind in NUMERIC and right.kind in NUMERIC:
            both = left.kind is TypeKind.INTEGER and right.kind is TypeKind.INTEGER
            return INTEGER if both and tree.operator not in {"/", "**"} else NUMBER
        joinable = {TypeKind.STRING, TypeKind.LIST}
        if tree.operator == "+" and left.kind is right.kind and left.kind in joinable:
            return unify([left, right])
        hint = "join texts with ~" if TypeKind.STRING in {left.kind, right.kind} else None
        message = f"{tree.operator} takes numbers, not {article(left)} and {article(right)}"
        return self.report(tree.lineno, "EXP003", message, hint)

    def unary(self, tree: nodes.UnaryExpr) -> Type:
        found = self.infer(tree.node)
        if found.kind in NUMERIC or found.kind is TypeKind.HOLE:
            return found
        return self.report(tree.lineno, "EXP003", f"{tree.operator} takes a number, not {article(found)}")

    def concat(self, tree: nodes.Concat) -> Type:
        for part in tree.nodes:
            found = self.infer(part)
            if found.kind not in _IN_TEXT:
                self.report(part.lineno, "EXP003", f"{article(found)} cannot stand inside a text")
        return STRING

    def filtered(self, tree: nodes.Filter) -> Type:
        is_default = tree.name in {"default", "d"}
        value = (
            HOLE if tree.node is None else self.perhaps(tree.node) if is_default else self.infer(tree.node)
        )
        arguments = [self.infer(argument) for argument in tree.args]
        named: dict[str, nodes.Expr] = {str(item.key): item.value for item in tree.kwargs}
        for keyword in tree.kwargs:
            self.infer(keyword.value)
        if value.kind is TypeKind.HOLE:
            return RESULTS.get(tree.name, HOLE)
        accepted = ACCEPTS.get(tree.name)
        if accepted is not None and value.kind not in accepted:
            kinds = " or ".join(sorted(str(kind) for kind in accepted))
            return self.report(
                tree.lineno, "EXP003", f"the filter {tree.name} takes a {kinds}, not {article(value)}"
            )
        return filter_result(tree, value, arguments, named)

    def tested(self, tree: nodes.Test) -> Type:
        if tree.name in {"defined", "undefined"}:
            self.perhaps(tree.node)
        else:
            self.infer(tree.node)
        for argument in tree.args:
            self.infer(argument)
        return BOOLEAN

    def perhaps(self, tree: nodes.Node) -> Type:
        """Return the type of what need not be there; HOLE where this plan does not have it."""
        if isinstance(tree, nodes.Getattr):
            key = tree.attr
        elif isinstance(tree, nodes.Getitem) and isinstance(tree.arg, nodes.Const):
            key = tree.arg.value
        else:
            return self.infer(tree)
        before = len(self.problems)
        owner = self.infer(tree.node)
        if owner.kind is TypeKind.HOLE:
            return HOLE
        if owner.is_open:
            self.asked.add((name_of(tree.node), key))
        del self.problems[before:]
        return self.infer(tree)

    def called(self, tree: nodes.Call) -> Type:
        for argument in tree.args:
            found = self.infer(argument)
            if found.kind not in {TypeKind.INTEGER, TypeKind.HOLE}:
                self.report(argument.lineno, "EXP003", f"range takes integers, not {article(found)}")
        return list_of(INTEGER)


_CONTAINERS: Final = frozenset(
    {TypeKind.STRING, TypeKind.LIST, TypeKind.MAPPING, TypeKind.RECORD, TypeKind.HOLE}
)


def _constant(_: _Checker, tree: nodes.Const) -> Type:
    value: Json = tree.value
    return NULL if value is None else type_of(value)


_HANDLERS: Final[Mapping[type[nodes.Node], Callable[[_Checker, Any], Type]]] = {
    nodes.Const: _constant,
    nodes.Name: _Checker.name,
    nodes.Getattr: _Checker.attribute,
    nodes.Getitem: _Checker.item,
    nodes.List: _Checker.literal,
    nodes.Tuple: _Checker.literal,
    nodes.Dict: _Checker.mapping,
    nodes.Compare: _Checker.compare,
    nodes.And: _Checker.logic,
    nodes.Or: _Checker.logic,
    nodes.Not: _Checker.negation,
    nodes.CondExpr: _Checker.conditional,
    nodes.Concat: _Checker.concat,
    nodes.Filter: _Checker.filtered,
    nodes.Test: _Checker.tested,
    nodes.Call: _Checker.called,
}


def _hint(meant: str | None, known: Mapping[str, Type]) -> str | None:
    guess = f"did you mean {meant}? " if meant is not None else ""
    listed = f"known here: {', '.join(list(known)[:12])}" if known else ""
    return f"{guess}{listed}".strip() or None
