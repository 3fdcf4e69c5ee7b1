"""The one Jinja2 environment that expressions and prompts run in: a sandbox over plain data.

Allow-listed filters, tests and globals; attributes are keys of mappings and nothing else; every operation
that could make a large value from a small text is bounded. It does not know where a text came from: positions
are character offsets, which callers map to files.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final, TypeVar

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes
from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.lexer import TokenStream
from jinja2.runtime import Context, LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS as JINJA_TESTS

from maestro_dsl.errors import UnrecoverableError

MAX_TEXT: Final = 1_048_576
"""Longest string an expression may build or return, in characters."""
MAX_ITEMS: Final = 100_000
"""Most items of a list that a filter works on or a result holds."""
MAX_RANGE: Final = 10_000
MAX_POWER_BITS: Final = 1024

N = TypeVar("N", bound=nodes.Node)


class ExpressionError(UnrecoverableError):
    """An expression cannot be evaluated with these values; trying again gives the same."""


class LimitError(ExpressionError):
    """An expression asks for more text, items or digits than is allowed."""


def _limit_text(length: int) -> None:
    if length > MAX_TEXT:
        raise LimitError(f"the result would be longer than {MAX_TEXT:,} characters")


def _limit_items(count: int) -> None:
    if count > MAX_ITEMS:
        raise LimitError(f"more than {MAX_ITEMS:,} items")


def _plain_items(value: Iterable[Any]) -> list[Any]:
    items: list[Any] = []
    for item in value:
        items.append(item)
        _limit_items(len(items))
    return items


# ---- filters that Jinja2 leaves unbounded, in a bounded form ---------------------------------------------


def concat(parts: Iterable[Any]) -> str:
    """Return the parts as one text; what the operator `~` does."""
    texts = [as_text(part) for part in parts]
    _limit_text(sum(len(text) for text in texts))
    return "".join(texts)


def as_text(value: Any) -> str:
    """Return how a value stands inside a text.

    Raises:
        ExpressionError: a list, a mapping or null has no place inside a text.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    if isinstance(value, Undefined):
        return str(value)  # StrictUndefined raises, with the name in its message
    what = "null" if value is None else "a mapping" if isinstance(value, Mapping) else "a list"
    raise ExpressionError(f"{what} cannot stand inside a text", hint="use the filter join or tojson")


def _join(value: Iterable[Any], d: str = "") -> str:
    texts = [as_text(item) for item in _plain_items(value)]
    _limit_text(sum(len(text) for text in texts) + len(d) * len(texts))
    return d.join(texts)


def _replace(value: str, old: str, new: str) -> str:
    _limit_text(len(value) + value.count(old) * len(new))
    return value.replace(old, new)


def _round(value: float, precision: int = 0) -> float:
    if not 0 <= precision <= 15:  # noqa: PLR2004 - digits of a double
        raise LimitError("round takes 0 to 15 digits")
    return round(value, precision)


def _tojson(value: Any, indent: int | None = None) -> str:
    if indent is not None and not 0 <= indent <= 8:  # noqa: PLR2004 - wider is no use
        raise LimitError("tojson takes an indent of 0 to 8")
    text = json.dumps(plain(value), ensure_ascii=False, indent=indent)
    _limit_text(len(text))
    return text


def _indent(value: str, width: int = 4) -> str:
    if not 0 <= width <= 40:  # noqa: PLR2004 - wider is no use
        raise LimitError("indent takes 0 to 40 columns")
    _limit_text(len(value) + value.count("\n") * width)
    return value.replace("\n", "\n" + " " * width)


def _keys(value: Mapping[str, Any]) -> list[str]:
    return list(value)


def _values(value: Mapping[str, Any]) -> list[Any]:
    return list(value.values())


def _items(value: Mapping[str, Any]) -> list[list[Any]]:
    return [[key, item] for key, item in value.items()]


_FROM_JINJA = (
    "abs", "capitalize", "count", "d", "default", "first", "float", "int", "last", "length", "list", "lower",
    "map", "max", "min", "reject", "rejectattr", "reverse", "select", "selectattr", "sort", "sum",
    "title", "trim", "unique", "upper",
)  # fmt: skip
_OWN: Mapping[str, Callable[..., Any]] = {
    "indent": _indent,
    "items": _items,
    "join": _join,
    "keys": _keys,
    "replace": _replace,
    "round": _round,
    "string": as_text,
    "tojson": _tojson,
    "values": _values,
}
_TESTS = (
    "!=", "<", "<=", "==", ">", ">=", "boolean", "defined", "divisibleby", "eq", "equalto", "even", "false",
    "float", "ge", "greaterthan", "gt", "in", "integer", "le", "lessthan", "lower", "lt", "mapping", "ne",
    "none", "number", "odd", "sequence", "string", "true", "undefined", "upper",
)  # fmt: skip
FILTERS: Final[tuple[str, ...]] = tuple(sorted((*_FROM_JINJA, *_OWN)))
TESTS: Final[tuple[str, ...]] = tuple(test for test in _TESTS if test[0].isalpha())

_OF_LOOPS = frozenset({"first", "index", "index0", "last", "length"})
_CONCAT = "~"  # not a name, so that no text can call it


def safe_range(*args: int) -> range:
    """Return a range of at most `MAX_RANGE` numbers."""
    numbers = range(*args)
    if len(numbers) > MAX_RANGE:
        raise LimitError(f"a range of more than {MAX_RANGE:,} numbers")
    return numbers


