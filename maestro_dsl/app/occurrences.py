"""Every place of a project where something is named: contracts, members, nodes, personas, blueprints, files.

Says where names stand; whether they may be changed is `maestro_dsl.app.renaming`'s business.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from maestro_dsl.app.editing import is_of_core
from maestro_dsl.diagnostics import Span
from maestro_dsl.lang.expression_reads import names_of
from maestro_dsl.lang.expressions import Expression, parse, parse_text
from maestro_dsl.lang.files import PATH_SIGNS, Area, PathProblem, area_of
from maestro_dsl.lang.model import Blueprint, Contract, Kind, Persona, Plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from maestro_dsl.app.editing import Scene
    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import DocumentValue, Json
    from maestro_dsl.lang.sourcemap import Pointer

_CONDITIONS: Final = frozenset({"when", "foreach"})


class Sort(StrEnum):
    """What is named."""

    CONTRACT = "contract"
    MEMBER = "team member"
    NODE = "node"
    PERSONA = "persona"
    BLUEPRINT = "blueprint"
    FILE = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One place where something is named; `home` is the file that the name belongs to, "" = the project."""

    sort: Sort
    name: str
    home: str
    span: Span
    path: Path
    is_definition: bool = False
    before: str = ""
    after: str = ""
    """What stands around the name in its scalar, such as the range of versions behind it."""
    is_spelled: bool = True
    """False where the place means it by other words, such as the path of its file."""
    in_expression: bool = False

    @property
    def key(self) -> tuple[Sort, str, str]:
        """Equal for all places that name the same thing."""
        return (self.sort, self.home, "" if self.sort in _BY_FILE else self.name)


_SOURCES: Final = {"nodes": Sort.NODE, "contracts": Sort.CONTRACT, "team": Sort.MEMBER}
_BY_FILE: Final = frozenset({Sort.PERSONA, Sort.BLUEPRINT, Sort.FILE})


def occurrences(scene: Scene) -> tuple[Occurrence, ...]:
    """Return everything that is named in the documents of `scene`, definitions and uses."""
    return tuple(item for document in scene.documents.values() for item in named_in(scene, document))


def named_in(scene: Scene, document: Document[DocumentValue]) -> tuple[Occurrence, ...]:
    """Return everything that is named in one document of `scene`."""
    if isinstance(document.value, Plan):  # what its references mean, other documents say
        return tuple(_Names(scene, document).all())
    what = ("names", scene.root)
    return scene.memory.of(what, document, lambda item: _Names(scene, item).all())


def at(found: tuple[Occurrence, ...], path: Path, line: int, column: int) -> Occurrence | None:
    """Return the narrowest occurrence at `line` and `column` (from 1) of a file."""
    here = [item for item in found if item.path == path and _holds(item.span, line, column)]
    return min(here, key=lambda item: item.span.end_column - item.span.column, default=None)


def _holds(span: Span, line: int, column: int) -> bool:
    return (span.line, span.column) <= (line, column) <= (span.end_line, span.end_column)


