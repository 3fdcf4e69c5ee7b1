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
from maestro_dsl.lang.contracts import resolve_contract
from maestro_dsl.lang.model import Blueprint, Contract

if TYPE_CHECKING:
    from maestro_dsl.lang.contracts import ResolvedContract
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
    """The documents and the workspaces, and what the compiler's static half says about them."""

    def __init__(
        self, documents: Sequence[Document[DocumentValue]], workspaces: Sequence[Workspace] = ()
    ) -> None:
        used = {item.path: item for workspace in workspaces for item in workspace.documents}
        self.workspaces = workspaces
        self.documents = tuple({**{item.path: item for item in documents}, **used}.values())
        """Every document once, also those that a workspace read beside what was asked for."""
        self.used = frozenset(used)
        """Paths of what the workspaces read."""

    @cached_property
    def blueprints(self) -> tuple[tuple[Document[Blueprint], Workspace | None], ...]:
        """Every blueprint with each workspace that uses it; alone where none does."""
        found: list[tuple[Document[Blueprint], Workspace | None]] = [
            (workspace.blueprint, workspace) for workspace in self.workspaces
        ]
        taken = {document.path for document, _ in found}
        found += [
            (cast("Document[Blueprint]", document), None)
            for document in self.documents
            if isinstance(document.value, Blueprint) and document.path not in taken
        ]
        return tuple(found)

    @cached_property
    def contracts(self) -> tuple[tuple[ResolvedContract, Diagnostics], ...]:
        """Every contract once with its spec file, and what went wrong in reading that here.

        Contracts of a workspace come with nothing wrong: it was reported where the workspace was read.
        """
        read = (item for workspace in self.workspaces for item in workspace.contracts.values())
        found = {item.document.path: (item, Diagnostics()) for item in read}
        for document in self.documents:
            if isinstance(document.value, Contract) and document.path not in found:
                found[document.path] = resolve_contract(cast("Document[Contract]", document))
        return tuple(found.values())

    @cached_property
    def expressions(self) -> Diagnostics:
        """Findings about the expressions of all blueprints."""
        found = Diagnostics()
        for document, workspace in self.blueprints:
            found.extend(check_blueprint(document, workspace))
        return found

    @cached_property
    def graph(self) -> Diagnostics:
        """Findings about the graphs of the workspaces, and about the needs of other blueprints."""
        found = Diagnostics()
        for document, workspace in self.blueprints:
            if workspace is not None:
                found.extend(without_echoes(expand(workspace)[1], self.expressions.items))
                continue
            _, cycle = blueprint_order(document)
            found.extend([cycle] if cycle is not None else [])
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
