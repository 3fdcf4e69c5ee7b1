"""Static findings about the expressions and needs of a blueprint, with positions in its file.

Works on a blueprint alone, or more exactly with the workspace that uses it. Evaluates nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import field
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar, cast

from maestro_dsl.compiler.context import RETRY_TYPES, member_type, types_in_nodes
from maestro_dsl.diagnostics import Diagnostic, Diagnostics, Edit, Fix, Severity, Span
from maestro_dsl.lang.alike import alike
from maestro_dsl.lang.document import Document
from maestro_dsl.lang.expression_check import article, check, check_condition, check_text
from maestro_dsl.lang.expression_constant import constant
from maestro_dsl.lang.expression_parse import OPEN, parse_parts
from maestro_dsl.lang.expression_types import BOOLEAN, HOLE, STRING, Type, TypeKind
from maestro_dsl.lang.expressions import Expression, Problem, Text, parse, parse_text
from maestro_dsl.lang.mend import with_need
from maestro_dsl.lang.model import Blueprint
from maestro_dsl.lang.setting_layers import retry_conditions
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from maestro_dsl.lang.model import DocumentValue, Json, NodeSpec
    from maestro_dsl.lang.sourcemap import Pointer
    from maestro_dsl.lang.workspace import Workspace

P = TypeVar("P", Expression, Text)
_Place: TypeAlias = tuple[int, int]
"""Line and column."""
_AFTER_A_TRY: Final = dict(RETRY_TYPES)
"""All that `retry.when` sees: whether to try again is decided far from the plan."""
_TAKEN: Final = frozenset({"key", "nodes"})
"""What stands beside the item in every expression of a node, and wins."""
NAMES = {
    "EXP001": "expression-syntax",
    "EXP002": "undefined-variable",
    "EXP003": "expression-type",
    "EXP004": "constant-condition",
    "EXP005": "braces-in-condition",
    "GRF003": "implicit-dependency",
    "REF001": "undefined-node",
}


def check_blueprint(document: Document[Blueprint], workspace: Workspace | None = None) -> Diagnostics:
    """Return the EXP findings of a blueprint, GRF003, and REF001 for expressions."""
    checker = _Checker(document=document, shared=types_in_nodes(document, workspace))
    sound: set[int] = set()
    for spec, number in zip(document.value.nodes.values(), alike(document), strict=True):
        if number in sound:
            continue
        is_sound = checker.node(spec)
        if checker.is_full:
            break
        if is_sound:
            sound.add(number)
    return checker.diagnostics


def check_retry_conditions(document: Document[DocumentValue]) -> Diagnostics:
    """Return the EXP findings of every `retry.when` that a document states for nodes of others."""
    # nothing of a blueprint is asked for without a node
    checker = _Checker(document=cast("Document[Blueprint]", document), shared={})
    for pointer, text in retry_conditions(document):
        checker.condition(text, pointer, _AFTER_A_TRY, _as_condition)
    return checker.diagnostics


def without_echoes(found: Iterable[Diagnostic], known: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """Yield the findings of an evaluation that the static checks of the same text did not make already."""
    errors = (item for item in known if item.severity is Severity.ERROR)
    places: dict[str, list[tuple[_Place, _Place]]] = {}
    for item in errors:
        if item.code.startswith(("EXP", "REF")):
            places.setdefault(item.span.file, []).append(_places(item.span))
    for inside in places.values():
        inside.sort()
    for item in found:
        is_echo = item.code.startswith(("EXP", "REF")) and _holds(item.span, places.get(item.span.file, []))
        if not is_echo:
            yield item


def _holds(outer: Span, places: list[tuple[_Place, _Place]]) -> bool:
    """Return whether one of `places`, which are sorted, lies inside `outer`."""
    start, end = _places(outer)
    first = bisect_left(places, (start,))
    starting = takewhile(lambda place: place[0] <= end, islice(places, first, None))
    return any(last <= end for _, last in starting)


def _places(span: Span) -> tuple[_Place, _Place]:
    return (span.line, span.column), (span.end_line, span.end_column)


def strings_of(value: Json, pointer: Pointer) -> list[tuple[Pointer, str]]:
    """Return every string inside `value` in which an expression may stand, with the way to it."""
    found: list[tuple[Pointer, str]] = []
    _gather(value, pointer, found)
    return found


def _gather(value: Json, pointer: Pointer, found: list[tuple[Pointer, str]]) -> None:
    # A list that grows: generators inside each other took four times as long, for each node three times.
    if isinstance(value, str):
        if OPEN in value:
            found.append((pointer, value))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if not isinstance(item, str) or OPEN in item:
                _gather(item, (*pointer, index), found)
    elif isinstance(value, dict):
        for name, item in value.items():
            if not isinstance(item, str) or OPEN in item:
                _gather(item, (*pointer, name), found)


def upstream(blueprint: Blueprint, node_id: str) -> set[str]:
    """Return the ids of all nodes that `node_id` needs, also through others."""
    seen: set[str] = set()
    stack = [node_id]
    while stack:
        spec = blueprint.nodes.get(stack.pop())
        for need in spec.needs if spec is not None else ():
            if need.node not in seen:
                seen.add(need.node)
                stack.append(need.node)
    return seen


@dataclass(slots=True)
class _Checker:
    """Collects the findings of one blueprint."""

    document: Document[Blueprint]
    shared: dict[str, Type]
    """What every node without `foreach` sees."""
    diagnostics: Diagnostics = field(default_factory=Diagnostics)
    is_full: bool = False
    """True once nobody wants to see more of what one of the rules finds."""
    base: dict[str, Type] = field(init=False)
    """What is known before the run."""
    _known: dict[tuple[str, object, bool], tuple[Type, tuple[Problem, ...]]] = field(default_factory=dict)
    _has_node_ids: bool = False
    """True where the node at hand reads outputs of nodes: what that means depends on its needs."""

    def __post_init__(self) -> None:
        """Leave the outputs of nodes out of what is known before the run."""
        self.base = {name: known for name, known in self.shared.items() if name != "nodes"}

    def node(self, spec: NodeSpec) -> bool:
        """Check every expression of a node; return whether there is nothing to say of any that is alike."""
        before, self._has_node_ids = len(self.diagnostics.items), False
        self._node(spec)
        return len(self.diagnostics.items) == before and not self._has_node_ids

    def _node(self, spec: NodeSpec) -> None:
        place: Pointer = ("nodes", spec.id)
        static, context = self.base, self.shared
        if spec.foreach is not None and self._hides_item(spec):
            return
        if spec.foreach is not None:
            found = self.condition(spec.foreach, (*place, "foreach"), self.base, self.foreach)
            static = {**self.base, spec.as_name or "item": found, "key": STRING}
            context = {**static, "nodes": self.shared["nodes"]}
        if spec.when is not None:
            self.condition(spec.when, (*place, "when"), context, _as_condition, reader=spec)
        if spec.retry.when is not None:
            self.condition(spec.retry.when, (*place, "retry", "when"), _AFTER_A_TRY, _as_condition)
        if spec.persona is not None:
            self.text(spec.persona, (*place, "persona"), static, spec)
        if spec.contract is not None:
            self.text(spec.contract, (*place, "contract"), static, spec)
        if spec.idempotency_key is not None:
            self.text(spec.idempotency_key, (*place, "idempotency_key"), static, spec)
        for pointer, value in strings_of(dict(spec.params), (*place, "with")):
            self.text(value, pointer, context, spec)

    def _hides_item(self, spec: NodeSpec) -> bool:
        """Return whether expressions cannot name the item of a loop: told here, or before."""
        place: Pointer = ("nodes", spec.id, "as")
        if spec.as_name in _TAKEN:
            message = (
                f"{spec.as_name} has a meaning of its own in expressions: the item cannot be called that"
            )
            hint = "choose another name, such as item"
            problem = Problem(code="EXP003", start=0, end=len(spec.as_name), message=message, help=hint)
            self.report(problem, place)
        return spec.as_name in _TAKEN or self.document.is_hole(place)

    def foreach(self, expression: Expression, context: dict[str, Type]) -> tuple[Type, tuple[Problem, ...]]:
        """Return the type of the items of a `foreach`."""
        if expression.at_run_time:
            start = expression.text.find("nodes")
            message = "foreach must be known before the run; outputs of nodes are not"
            return HOLE, (Problem(code="EXP003", start=start, end=start + 5, message=message),)
        found, problems = check(expression, context)
        item = HOLE if problems else member_type(found)
        if item is not None:
            return item, problems
        text = expression.text
        message = f"foreach takes a list or a mapping; this is {article(found)}"
        hint = "write contracts, an input that is a list, or [one, two]"
        return HOLE, (Problem(code="EXP003", start=0, end=len(text), message=message, help=hint),)

    def condition(
        self,
        text: str,
        pointer: Pointer,
        context: dict[str, Type],
        decide: Callable[[Expression, dict[str, Type]], tuple[Type, tuple[Problem, ...]]],
        reader: NodeSpec | None = None,
    ) -> Type:
        """Check a bare expression."""
        parsed = parse(text)
        if isinstance(parsed, Problem):
            self.report(parsed, pointer)
            return HOLE
        found, problems = self._once(parsed, context, decide)
        for problem in problems:
            self.report(problem, pointer)
        if reader is not None:
            self.reads(parsed, 0, pointer, reader)
        return found

    def _once(
        self,
        parsed: P,
        context: dict[str, Type],
        decide: Callable[[P, dict[str, Type]], tuple[Type, tuple[Problem, ...]]],
    ) -> tuple[Type, tuple[Problem, ...]]:
        """Return what `decide` says, asked once for each text that stands in a shared context."""
        if context is not self.base and context is not self.shared:
            return decide(parsed, context)
        key = (parsed.text, decide, context is self.base)
        if key not in self._known:
            self._known[key] = decide(parsed, context)
        return self._known[key]

    def text(self, text: str, pointer: Pointer, context: dict[str, Type], reader: NodeSpec) -> None:
        """Check a string in which expressions may stand."""
        if "{{" not in text:
            return
        parsed = parse_text(text)
        broken: tuple[Problem, ...] = ()
        if isinstance(parsed, Problem):
            parsed, broken = parse_parts(text)
        problems = (*broken, *self._text_problems(parsed, pointer, context))
        for problem in problems:
            self.report(problem, pointer)
        for offset, expression in parsed.expressions:
            self.reads(expression, offset, pointer, reader)

    def _text_problems(self, parsed: Text, pointer: Pointer, context: dict[str, Type]) -> tuple[Problem, ...]:
        found, problems = self._once(parsed, context, check_text)
        is_id = pointer[-1] in {"persona", "contract"} and len(pointer) == 3  # noqa: PLR2004 - nodes, id, key
        if is_id and not problems and found.kind not in {TypeKind.STRING, TypeKind.HOLE}:
            message = f"an id must be a string; this is {found}"
            return (Problem(code="EXP003", start=0, end=len(parsed.text), message=message),)
        return problems

    def reads(self, expression: Expression, offset: int, pointer: Pointer, reader: NodeSpec) -> None:
        """Report outputs that are read of nodes which are not needed (GRF003)."""
        if not expression.node_ids:
            return
        self._has_node_ids = True
        needed = upstream(self.document.value, reader.id)
        for name in expression.node_ids:
            if name in needed or name not in self.document.value.nodes:
                continue
            start = offset + max(expression.text.find(name), 0)
            problem = Problem(
                code="GRF003",
                start=start,
                end=start + len(name),
                message=f"{reader.id} reads the outputs of {name} but does not need it",
                help=f"add {name} to the needs of {reader.id}",
            )
            edit = with_need(self.document, reader.id, name)
            title = f"add {name} to the needs of {reader.id}"
            self.report(problem, pointer, Fix(title=title, edits=(edit,)) if edit is not None else None)

    def report(self, problem: Problem, pointer: Pointer, fix: Fix | None = None) -> None:
        """Turn a problem of an expression into a finding at its place in the file."""
        if not self.diagnostics.has_room(problem.code, self.document.file):
            self.is_full = True
            return
        span = self.document.map.scalar_offsets(pointer).span(problem.start, problem.end)
        if problem.replacement is not None:
            whole = self.document.map.value_span(pointer)
            edit = Edit(span=whole, replacement=_scalar(problem.replacement))
            fix = Fix(title="write the expression without braces", edits=(edit,))
        elif problem.word is not None:
            fix = Fix(
                title=f"change to {problem.word}",
                edits=(Edit(span=span, replacement=problem.word),),
                safe=False,
            )
        self.diagnostics.add(
            Diagnostic(
                code=problem.code,
                name=NAMES[problem.code],
                severity=Severity.WARNING if problem.code == "EXP004" else Severity.ERROR,
                span=span,
                message=problem.message,
                help=problem.help,
                fix=fix,
            )
        )


def _scalar(text: str) -> str:
    """Return an expression as a YAML scalar, quoted where a plain one would mean something else."""
    plain = text[0] not in "'\"[{(!&*%@`|>-?:#," and ": " not in text and " #" not in text
    return text if plain else "'" + text.replace("'", "''") + "'"


def _as_condition(expression: Expression, context: dict[str, Type]) -> tuple[Type, tuple[Problem, ...]]:
    problems = check_condition(expression, context)
    return BOOLEAN, problems or _constant_problems(expression)


def _constant_problems(expression: Expression) -> tuple[Problem, ...]:
    found = constant(expression)
    if found is None:
        return ()
    text = expression.text
    return (
        Problem(
            code="EXP004",
            start=len(text) - len(text.lstrip()),
            end=len(text.rstrip()),
            message=f"this condition is always {str(found).lower()}",
            help="leave it out" if found else "leave the node out, or mend the condition",
        ),
    )
