"""Parses expressions and texts into values with positions; a mistake comes back as a `Problem`.

Only the form is judged here: syntax, allow-listed filters and tests, no names that start with `_`, no calls.
Types are checked in `expression_check`, values come from `expressions`.
"""

from __future__ import annotations

import re
from dataclasses import field
from functools import lru_cache
from typing import Final

from jinja2 import TemplateSyntaxError, nodes
from jinja2.parser import Parser

from maestro_dsl.lang.expression_env import FILTERS, TESTS, environment, same_length_newlines
from maestro_dsl.lang.suggest import closest
from maestro_dsl.records import dataclass

MAX_LENGTH: Final = 4096
"""Longest expression, in characters."""
MAX_DEPTH: Final = 40
EMPTY_SUBSCRIPT: Final = "nothing stands between [ and ]"
OPEN: Final = "{{"
_WORD = re.compile(r"""\w+|'[^'\n]*'|"[^"\n]*\"""")
_WHOLE = re.compile(r"\s*\{\{(.*)\}\}\s*", re.DOTALL)

_ALLOWED: Final = (
    nodes.Const, nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.List, nodes.Tuple, nodes.Dict,
    nodes.Pair, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.BinExpr, nodes.UnaryExpr,
    nodes.Concat, nodes.CondExpr, nodes.Filter, nodes.Test, nodes.Call, nodes.Keyword,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A mistake in an expression; `start` and `end` are character offsets in the text it stands in.

    `replacement` is what the whole text should be, where that is certain; `word` is what probably should
    stand from `start` to `end`.
    """

    code: str
    start: int
    end: int
    message: str
    help: str | None = None
    replacement: str | None = None
    word: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A parsed expression. `path` is set where it is names joined by dots, the most common kind."""

    text: str
    tree: nodes.Expr = field(compare=False, repr=False)
    names: frozenset[str]
    """The names it reads from its context."""
    node_ids: tuple[str, ...] = ()
    """The ids in `nodes.<id>…`, in order of appearance."""
    path: tuple[str, ...] = ()

    @property
    def at_run_time(self) -> bool:
        """True where it reads outputs of nodes, which are not known before the run."""
        return "nodes" in self.names


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A string with expressions in it: plain pieces, and expressions with their offset in the string."""

    text: str
    parts: tuple[str | tuple[int, Expression], ...]
    whole: Expression | None = None
    """The expression that is the whole string, whose value keeps its type."""

    expressions: tuple[tuple[int, Expression], ...] = field(init=False, compare=False, repr=False)
    """The expressions with their offsets."""
    at_run_time: bool = field(init=False, compare=False, repr=False)
    """True where it reads outputs of nodes."""

    def __post_init__(self) -> None:
        """Find out once what is asked for each node that holds this text."""
        found = tuple(part for part in self.parts if not isinstance(part, str))
        object.__setattr__(self, "expressions", found)
        object.__setattr__(self, "at_run_time", any(expression.at_run_time for _, expression in found))


@lru_cache(maxsize=8192)
def parse(text: str) -> Expression | Problem:
    """Parse a bare expression, or say what is wrong with it."""
    stripped = text.strip()
    start = text.find(stripped[:1]) if stripped else 0
    if stripped.startswith(OPEN):
        inner = _WHOLE.fullmatch(text)
        return Problem(
            code="EXP005",
            start=start,
            end=start + len(stripped),
            message="an expression already stands here; {{ }} is for text",
            help="write the expression without braces",
            replacement=inner.group(1).strip() if inner and "}}" not in inner.group(1) else None,
        )
    if not stripped:
        return Problem(code="EXP001", start=0, end=len(text), message="an expression is expected here")
    if len(text) > MAX_LENGTH:
        return _problem(text, 0, f"an expression may have {MAX_LENGTH:,} characters")
    try:
        parser = Parser(environment(), text, state="variable")
        tree = parser.parse_expression()
        require_end(parser)
        return _parsed(text, tree)
    except TemplateSyntaxError as error:
        from maestro_dsl.lang.expression_words import explained  # most expressions are sound

        return explained(text, error)
    except RecursionError:
        return _problem(text, start, "the expression is nested too deeply")


def require_end(parser: Parser) -> None:
    """Complain, as the parser does, where something stands behind a whole expression."""
    if not parser.stream.eos:
        raise TemplateSyntaxError("expected token 'end'", parser.stream.current.lineno)


def _parsed(text: str, tree: nodes.Expr) -> Expression | Problem:
    if len(text) > MAX_LENGTH:
        return _problem(text, 0, f"an expression may have {MAX_LENGTH:,} characters")
    wrong = _shape(text, tree, 0)
    if wrong is not None:
        return wrong
    names = [node for node in walk(tree) if isinstance(node, nodes.Name)]
    return Expression(
        text=text,
        tree=tree,
        names=frozenset(node.name for node in names),
        node_ids=tuple(dict.fromkeys(filter(None, map(_node_id, walk(tree))))),
        path=_path(tree),
    )


def walk(tree: nodes.Node) -> list[nodes.Node]:
    """Return a tree's nodes, the root first."""
    return [tree, *tree.find_all(nodes.Node)]


def _path(tree: nodes.Node) -> tuple[str, ...]:
    if isinstance(tree, nodes.Name):
        return (tree.name,)
    if isinstance(tree, nodes.Getattr):
        before = _path(tree.node)
        return (*before, tree.attr) if before else ()
    return ()


def _node_id(tree: nodes.Node) -> str | None:
    if isinstance(tree, nodes.Getattr) and isinstance(tree.node, nodes.Name) and tree.node.name == "nodes":
        return tree.attr
    if isinstance(tree, nodes.Getitem) and isinstance(tree.node, nodes.Name) and tree.node.name == "nodes":
        return tree.arg.value if isinstance(tree.arg, nodes.Const) else None
    return None


def word_at(text: str, offset: int) -> tuple[int, int]:
    """Return the range of the word at `offset` or just behind a dot there; at least one character."""
    start = offset
    while start < len(text) and text[start] in ". \n\t[":
        start += 1
    match = _WORD.match(text, start)
    return (start, match.end()) if match else (offset, offset + 1)


def _problem(
    text: str, offset: int, message: str, *, code: str = "EXP001", hint: str | None = None
) -> Problem:
    if offset >= len(text.rstrip()):
        end = len(text.rstrip())
        return Problem(code=code, start=max(0, end - 1), end=end, message=message, help=hint)
    start, end = word_at(text, offset)
    return Problem(code=code, start=start, end=end, message=message, help=hint)


def _shape(text: str, tree: nodes.Node, depth: int) -> Problem | None:
    if depth > MAX_DEPTH:
        return _problem(text, tree.lineno, "the expression is nested too deeply")
    wrong = _shape_here(text, tree)
    if wrong is not None:
        return wrong
    for child in tree.iter_child_nodes():
        wrong = _shape(text, child, depth + 1)
        if wrong is not None:
            return wrong
    return None


def _shape_here(text: str, tree: nodes.Node) -> Problem | None:
    if not isinstance(tree, _ALLOWED):
        return _problem(text, tree.lineno, "this is not part of the expression language")
    if isinstance(tree, nodes.Getattr) and tree.attr.startswith("_"):
        return _problem(text, tree.lineno, f"names that start with _ cannot be read: {tree.attr}")
    if isinstance(tree, nodes.Name) and tree.name.startswith("_"):
        return _problem(text, tree.lineno, f"names that start with _ cannot be read: {tree.name}")
    if isinstance(tree, (nodes.Filter, nodes.Test)):
        return unknown_word(text, tree)
    if is_empty_subscript(tree):
        return _problem(text, tree.lineno, EMPTY_SUBSCRIPT, hint="write a key or a number between [ and ]")
    if isinstance(tree, nodes.Call) and not (isinstance(tree.node, nodes.Name) and tree.node.name == "range"):
        return _problem(
            text, _leftmost(tree), "only range(…) can be called", hint="use a filter: value | filter"
        )
    return None


def _leftmost(tree: nodes.Node) -> int:
    return min(node.lineno for node in walk(tree))


def is_empty_subscript(tree: nodes.Node) -> bool:
    """Return whether `tree` is `value[]`."""
    return isinstance(tree, nodes.Getitem) and isinstance(tree.arg, nodes.Tuple) and not tree.arg.items


def unknown_word(text: str, tree: nodes.Filter | nodes.Test) -> Problem | None:
    """Return what is wrong with the name of a filter or a test, if anything."""
    what, known = ("filter", FILTERS) if isinstance(tree, nodes.Filter) else ("test", TESTS)
    if tree.name in known or not tree.name[:1].isidentifier():
        return None  # a comparison is a test called == where it stands in `select`
    offset = tree.lineno
    if isinstance(tree, nodes.Test):  # its position is the word `is`
        offset = max(text.find(tree.name, offset + 2), offset)
    similar = closest(tree.name, known)
    guess = f"did you mean {similar}? " if similar else ""
    hint = f"{guess}{what}s: {', '.join(known)}"
    return _problem(text, offset, f"there is no {what} {tree.name}", hint=hint)


# ---- texts -----------------------------------------------------------------------------------------------


@lru_cache(maxsize=8192)
def parse_text(text: str) -> Text | Problem:
    """Parse a string in which `{{ … }}` may stand, or say what is wrong with it."""
    parsed, problems = parse_parts(text)
    return problems[0] if problems else parsed


def parse_parts(text: str) -> tuple[Text, tuple[Problem, ...]]:
    """Parse a string in which `{{ … }}` may stand; what does not parse is taken as plain, and told."""
    parts: list[str | tuple[int, Expression]] = []
    problems: list[Problem] = []
    done = 0
    while (begin := text.find(OPEN, done)) >= 0:
        if begin > done:
            parts.append(text[done:begin])
        inner = begin + len(OPEN)
        end = _end_of_expression(text, inner)
        if end is None:
            hint = "write }} where it ends; {{ '{{' }} is {{ as text"
            message = "this {{ has no matching }}"
            problems.append(Problem(code="EXP001", start=begin, end=inner, message=message, help=hint))
            done = begin
            break
        parsed = _parse_inside(text, inner, end)
        if isinstance(parsed, Problem):
            problems.append(parsed)
            parts.append(text[begin : end + 2])
        else:
            parts.append((inner, parsed))
        done = end + 2
    if done < len(text) or not parts:
        parts.append(text[done:])
    found = [part for part in parts if not isinstance(part, str)]
    blank = all(not part.strip() for part in parts if isinstance(part, str))
    whole = found[0][1] if len(found) == 1 and blank else None
    return Text(text=text, parts=tuple(parts), whole=whole), tuple(problems)


def _parse_inside(text: str, inner: int, end: int) -> Expression | Problem:
    parsed = parse(text[inner:end])
    if isinstance(parsed, Expression):
        return parsed
    return Problem(
        code="EXP001" if parsed.code == "EXP005" else parsed.code,
        start=inner + parsed.start,
        end=inner + max(parsed.end, parsed.start + 1),
        message=parsed.message,
        help=parsed.help,
    )


def _end_of_expression(text: str, inner: int) -> int | None:
    """Return the offset of the `}}` that ends the expression at `inner`, strings and braces considered."""
    offset = inner
    source = same_length_newlines(text[inner : inner + MAX_LENGTH * 2])
    try:
        for _, token, value in environment().lexer.tokeniter(source, None, None, "variable"):
            if token == "variable_end":  # noqa: S105 - a token of the grammar
                return offset
            offset += len(value)
    except TemplateSyntaxError:
        end = text.find("}}", inner)
        return end if end >= 0 else None
    return None