def plain(value: Any) -> Any:
    """Return `value` as plain JSON data: generators and ranges become lists.

    Raises:
        ExpressionError: it is undefined, not JSON, or too large.
    """
    return _plain(value, _Counter())


class _Counter:
    """Counts the characters and items of one result."""

    def __init__(self) -> None:
        self.characters = 0
        self.items = 0

    def add(self, characters: int, items: int) -> None:
        self.characters += characters
        self.items += items
        _limit_text(self.characters)
        _limit_items(self.items)


def _plain(value: Any, counter: _Counter) -> Any:
    if isinstance(value, str):
        counter.add(len(value), 1)
        return str(value)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        if value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124 - NaN differs from itself
            raise ExpressionError("the result is not a finite number")
        return value
    if isinstance(value, Undefined):
        raise ExpressionError(str(value._undefined_message))  # noqa: SLF001 - the text str() would raise
    if isinstance(value, Mapping):
        counter.add(0, len(value))
        return {as_text(key): _plain(item, counter) for key, item in value.items()}
    if isinstance(value, (list, tuple, range)) or hasattr(value, "__next__"):
        result: list[Any] = []
        for item in value:
            counter.add(0, 1)
            result.append(_plain(item, counter))
        return result
    raise ExpressionError("the result is not plain data")


# ---- the environment -------------------------------------------------------------------------------------


class SafeEnvironment(ImmutableSandboxedEnvironment):
    """Jinja2's immutable sandbox with our allow-lists; a token's line number is its character offset."""

    intercepted_binops = frozenset({"+", "*", "**", "%", "-", "/", "//"})

    def __init__(self) -> None:
        super().__init__(
            undefined=StrictUndefined, autoescape=False, optimized=False, keep_trailing_newline=True
        )
        self.filters = {name: JINJA_FILTERS[name] for name in _FROM_JINJA} | dict(_OWN) | {_CONCAT: concat}
        self.tests = {name: JINJA_TESTS[name] for name in _TESTS}
        self.globals = {"range": safe_range}

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        source = same_length_newlines(source)
        raw = _with_offsets(source, self.lexer.tokeniter(source, name, filename, state))
        return TokenStream(self.lexer.wrap(raw, name, filename), name, filename)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return the value under a key; nothing else is an attribute here."""
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return an item of a mapping, list or text, or an undefined value that says what is missing."""
        if isinstance(argument, str) and argument.startswith("_"):
            return self.undefined(f"names that start with _ cannot be read: {argument}", name=argument)
        if isinstance(obj, Undefined):
            return obj  # the first thing that is missing is what the message names
        if isinstance(obj, LoopContext) and argument in _OF_LOOPS:
            return getattr(obj, argument)
        try:
            if isinstance(obj, Mapping) or not isinstance(argument, str):
                return obj[argument]
        except (TypeError, LookupError):
            pass
        return self.undefined(f"{argument} is not defined", obj=obj, name=str(argument))

    def is_safe_callable(self, obj: Any) -> bool:
        """Only `range` may be called; data has no methods."""
        return obj is safe_range

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Calculate with numbers; `+` also joins two texts or two lists."""
        if operator == "+" and isinstance(left, (str, list)) and type(left) is type(right):
            (_limit_text if isinstance(left, str) else _limit_items)(len(left) + len(right))
        elif not (_is_number(left) and _is_number(right)):
            raise ExpressionError(f"the operator {operator} takes numbers only")
        elif operator == "**":
            _limit_power(left, right)
        elif operator == "*":
            _limit_bits(_bits(left) + _bits(right))
        return super().call_binop(context, operator, left, right)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _bits(value: Any) -> int:
    return value.bit_length() if isinstance(value, int) else 64


def _limit_bits(bits: int) -> None:
    if bits > MAX_POWER_BITS:
        raise LimitError(f"a number of more than {MAX_POWER_BITS} bits")


def _limit_power(left: Any, right: Any) -> None:
    if isinstance(left, int) and isinstance(right, int) and right >= 0:
        _limit_bits(_bits(left) * right)


def same_length_newlines(source: str) -> str:
    """Return `source` with carriage returns replaced, so that the lexer leaves every offset as it is."""
    if "\r" not in source:
        return source
    return source.replace("\r\n", " \n").replace("\r", "\n")


def _with_offsets(source: str, tokens: Iterator[tuple[int, str, str]]) -> Iterator[tuple[int, str, str]]:
    """Yield the tokens of `source` with offsets for lines; what {%- strips is in none of them."""
    offset = 0
    while True:
        try:
            item = next(tokens, None)
        except TemplateSyntaxError as error:
            error.lineno = offset
            raise
        if item is None:
            return
        _, token, text = item
        while not source.startswith(text, offset) and source[offset : offset + 1].isspace():
            offset += 1
        yield offset, token, text
        offset += len(text)


def bounded(tree: N) -> N:
    """Replace the operator `~`, which Jinja2 does not let a sandbox watch, by a bounded filter; in place."""
    for found in tree.find_all(nodes.Concat):
        bounded_parts = nodes.List(found.nodes, lineno=found.lineno)
        joined = nodes.Filter(bounded_parts, _CONCAT, [], [], None, None, lineno=found.lineno)
        # A Concat of one part would still call the unbounded join; a one-part join of a bounded text is safe.
        found.nodes = [joined]
    return tree


@cache
def environment() -> SafeEnvironment:
    """Return the environment; it holds no state of a project or run."""
    return SafeEnvironment()
