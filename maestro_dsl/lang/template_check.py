"""What is wrong with the form of a prompt template: each tag and expression for itself, and the tags in turn.

Loads where a template does not parse. What only follows from another mistake is left out.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from jinja2 import TemplateSyntaxError
from jinja2.parser import Parser

from maestro_dsl.diagnostics import limit
from maestro_dsl.lang.expression_env import environment, same_length_newlines
from maestro_dsl.lang.expression_parse import Problem, require_end, word_at
from maestro_dsl.lang.expression_words import VALUE, explained
from maestro_dsl.lang.suggest import closest
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from jinja2 import nodes

_BLOCKS: Final = ("if", "for", "set", "with", "filter")
"""Tags that have an end; `set` has one where it gives no value."""
_TAGS: Final = (*(f"end{name}" for name in _BLOCKS), "endraw", *_BLOCKS, "elif", "else", "raw")
_LISTED: Final = f"tags: {', '.join((*_BLOCKS, 'elif', 'else', 'raw'))}"
REFUSED: Final = frozenset(
    {"autoescape", "block", "break", "call", "continue", "do", "extends", "from", "import", "include",
     "macro", "trans"}
)  # fmt: skip
_FORMS: Final[Mapping[str, str]] = {
    "if": "{% if CONDITION %}",
    "elif": "{% elif CONDITION %}",
    "for": "{% for ITEM in LIST %}",
    "set": "{% set NAME = VALUE %}",
    "with": "{% with NAME = VALUE %}",
    "filter": "{% filter NAME %}",
}
_OTHERS: Final[Mapping[str, str]] = {"elseif": "elif", "elsif": "elif", "end": "endif", "foreach": "for"}
_OPENINGS: Final = re.compile(r"\{\{|\{%|\{#")
_RAW: Final = re.compile(r"\{%[-+]?\s*raw\s*-?%\}")
_END_OF_RAW: Final = re.compile(r"\{%[-+]?\s*endraw\s*[-+]?%\}")
_WINDOW: Final = 8192
_MOST_OPEN: Final = 5
"""Openings without an end after which nothing more is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """A tag or an expression: `inner` is what stands between its marks, from `start`."""

    is_tag: bool
    start: int
    inner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    """A tag whose end has not come yet, with the place of its name."""

    name: str
    start: int
    has_else: bool = False
    is_guess: bool = False
    """True where another word stands there, about which was spoken."""


def broken_template(
    source: str, error: TemplateSyntaxError, refused: Callable[[str, nodes.Node], Iterable[Problem]]
) -> tuple[Problem, ...]:
    """Return all that is wrong with `source`, at which the parser stopped with `error`.

    `refused` says what of an expression that parses prompts cannot hold.
    """
    scanner = _Scanner(source)
    found: list[Problem] = []
    tags = _Tags(found)
    for piece in scanner.pieces():
        if len(found) > limit():
            return tuple(found)
        found += [_moved(problem, piece.start) for problem in _inside(piece, refused)]
        if piece.is_tag:
            tags.take(piece)
    if not scanner.lost:
        tags.finish()
    found += [*scanner.lost, *scanner.found]
    if not found:  # what the parser says beyond these
        found.append(explained(source, error))
    return tuple(sorted(found, key=lambda item: item.start))


def _moved(problem: Problem, by: int) -> Problem:
    return replace(problem, start=problem.start + by, end=max(problem.end, problem.start + 1) + by)


# ---- where tags and expressions are ----------------------------------------------------------------------


class _Scanner:
    """Finds the tags and the expressions; `lost` is about what never ends, `found` about wrong ends."""

    def __init__(self, source: str) -> None:
        self._source = source
        self.found: list[Problem] = []
        self.lost: list[Problem] = []

    def pieces(self) -> Iterator[_Piece]:
        """Yield every piece in order, as far as there is hope."""
        at: int | None = 0
        while at is not None and (match := _OPENINGS.search(self._source, at)) is not None:
            raw = _RAW.match(self._source, match.start())
            if match[0] == "{#":
                at = self._behind(match, re.compile("#}"), "#}")
            elif raw is not None:
                at = self._behind(raw, _END_OF_RAW, "{% endraw %}")
            else:
                piece, at = self._piece(match)
                if piece is not None:
                    yield piece

    def _behind(self, match: re.Match[str], closing: re.Pattern[str], mark: str) -> int | None:
        end = closing.search(self._source, match.end())
        if end is None:
            self._never(match, mark, f"write {mark} where it ends")
        return None if end is None else end.end()

    def _piece(self, match: re.Match[str]) -> tuple[_Piece | None, int | None]:
        """Return what begins at `match`, None where it never ends, and where to go on."""
        mark, source = match[0], self._source
        start = match.end() + (source[match.end() : match.end() + 1] in {"-", "+"})
        wanted = "}}" if mark == "{{" else "%}"
        end, behind = _end(source, start, mark)
        if end is None:
            self._never(match, wanted, f"write {wanted} where it ends; {{{{ '{mark}' }}}} is {mark} as text")
            return None, match.end() if len(self.lost) < _MOST_OPEN else None
        if wanted not in source[end:behind]:
            message = f"this {source[end:behind]} does not close {mark}"
            problem = Problem(code="EXP001", start=end, end=behind, message=message, help=f"write {wanted}")
            self.found.append(problem)
        return _Piece(is_tag=mark == "{%", start=start, inner=source[start:end]), behind

    def _never(self, match: re.Match[str], mark: str, hint: str) -> None:
        message = f"this {match[0]} has no matching {mark}"
        begin, end = match.span()
        self.lost.append(Problem(code="EXP001", start=begin, end=end, message=message, help=hint))


