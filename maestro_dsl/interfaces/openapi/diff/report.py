"""Collects differences while they are found, and gives them their level, hint and place in both files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from maestro_dsl.interfaces.changes import Change
from maestro_dsl.interfaces.openapi.diff.graph import Graph
from maestro_dsl.interfaces.openapi.diff.rules import Flow, judge
from maestro_dsl.lang.sourcemap import Pointer

if TYPE_CHECKING:
    from maestro_dsl.diagnostics import Span
    from maestro_dsl.interfaces.openapi.diff.graph import Pair
    from maestro_dsl.lang.sourcemap import SourceMap

_LONGEST: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What differences are found in: an operation, a part of it, and the places of that part."""

    operation: str = ""
    operation_id: str | None = None
    where: str = ""
    old: Pointer = ()
    new: Pointer = ()
    flow: Flow | None = None

    def part(self, where: str, old: Pointer | None, new: Pointer | None, flow: Flow | None = None) -> Subject:
        """Return a part of this subject."""
        return Subject(
            operation=self.operation,
            operation_id=self.operation_id,
            where=where,
            old=self.old if old is None else old,
            new=self.new if new is None else new,
            flow=flow or self.flow,
        )


@dataclass(slots=True)
class Report:
    """All differences so far; places become lines and columns only when somebody asks for `changes`."""

    graph: Graph
    _found: list[tuple[str, Subject, str, str, Flow | None, Pointer, Pointer]] = field(default_factory=list)

    def add(
        self,
        rule: str,
        subject: Subject,
        message: str,
        old: Pointer | None = None,
        new: Pointer | None = None,
    ) -> None:
        """Note a difference; without places, those of the subject."""
        places = (subject.old if old is None else old, subject.new if new is None else new)
        self._found.append((rule, subject, "", message, subject.flow, *places))

    def schemas(self, pair: Pair, subject: Subject) -> None:
        """Note every difference of two schemas and of what is in them."""
        for path, delta, context in self.graph.walk(pair):
            places = (
                subject.old if delta.old is None else delta.old,
                subject.new if delta.new is None else delta.new,
            )
            self._found.append((delta.rule, subject, _cut(path), delta.message, context.flow, *places))

    def changes(self, old: SourceMap, new: SourceMap) -> tuple[Change, ...]:
        """Return what was found, worst first, each once."""
        found: dict[tuple[str, ...], Change] = {}
        for rule, subject, path, message, flow, was, now in self._found:
            name, level, hint = judge(rule, flow)
            change = Change(
                id=name,
                level=level,
                operation=subject.operation,
                operation_id=subject.operation_id,
                where=subject.where,
                path=path,
                message=message,
                hint=hint,
                old=_span(old, was),
                new=_span(new, now),
            )
            found.setdefault((name, subject.operation, subject.where, path, message), change)
        return tuple(sorted(found.values(), key=lambda item: item.sort_key))


def _cut(path: str) -> str:
    """Return a way through a hundred levels without its middle."""
    return path if len(path) <= _LONGEST else f"{path[: _LONGEST // 2]}…{path[-_LONGEST // 4 :]}"


def _span(source: SourceMap, pointer: Pointer) -> Span:
    """Return the key of what is at `pointer`, or the value where it is a single one."""
    if not pointer or not isinstance(pointer[-1], str):
        span = source.value_span(pointer)
    else:
        value = source.value_span(pointer)
        is_single = value.line == value.end_line and source.has(pointer)
        span = value if is_single else source.key_span(pointer)
    return span