class _Names:
    def __init__(self, scene: Scene, document: Document[DocumentValue]) -> None:
        self._scene = scene
        self._document = document
        self._area = area_of(document.path) if is_of_core(document.path) else Area(scene.root)

    def all(self) -> Iterator[Occurrence]:
        """Yield what the document names."""
        value, own = self._document.value, str(self._document.path)
        if isinstance(value, Plan):
            yield from self._plan(value)
        elif isinstance(value, Blueprint):
            yield self._value(Sort.BLUEPRINT, ("id",), home=own, is_definition=True)
            yield from self._blueprint(value)
        elif isinstance(value, Persona):
            yield self._value(Sort.PERSONA, ("id",), home=own, is_definition=True)
            yield from self._file(("prompt_file",))
        elif isinstance(value, Contract):
            yield self._value(Sort.CONTRACT, ("id",), is_definition=True)
            yield self._value(Sort.MEMBER, ("provider_persona_id",))
            for index, _ in enumerate(_list(self._at(("consumer_persona_ids",)))):
                yield self._value(Sort.MEMBER, ("consumer_persona_ids", index))
            yield from self._file(("interface_spec", "spec_file"))
            yield from self._file(("interface_spec", "compatible_with", "spec_file"))

    def _plan(self, plan: Plan) -> Iterator[Occurrence]:
        yield from self._reference(Sort.BLUEPRINT, Kind.BLUEPRINT, ("blueprint",))
        for member in plan.team:
            span = self._document.map.key_span(("team", member))
            yield self._found(Sort.MEMBER, member, span, is_definition=True)
            yield from self._reference(Sort.PERSONA, Kind.PERSONA, ("team", member, "use"))
        for index, text in enumerate(_list(self._at(("contracts",)))):
            if isinstance(text, str) and not set(text) & set("*?["):
                yield from self._file(("contracts", index))

    def _blueprint(self, blueprint: Blueprint) -> Iterator[Occurrence]:
        own = str(self._document.path)
        for node in blueprint.nodes:
            pointer: Pointer = ("nodes", node)
            span = self._document.map.key_span(pointer)
            yield self._found(Sort.NODE, node, span, home=own, is_definition=True)
            needs = self._at((*pointer, "needs"))
            for index, need in enumerate(_list(needs)):
                if isinstance(need, str):
                    yield self._value(Sort.NODE, (*pointer, "needs", index), home=own)
            for need in needs if isinstance(needs, dict) else ():
                span = self._document.map.key_span((*pointer, "needs", need))
                yield self._found(Sort.NODE, need, span, home=own)
            for name, sort in (("persona", Sort.MEMBER), ("contract", Sort.CONTRACT)):
                text = self._at((*pointer, name))
                if isinstance(text, str) and "{{" not in text:
                    yield self._value(sort, (*pointer, name))
            yield from self._expressions(pointer, self._at(pointer))

    def _expressions(self, pointer: Pointer, value: Json) -> Iterator[Occurrence]:
        if isinstance(value, dict):
            for name, inner in value.items():
                yield from self._expressions((*pointer, name), inner)
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                yield from self._expressions((*pointer, index), inner)
        elif isinstance(value, str):
            yield from self._expressions_in(pointer, value)

    def _expressions_in(self, pointer: Pointer, value: str) -> Iterator[Occurrence]:
        parsed = parse(value) if pointer[-1] in _CONDITIONS else parse_text(value) if "{{" in value else None
        if isinstance(parsed, Expression):
            yield from self._names(pointer, 0, parsed)
        for offset, expression in getattr(parsed, "expressions", ()):
            yield from self._names(pointer, offset, expression)

    def _names(self, pointer: Pointer, offset: int, expression: Expression) -> Iterator[Occurrence]:
        for read in names_of(expression):
            sort = self._sort_of(read.path)
            word = expression.text[read.start : read.end]
            quotes = word[:1] in {'"', "'"}
            if sort is None or word.strip("\"'") != read.path[-1]:
                continue
            start, end = offset + read.start + quotes, offset + read.end - quotes
            span = self._document.map.scalar_offsets(pointer).span(start, end)
            home = str(self._document.path) if sort is Sort.NODE else ""
            yield self._found(sort, read.path[-1], span, home=home, in_expression=True)

    def _sort_of(self, path: tuple[str, ...]) -> Sort | None:
        """Return what the last step of a path in an expression names."""
        match path:
            case ("nodes" | "contracts" | "team" as source, _):
                return _SOURCES[source]
            case ("nodes", node, "outputs", _):
                value = self._document.value
                spec = value.nodes.get(node) if isinstance(value, Blueprint) else None
                each = parse(spec.foreach) if spec is not None and spec.foreach else None
                names = each.names if isinstance(each, Expression) else frozenset()
                return next((_SOURCES[name] for name in ("contracts", "team") if name in names), None)
        return None

    def _reference(self, sort: Sort, kind: Kind, pointer: Pointer) -> Iterator[Occurrence]:
        text = self._at(pointer)
        if not isinstance(text, str) or not text:
            return
        span = self._document.map.value_span(pointer)
        found = self._scene.finder.find(kind, text, self._document.path, span)
        if found is None:
            return
        name = str(found.value.id)
        before, spelled, after = text.partition(name)
        is_path = text.startswith(PATH_SIGNS)
        yield Occurrence(
            sort=sort,
            name=name,
            home=str(found.path),
            span=span,
            path=self._document.path,
            before=before,
            after=after,
            is_spelled=bool(spelled) and not is_path,
        )

    def _file(self, pointer: Pointer) -> Iterator[Occurrence]:
        text = self._at(pointer)
        if not isinstance(text, str):
            return
        try:
            path = self._area.locate(self._document.path, text)
        except PathProblem:
            return
        span = self._document.map.value_span(pointer)
        yield self._found(Sort.FILE, text, span, home=str(path))

    def _value(
        self, sort: Sort, pointer: Pointer, *, home: str = "", is_definition: bool = False
    ) -> Occurrence:
        span = self._document.map.value_span(pointer)
        return self._found(sort, str(self._at(pointer)), span, home=home, is_definition=is_definition)

    def _found(
        self,
        sort: Sort,
        name: str,
        span: Span,
        *,
        home: str = "",
        is_definition: bool = False,
        in_expression: bool = False,
    ) -> Occurrence:
        return Occurrence(
            sort=sort,
            name=name,
            home=home,
            span=span,
            path=self._document.path,
            is_definition=is_definition,
            in_expression=in_expression,
        )

    def _at(self, pointer: Pointer) -> Json:
        value: Json = self._document.data
        for step in pointer:
            if isinstance(value, dict) and isinstance(step, str):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
            else:
                return None
        return value


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
