"""What may stand where the cursor is: kind of document, part of the grammar, path for `maestro explain`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from maestro_dsl.lang.files import kind_of_name
from maestro_dsl.lang.grammar import Part, grammar_of
from maestro_dsl.lang.model import Kind
from maestro_dsl.lsp.cursor import Cursor, Role, cursor_at
from maestro_dsl.lsp.positions import lines_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.lsp.cursor import Steps

_KIND: Final = re.compile(r"^kind:[ \t]*[\"']?(\w+)", re.MULTILINE)
_CONDITIONS: Final = frozenset({"when", "foreach"})
_OPEN: Final = "{{"
_CLOSE: Final = "}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place of one text; `part` is None where the grammar has nothing to say."""

    path: Path
    kind: Kind | None
    cursor: Cursor
    line: int
    column: int
    lines: Sequence[str] = field(repr=False)
    part: Part | None = None
    """Of the mapping that gets a key, or of the value."""
    explained: str = ""
    """The path of `part` as `maestro explain` takes it."""

    @property
    def expression(self) -> str | None:
        """The expression that the cursor stands in, up to the cursor; None where it is in none."""
        if self.cursor.role not in {Role.VALUE, Role.TEXT}:
            return None
        steps = self.cursor.steps
        if self.kind is not None and steps and steps[-1] in _CONDITIONS:
            return self.cursor.text.rpartition(_OPEN)[2]
        _, opening, inner = self.cursor.text.rpartition(_OPEN)
        return inner if opening and _CLOSE not in inner else None


def place_of(path: Path, text: str, line: int, column: int) -> Place:
    """Return what is at `line` and `column`, from 0 in code points, of the document at `path`."""
    lines = lines_in(text)
    cursor = cursor_at(lines, line, column)
    kind = kind_of(path, text)
    part, explained = (None, "") if kind is None else _follow(kind, cursor.steps, cursor.siblings)
    return Place(
        path=path,
        kind=kind,
        cursor=cursor,
        line=line,
        column=column,
        lines=lines,
        part=part,
        explained=explained,
    )


def kind_of(path: Path, text: str) -> Kind | None:
    """Return the kind of document that a text states, else the one that its file name promises."""
    stated = _KIND.search(text)
    known = {kind.value: kind for kind in Kind}
    if stated is not None and stated[1] in known:
        return known[stated[1]]
    return kind_of_name(path.name)


def key_path(place: Place, key: str) -> str:
    """Return the path, as `maestro explain` takes it, of a key in the mapping at `place`."""
    if place.part is None:
        return ""
    return f"{place.explained}.{_step(place.part, key, place.cursor.beside)}"


def _follow(kind: Kind, steps: Steps, siblings: Sequence[Mapping[str, str]]) -> tuple[Part | None, str]:
    part: Part | None = grammar_of(kind)
    path = kind.value.lower()
    for step, beside in zip(steps, siblings, strict=True):
        if part is None:
            return None, ""
        if isinstance(step, int):
            part, path = part.items, f"{path}[{step}]"
        else:
            path = f"{path}.{_step(part, step, beside)}"
            part = part.key(step, beside)
    return part, path


def _step(part: Part, name: str, beside: Mapping[str, str]) -> str:
    """Return a key as `explain` takes it; where it depends on a key beside it, with that."""
    for (key, value), parts in part.cases.items():
        if name in parts and beside.get(key) == value:
            return f"{name}({key}={value})"
    return name if name in part.keys else "id"