def _end(source: str, start: int, mark: str) -> tuple[int | None, int]:
    """Return where what begins at `start` ends, and where to go on; strings and braces count."""
    state = "variable" if mark == "{{" else "block"
    offset = start
    window = same_length_newlines(source[start : start + _WINDOW])
    try:
        for _, token, value in environment().lexer.tokeniter(window, None, None, state):
            if token in {"variable_end", "block_end"}:
                return offset, offset + len(value)
            offset += len(value)
    except TemplateSyntaxError:
        other = {offset: "}}", offset - 1: "%}"}
        for at, closing in other.items():
            if source.startswith(closing, at) and at >= start:
                return at, at + 2
        end = source.find("}}" if mark == "{{" else "%}", start, start + _WINDOW)
        is_another = end >= 0 and _OPENINGS.search(source, start, end) is not None
        return (end, end + 2) if end >= 0 and not is_another else (None, start)
    return None, start


# ---- one tag, one expression -----------------------------------------------------------------------------


def _inside(piece: _Piece, refused: Callable[[str, nodes.Node], Iterable[Problem]]) -> Iterator[Problem]:
    """Yield what is wrong inside one tag or expression, with offsets in it."""
    text = piece.inner
    name = _name(text)[1] if piece.is_tag else ""
    if piece.is_tag and name not in _FORMS:
        yield from _nothing_behind(text, name)
        return
    if not text.strip():
        what = "write what should stand here, such as {{ persona.name }}"
        yield Problem(code="EXP001", start=0, end=1, message="an expression is expected here", help=what)
        return
    if not piece.is_tag and text.lstrip().startswith("{{"):
        start = text.index("{{")
        message = "an expression already stands here"
        yield Problem(code="EXP001", start=start, end=start + 2, message=message, help="write {{ }} once")
        return
    try:
        parser = Parser(environment(), text, state="variable")
        parsed = _parsed(parser, name)
        require_end(parser)
    except TemplateSyntaxError as error:
        problem = explained(text, error)
        yield problem if not piece.is_tag else _in_tag(problem, text, name)
    except RecursionError:
        yield Problem(code="EXP001", start=0, end=1, message="this is nested too deeply")
    else:
        for node in parsed:
            yield from refused(text, node)


def _parsed(parser: Parser, name: str) -> list[nodes.Node]:
    """Return what stands in a tag, or in an expression where there is no name of a tag."""
    if not name:
        return [parser.parse_tuple()]
    stream = parser.stream
    next(stream)
    if name in {"if", "elif"}:
        found: list[nodes.Node] = [parser.parse_tuple(with_condexpr=False)]
    elif name == "for":
        found = _loop(parser)
    elif name == "set":
        found = [parser.parse_assign_target(with_namespace=True)]
        if stream.skip_if("assign"):
            found.append(parser.parse_tuple())
        elif stream.current.type == "pipe":
            found += filter(None, [parser.parse_filter(None)])
    elif name == "filter":
        found = list(filter(None, [parser.parse_filter(None, start_inline=True)]))
    else:
        found = _assignments(parser)
    stream.skip_if("colon")
    return found


def _loop(parser: Parser) -> list[nodes.Node]:
    found: list[nodes.Node] = [parser.parse_assign_target(extra_end_rules=("name:in",))]
    parser.stream.expect("name:in")
    found.append(parser.parse_tuple(with_condexpr=False, extra_end_rules=("name:recursive",)))
    if parser.stream.skip_if("name:if"):
        found.append(parser.parse_expression())
    parser.stream.skip_if("name:recursive")
    return found


def _assignments(parser: Parser) -> list[nodes.Node]:
    found: list[nodes.Node] = []
    while not parser.stream.eos:
        if found:
            parser.stream.expect("comma")
        found.append(parser.parse_assign_target())
        parser.stream.expect("assign")
        found.append(parser.parse_expression())
    return found


def _in_tag(problem: Problem, text: str, name: str) -> Problem:
    """Return a problem with the form that the tag has, where nothing better is known."""
    begin, _ = _name(text)
    is_bare = not text[begin + len(name) :].strip()
    if is_bare:
        message = f"{{% {name} %}} ends too early"
        return replace(problem, start=begin, end=begin + len(name), message=message, help=_FORMS[name])
    word = text[problem.start : problem.end]
    is_misplaced = problem.message == "the expression should end here" and word != "="
    if problem.help == VALUE or is_misplaced or (name in {"for", "with", "set"} and word != "="):
        hint = f"write {_FORMS[name]}"
        return replace(problem, help=hint if not problem.help or is_misplaced else f"{problem.help}; {hint}")
    return problem


