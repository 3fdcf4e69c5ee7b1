"""What a rule is, and the facts that rules share: each is found out once a run of the rules, on first use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias, cast

from maestro_dsl.compiler.check import check_blueprint, without_echoes
from maestro_dsl.compiler.expand import blueprint_order, expand
from maestro_dsl.diagnostics import Diagnostic, Diagnostics, Severity
from maestro_dsl.lang.model import Blueprint

if TYPE_CHECKING:
    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import DocumentValue
    from maestro_dsl.lang.workspace import Workspace


class Scope(StrEnum):
    """What a rule has to see."""

    DOCUMENT = "document"
    WORKSPACE = "workspace"
    INTERFACE = "interface"
    GRAPH = "graph"


class Facts:
    """The documents and the workspace, and what the compiler's static half says about them."""

    def __init__(self, documents: Sequence[Document[DocumentValue]], workspace: Workspace | None) -> None:
        self.documents = documents
        self.workspace = workspace

    @property
    def blueprints(self) -> Iterator[tuple[Document[Blueprint], Workspace | None]]:
        """Every blueprint among the documents once, with the workspace that uses it."""
        used = self.workspace.blueprint if self.workspace is not None else None
        if used is not None:
            yield used, self.workspace
        for document in self.documents:
            if isinstance(document.value, Blueprint) and (used is None or document.path != used.path):
                yield cast("Document[Blueprint]", document), None

    @cached_property
    def expressions(self) -> Diagnostics:
        """Findings about the expressions of all blueprints."""
        found = Diagnostics()
        for document, workspace in self.blueprints:
            found.extend(check_blueprint(document, workspace))
        return found

    @cached_property
    def graph(self) -> Diagnostics:
        """Findings about the graph of the workspace, and about the needs of other blueprints."""
        found = Diagnostics()
        for document, workspace in self.blueprints:
            if workspace is None:
                _, cycle = blueprint_order(document)
                found.extend([cycle] if cycle is not None else [])
        if self.workspace is not None:
            found.extend(without_echoes(expand(self.workspace)[1], self.expressions.items))
        return found


Check: TypeAlias = Callable[[Facts], Iterable[Diagnostic]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: its stable code and name, its worst severity, what it has to see, and how it looks."""

    code: str
    name: str
    severity: Severity
    scope: Scope
    summary: str
    check: Check


def with_code(found: Iterable[Diagnostic], code: str) -> Iterator[Diagnostic]:
    """Yield the findings of one rule."""
    return (item for item in found if item.code == code)
