"""Expressions: parsed once a distinct text, checked without compiling, evaluated in the sandbox.

A *condition* is a bare expression (`when`, `foreach`, `retry.when`); a *text* is a string in which `{{ … }}`
stands. Values are bound, never pasted, and a result is never rendered again. Types are checked in
`expression_check`; prompt files, which may hold blocks, are rendered by `templates`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, cast

from jinja2 import Template, TemplateError, nodes
from jinja2.parser import Parser

from maestro_dsl.errors import MaestroError
from maestro_dsl.lang.expression_env import (
    MAX_TEXT,
    ExpressionError,
    as_text,
    bounded,
    environment,
    plain,
)
from maestro_dsl.lang.expression_parse import (
    OPEN,
    Expression,
    Problem,
    Text,
    parse,
    parse_text,
    walk,
    word_at,
)

if TYPE_CHECKING:
    from jinja2.environment import Environment
    from jinja2.runtime import Context

    from maestro_dsl.lang.model import Json

__all__ = [
    "Expression",
    "ExpressionError",
    "Problem",
    "Scope",
    "Text",
    "evaluate",
    "parse",
    "parse_text",
    "render",
    "render_value",
    "word_at",
]


class Scope(dict[str, "Json"]):
    """Values that many expressions are evaluated over: what Jinja2 makes of them is made once.

    They must not change once an expression was evaluated.
    """

    __slots__ = ("_made",)

    def context(self, template: Template) -> Context:
        """Return the values as the templates of expressions take them."""
        try:
            return self._made
        except AttributeError:
            self._made: Context = template.new_context(dict(self))
            return self._made


def evaluate(expression: Expression, context: Mapping[str, Json]) -> Json:
    """Return the value of `expression` over `context`, as plain JSON data.

    Raises:
        ExpressionError: a name is not defined, an operand has the wrong type, or a limit is passed.
    """
    if expression.path:
        found: Any = _follow(expression.path, context)
        if found is not _ABSENT:
            return found  # type: ignore[no-any-return]  # what stands in a context is plain JSON data
    return cast("Json", _guarded(expression.text, context))


_ABSENT: Final = object()


def _follow(path: tuple[str, ...], context: Mapping[str, Json]) -> object:
    value: Any = context
    for name in path:
        is_mapping = isinstance(value, (dict, Mapping))  # dict first: asking an ABC takes longer
        if not is_mapping or name not in value:
            return _ABSENT
        value = value[name]
    return value


def _guarded(text: str, context: Mapping[str, Json]) -> Any:
    try:
        return _result(_compiled(text), context)
    except MaestroError as error:
        raise ExpressionError(f"{error.message} (in {_short(text)})", hint=error.hint) from error
    except TemplateError as error:
        raise ExpressionError(f"{error.message} (in {_short(text)})") from error
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError) as error:
        raise ExpressionError(f"{error} (in {_short(text)})") from error


def _result(template: Template, values: Mapping[str, Json]) -> Any:
    """Return what the template assigns; the context that it is made in is as before."""
    context = values.context(template) if isinstance(values, Scope) else template.new_context(dict(values))
    try:
        for _ in template.root_render_func(context):
            pass  # it only assigns
        return plain(context.vars["result"])
    finally:
        context.vars.clear()
        context.exported_vars.clear()


def _short(text: str, limit: int = 60) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


@lru_cache(maxsize=4096)
def _compiled(text: str) -> Template:
    # A tree of its own: compiling and `bounded` change it, and the cached one is used by the checks.
    env = environment()
    tree = Parser(env, text, state="variable").parse_expression()
    body: list[nodes.Node] = [nodes.Assign(nodes.Name("result", "store"), tree, lineno=1)]
    return env.from_string(_finished(bounded(nodes.Template(body, lineno=1)), env))


def _finished(template: nodes.Template, env: Environment) -> nodes.Template:
    for node in walk(template):  # line numbers were offsets; Python wants lines
        node.lineno = 1
    template.set_environment(env)
    return template


def render(text: str, context: Mapping[str, Json]) -> Json:
    """Return `text` with its expressions evaluated; a string that is one whole expression keeps its type.

    Raises:
        ExpressionError: the text does not parse, or an expression cannot be evaluated.
    """
    if OPEN not in text:
        return text
    parsed = parse_text(text)
    if isinstance(parsed, Problem):
        raise ExpressionError(f"{parsed.message} (in {_short(text)})", hint=parsed.help)
    whole = parsed.whole
    if whole is not None:
        return evaluate(whole, context)
    pieces = [part if isinstance(part, str) else as_text(evaluate(part[1], context)) for part in parsed.parts]
    if sum(map(len, pieces)) > MAX_TEXT:
        raise ExpressionError(f"the text would be longer than {MAX_TEXT:,} characters")
    return "".join(pieces)


def render_value(value: Json, context: Mapping[str, Json]) -> Json:
    """Return `value` with every string in it rendered; keys stay as they are.

    Raises:
        ExpressionError: as `render`.
    """
    if isinstance(value, str):
        return render(value, context)
    if isinstance(value, list):
        return [
            render_value(item, context) if type(item) is not str or OPEN in item else item for item in value
        ]
    if isinstance(value, dict):
        return {name: render_value(item, context) for name, item in value.items()}
    return value
