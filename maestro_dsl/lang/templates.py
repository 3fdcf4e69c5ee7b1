"""Prompt files (`*.md.j2`): Jinja2 with blocks, rendered in the sandbox over plain data.

Blocks that a prompt needs are allowed (`if`, `for`, `set`, `with`, `filter`, `raw`, comments); includes,
macros, imports and inheritance are not, so that one file shows the whole prompt. Text, loops and values are
bounded. Whoever renders passes JSON data only, and never renders the result again.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from jinja2 import TemplateError, TemplateSyntaxError, nodes
from jinja2.parser import Parser

from maestro_dsl.errors import MaestroError
from maestro_dsl.lang.expression_env import FILTERS, TESTS, ExpressionError, LimitError, bounded, environment
from maestro_dsl.lang.expressions import Problem, word_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jinja2 import Template

    from maestro_dsl.lang.model import Json

MAX_PROMPT_BYTES: Final = 1_048_576
MAX_STEPS: Final = 50_000
"""Most rounds of all loops of one rendering."""
_STEPS: Final = "_steps"  # no template can reach it: names that start with _ are refused
_ALLOWED: Final = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.For, nodes.If, nodes.Assign, nodes.AssignBlock,
    nodes.With, nodes.FilterBlock, nodes.ScopedEvalContextModifier, nodes.Expr, nodes.Pair, nodes.Operand,
    nodes.Keyword,
)  # fmt: skip


def render_prompt(source: str, context: Mapping[str, Json], *, max_bytes: int = MAX_PROMPT_BYTES) -> str:
    """Return the prompt that `source` gives over `context`, at most `max_bytes` of UTF-8.

    Raises:
        ExpressionError: the template does not parse, a variable is not defined, or a limit is passed.
    """
    pieces: list[str] = []
    size = 0
    try:
        for piece in _compiled(source).generate({**context, _STEPS: _Steps()}):
            size += len(piece.encode("utf-8", "surrogatepass"))
            if size > max_bytes:
                raise LimitError(f"the prompt would be longer than {max_bytes:,} bytes")
            pieces.append(piece)
    except MaestroError as error:
        raise ExpressionError(error.message, hint=error.hint) from error
    except TemplateSyntaxError as error:
        line, _ = position(source, error.lineno)
        raise ExpressionError(f"line {line}: {error.message}") from error
    except TemplateError as error:
        raise ExpressionError(str(error.message)) from error
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError) as error:
        raise ExpressionError(str(error)) from error
    return "".join(pieces)


def check_prompt(source: str) -> tuple[Problem, ...]:
    """Return what is wrong with the form of a prompt template; its variables are found when it renders."""
    try:
        tree = Parser(environment(), source).parse()
    except TemplateSyntaxError as error:
        start, end = word_at(source, error.lineno)
        return (Problem(code="EXP001", start=start, end=end, message=error.message or "not a template"),)
    except RecursionError:
        return (Problem(code="EXP001", start=0, end=1, message="the template is nested too deeply"),)
    return tuple(_refused(source, tree))


def position(source: str, offset: int) -> tuple[int, int]:
    """Return line and column, from 1, of a character offset in a template."""
    before = source[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def _refused(source: str, tree: nodes.Template) -> Iterator[Problem]:
    for node in tree.find_all(nodes.Node):
        message = _why_not(node)
        if message is not None:
            start, end = word_at(source, node.lineno)
            yield Problem(code="EXP001", start=start, end=end, message=message)


def _why_not(node: nodes.Node) -> str | None:
    if not isinstance(node, _ALLOWED):
        return f"{type(node).__name__.lower()} is not part of prompt templates"
    if isinstance(node, (nodes.Getattr, nodes.Name)):
        name = node.attr if isinstance(node, nodes.Getattr) else node.name
        return f"names that start with _ cannot be read: {name}" if name.startswith("_") else None
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        return f"there is no filter {node.name}; filters: {', '.join(FILTERS)}"
    if isinstance(node, nodes.Test) and node.name not in TESTS:
        return f"there is no test {node.name}; tests: {', '.join(TESTS)}"
    if isinstance(node, nodes.For) and node.recursive:
        return "recursive loops are not part of prompt templates"
    return None


class _Steps:
    """Counts the rounds of all loops of one rendering; printing it counts one and writes nothing."""

    def __init__(self) -> None:
        self.left = MAX_STEPS

    def __str__(self) -> str:
        self.left -= 1
        if self.left < 0:
            raise LimitError(f"the loops of this prompt take more than {MAX_STEPS:,} rounds")
        return ""


@lru_cache(maxsize=256)
def _compiled(source: str) -> Template:
    env = environment()
    tree = Parser(env, source).parse()
    for problem in _refused(source, tree):
        raise TemplateSyntaxError(problem.message, problem.start)
    for loop in list(tree.find_all(nodes.For)):
        counter: list[nodes.Expr] = [nodes.Name(_STEPS, "load")]
        loop.body.insert(0, nodes.Output(counter))
    return env.from_string(_with_lines(bounded(tree), source))


def _with_lines(tree: nodes.Template, source: str) -> nodes.Template:
    for node in [tree, *tree.find_all(nodes.Node)]:  # offsets back to lines, which Python wants
        node.lineno = position(source, node.lineno or 0)[0]
    tree.set_environment(environment())
    return tree


def variables(source: str) -> frozenset[str]:
    """Return the names that a template reads from its context; empty where it does not parse."""
    from jinja2 import meta

    try:
        tree: Any = Parser(environment(), source).parse()
    except (TemplateSyntaxError, RecursionError):
        return frozenset()
    tree.set_environment(environment())
    return frozenset(meta.find_undeclared_variables(tree))
