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
from maestro_dsl.lang.expression_env import ExpressionError, LimitError, bounded, environment
from maestro_dsl.lang.expression_parse import (
    EMPTY_SUBSCRIPT,
    Problem,
    is_empty_subscript,
    unknown_word,
    word_at,
)

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
    nodes.With, nodes.FilterBlock, nodes.Scope, nodes.Expr, nodes.Pair, nodes.Operand,
    nodes.Keyword,
)  # fmt: skip
_NAMES: Final[Mapping[type[nodes.Node], str]] = {
    nodes.ScopedEvalContextModifier: "autoescape",
    nodes.CallBlock: "call",
    nodes.FromImport: "from",
}
"""What tags are called whose nodes have another name."""


class PromptError(ExpressionError):
    """A prompt cannot be written; `line` is where in its template, 0 where that is not known."""

    def __init__(self, message: str, *, hint: str | None = None, line: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.line = line


def render_prompt(source: str, context: Mapping[str, Json], *, max_bytes: int = MAX_PROMPT_BYTES) -> str:
    """Return the prompt that `source` gives over `context`, at most `max_bytes` of UTF-8.

    Raises:
        PromptError: the template does not parse, a variable is not defined, or a limit is passed.
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
        raise PromptError(error.message, hint=error.hint, line=_line_of(error)) from error
    except TemplateSyntaxError as error:
        raise _broken(source, error) from error
    except TemplateError as error:
        raise PromptError(str(error.message), line=_line_of(error)) from error
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError) as error:
        raise PromptError(str(error), line=_line_of(error)) from error
    return "".join(pieces)


def _broken(source: str, error: TemplateSyntaxError) -> PromptError:
    """Return the first thing that is wrong with the form of a template."""
    problem = next(iter(check_prompt(source)), None)
    line, _ = position(source, error.lineno if problem is None else problem.start)
    message = "this is no prompt template" if problem is None else problem.message
    return PromptError(
        f"line {line}: {message}", hint=problem.help if problem is not None else None, line=line
    )


def _line_of(error: BaseException) -> int:
    """Return the line of the template in which rendering stopped; Jinja2 puts it into the traceback."""
    line, at = 0, error.__traceback__
    while at is not None:
        if at.tb_frame.f_code.co_filename == "<template>":
            line = at.tb_lineno
        at = at.tb_next
    return line


def check_prompt(source: str) -> tuple[Problem, ...]:
    """Return what is wrong with the form of a prompt template; its variables are found when it renders."""
    try:
        tree = Parser(environment(), source).parse()
    except TemplateSyntaxError as error:
        from maestro_dsl.lang.template_check import broken_template  # most templates are sound

        return broken_template(source, error, _refused)
    except RecursionError:
        return (Problem(code="EXP001", start=0, end=1, message="the template is nested too deeply"),)
    return tuple(_refused(source, tree))


def position(source: str, offset: int) -> tuple[int, int]:
    """Return line and column, from 1, of a character offset in a template."""
    before = source[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def _refused(source: str, tree: nodes.Node) -> Iterator[Problem]:
    for node in (tree, *tree.find_all(nodes.Node)):
        problem = unknown_word(source, node) if isinstance(node, (nodes.Filter, nodes.Test)) else None
        message, hint = _why_not(node)
        if problem is None and message is not None:
            start, end = word_at(source, node.lineno or 0)
            problem = Problem(code="EXP001", start=start, end=end, message=message, help=hint)
        if problem is not None:
            yield problem


def _why_not(node: nodes.Node) -> tuple[str | None, str | None]:
    """Return why a part of a template cannot stay, and what to do."""
    if not isinstance(node, _ALLOWED):
        kind = _NAMES.get(type(node), type(node).__name__.lower())
        return f"{kind} is not part of prompt templates", "tags: if, elif, else, for, set, with, filter, raw"
    if isinstance(node, (nodes.Getattr, nodes.Name)):
        name = node.attr if isinstance(node, nodes.Getattr) else node.name
        if name.startswith("_"):
            return f"names that start with _ cannot be read: {name}", None
        if name == "loop" and isinstance(node, nodes.Name) and node.ctx == "store":
            return "loop is the loop's own name", "use another name"
    if isinstance(node, nodes.For) and node.recursive:
        return "recursive loops are not part of prompt templates", "write one loop inside another"
    if isinstance(node, nodes.Call) and not (isinstance(node.node, nodes.Name) and node.node.name == "range"):
        return "only range(…) can be called", "use a filter: value | filter"
    if is_empty_subscript(node):
        return EMPTY_SUBSCRIPT, "write a key or a number between [ and ]"
    return None, None


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
