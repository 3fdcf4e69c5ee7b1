"""REF008 missing-file: a path or glob that finds nothing, or leaves the project folder.

Spec files, prompts and contracts are found where they are read; here stand the paths that nothing reads
before a run: what a library exports, the price list of a project, nested plans.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.lang.files import PathProblem, area_of
from maestro_dsl.lang.finder import not_found
from maestro_dsl.lang.model import Blueprint, Kind
from maestro_dsl.rules.base import Facts, Rule, Scope
from maestro_dsl.rules.walk import items_at, mapping_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import DocumentValue
    from maestro_dsl.lang.sourcemap import Pointer


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every such path that means no file."""
    for document in facts.of(Kind.LIBRARY):
        for name, globs in mapping_at(document.data, ("exports",)).items():
            for place, glob in items_at({name: globs}, name):
                yield from _missing(document, ("exports", name, place), glob)
    for document in facts.of(Kind.PROJECT):
        yield from _missing(document, ("prices_file",), mapping_at(document.data, ()).get("prices_file"))
    for document in facts.of(Kind.BLUEPRINT):
        nodes = document.value.nodes.values() if isinstance(document.value, Blueprint) else ()
        for pointer in [("nodes", node.id, "with") for node in nodes if node.action == "plan"]:
            stated = mapping_at(document.data, pointer).get("file")
            if not isinstance(stated, str) or "{{" not in stated:  # else it is known later
                yield from _missing(document, (*pointer, "file"), stated)


def _missing(document: Document[DocumentValue], pointer: Pointer, stated: object) -> Iterator[Diagnostic]:
    if not isinstance(stated, str) or not stated or document.is_hole(pointer):
        return
    try:
        area_of(document.path).expand(document.path, stated)
    except PathProblem as problem:
        yield not_found(document.map.value_span(pointer), stated, str(problem))


RULE = Rule(
    code="REF008",
    name="missing-file",
    severity=Severity.ERROR,
    scope=Scope.DOCUMENT,
    summary="a file that is named is absent, or lies outside the project",
    check=check,
)