def _nothing_behind(text: str, name: str) -> Iterator[Problem]:
    """Yield what stands behind the name of a tag that takes nothing."""
    begin, _ = _name(text)
    rest = text[begin + len(name) :]
    if name not in _TAGS or not rest.strip():
        return
    start, end = word_at(text, begin + len(name))
    hint = "write {% elif CONDITION %}" if rest.split()[0] == "if" else f"write {{% {name} %}}"
    yield Problem(code="EXP001", start=start, end=end, message=f"{name} takes nothing", help=hint)


def _name(text: str) -> tuple[int, str]:
    """Return the name of a tag, "" where there is none, with its offset."""
    start = len(text) - len(text.lstrip())
    match = re.compile(r"[^\W\d]\w*").match(text, start)
    return start, match[0] if match else ""


# ---- tags in turn ----------------------------------------------------------------------------------------


class _Tags:
    """Follows the tags of a template: what is open, and what closes it."""

    def __init__(self, found: list[Problem]) -> None:
        self._found = found
        self._open: list[_Open] = []
        self._crossed: list[str] = []
        """What another end closed, so that its own closes nothing."""

    def take(self, piece: _Piece) -> None:
        """Look at the next tag."""
        begin, name = _name(piece.inner)
        start = piece.start + begin
        if not name:
            message, end = "the name of a tag is expected here", start + 1
            self._found.append(Problem(code="EXP001", start=start, end=end, message=message, help=_LISTED))
            return
        bare = name.removeprefix("end")
        if name in REFUSED:
            self._say(start, name, f"{name} is not part of prompt templates", _LISTED)
        elif name not in _TAGS and bare not in REFUSED:
            near = _OTHERS.get(name) or closest(name, _TAGS)
            guess = f"did you mean {near}? " if near else ""
            self._say(start, name, f"there is no tag {name}", guess + _LISTED)
            self._follow(near or "", start, piece.inner, is_guess=True)
        else:
            is_bare = piece.inner.strip() == name and name in _FORMS  # that was told
            self._follow(name, start, piece.inner, is_guess=is_bare)

    def finish(self) -> None:
        """Say what was never closed."""
        for item in self._open:
            self._unclosed(item)

    def _say(self, start: int, name: str, message: str, hint: str) -> None:
        self._found.append(
            Problem(code="EXP001", start=start, end=start + len(name), message=message, help=hint)
        )

    def _unclosed(self, item: _Open) -> None:
        if item.is_guess:
            return
        message = f"this {{% {item.name} %}} has no {{% end{item.name} %}}"
        hint = f"write {{% end{item.name} %}} where it ends"
        if item.name == "set":
            hint = f"write {_FORMS['set']}, or {{% endset %}} behind the text that is its value"
        self._say(item.start, item.name, message, hint)

    def _follow(self, name: str, start: int, inner: str, *, is_guess: bool = False) -> None:
        if name in _BLOCKS:
            is_short = name == "set" and "=" in inner
            if not is_short:
                self._open.append(_Open(name=name, start=start, is_guess=is_guess))
        elif name in {"elif", "else"}:
            self._middle(name, start, is_guess=is_guess)
        elif name.removeprefix("end") in _BLOCKS:
            self._close(name, start, is_guess=is_guess)
        elif name == "endraw":
            self._say(start, name, "this endraw closes nothing", "take it away, or write {% raw %} before")

    def _middle(self, name: str, start: int, *, is_guess: bool) -> None:
        takes = ("if", "for") if name == "else" else ("if",)
        if not any(item.name in takes for item in self._open):
            where = " or ".join(f"{{% {item} %}}" for item in takes)
            if not is_guess:
                self._say(start, name, f"this {name} stands in no {where}", f"write {where} before it")
            return
        while self._open[-1].name not in takes:
            self._unclosed(self._open.pop())
        owner = self._open[-1]
        if owner.has_else:
            hint = f"write {{% elif CONDITION %}} before the else, or {{% end{owner.name} %}}"
            self._say(start, name, f"the else of this {owner.name} stands before it", hint)
        self._open[-1] = replace(owner, has_else=owner.has_else or name == "else")

    def _close(self, name: str, start: int, *, is_guess: bool) -> None:
        wanted = name.removeprefix("end")
        if not any(item.name == wanted for item in self._open):
            if is_guess or wanted in self._crossed:
                self._crossed = [item for item in self._crossed if item != wanted]
                return
            if self._open:
                opened = self._open.pop()
                message = f"{name} does not close {{% {opened.name} %}}"
                self._say(start, name, message, f"write {{% end{opened.name} %}}")
            else:
                hint = f"take it away, or write {{% {wanted} … %}} before it"
                self._say(start, name, f"this {name} closes nothing", hint)
            return
        while self._open[-1].name != wanted:
            self._crossed.append(self._open[-1].name)
            self._unclosed(self._open.pop())
        self._open.pop()
