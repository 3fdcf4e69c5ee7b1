"""STY001 missing-description: a document that a library exports, and nobody can tell what it is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Related, Severity
from maestro_dsl.lang.model import Kind
from maestro_dsl.lang.patterns import glob_match
from maestro_dsl.rules.base import Facts, Rule, Scope
from maestro_dsl.rules.walk import items_at, mapping_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import DocumentValue

_EXPORTS: Final = {
    "blueprints": Kind.BLUEPRINT,
    "personas": Kind.PERSONA,
    "contracts": Kind.CONTRACT,
    "policies": Kind.POLICY,
}


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every exported document without a description."""
    for library in facts.of(Kind.LIBRARY):
        exports = mapping_at(library.data, ("exports",))
        for name, kind in _EXPORTS.items():
            globs = [glob for _, glob in items_at(dict(exports), name) if isinstance(glob, str)]
            for document in facts.of(kind) if globs else ():
                if _is_exported(library, document, globs) and not _is_described(document):
                    where = Related(span=library.map.key_span(("exports", name)), message="exported here")
                    noun = kind.value.lower()
                    yield RULE.finding(
                        document.map.value_span(("id",)),
                        f'exported {noun} "{document.value.id}" has no description',
                        "add description: what it is for, in a sentence",
                        related=(where,),
                    )


def _is_exported(
    library: Document[DocumentValue], document: Document[DocumentValue], globs: list[str]
) -> bool:
    folder = library.path.parent
    if not document.path.is_relative_to(folder):
        return False
    path = document.path.relative_to(folder).as_posix()
    return any(glob_match(glob.removeprefix("./"), path) for glob in globs)


def _is_described(document: Document[DocumentValue]) -> bool:
    text = mapping_at(document.data, ()).get("description")
    return document.is_hole(("description",)) or (isinstance(text, str) and bool(text.strip()))


RULE = Rule(
    code="STY001",
    name="missing-description",
    severity=Severity.INFO,
    scope=Scope.PROJECT,
    summary="an exported document without a description",
    check=check,
)
