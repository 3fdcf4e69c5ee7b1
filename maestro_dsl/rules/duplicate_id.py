"""REF009 duplicate-id: two documents of one kind and project have the same id, so it means two things.

Contracts are judged a plan at a time, because two plans may each have an `api` of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Related, Severity
from maestro_dsl.lang.files import area_of, core_area
from maestro_dsl.lang.model import Kind
from maestro_dsl.rules.base import Facts, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import DocumentValue

_KINDS: Final = (Kind.BLUEPRINT, Kind.PERSONA, Kind.POLICY, Kind.PLAN)


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every document whose id another of its kind and project has."""
    roots: dict[Path, Path | None] = {}
    core = core_area().root
    for kind in _KINDS:
        first: dict[tuple[Path, str], Document[DocumentValue]] = {}
        for document in sorted(facts.of(kind), key=lambda item: item.file):
            folder = document.path.parent
            if folder not in roots:
                roots[folder] = None if folder.is_relative_to(core) else area_of(document.path).root
            root = roots[folder]
            if not document.value.id or root is None:
                continue
            key = (root, document.value.id)
            if key in first:
                yield _finding(document, first[key])
            first.setdefault(key, document)


def _finding(document: Document[DocumentValue], first: Document[DocumentValue]) -> Diagnostic:
    noun = document.kind.value.lower()
    nouns = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    where = first.map.value_span(("id",))
    return RULE.finding(
        document.map.value_span(("id",)),
        f'two {nouns} of this project have the id "{document.value.id}"',
        f"give each {noun} its own id; the name would mean {first.file}",
        related=(Related(span=where, message="first stated here"),),
    )


RULE = Rule(
    code="REF009",
    name="duplicate-id",
    severity=Severity.ERROR,
    scope=Scope.PROJECT,
    summary="two documents of one kind have one id",
    check=check,
)
