"""What a rule is, and the facts that rules share: each is found out once a run of the rules, on first use.

What the compiler knows loads where it is asked for: one blueprint without a plan needs little of it, and
starts 40 ms sooner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from maestro_dsl.compiler.order import stand_in_order, topological
from maestro_dsl.diagnostics import Diagnostic, Diagnostics, Fix, Related, Severity, Span
from maestro_dsl.lang.contracts import resolve_contract
from maestro_dsl.lang.disk import is_file
from maestro_dsl.lang.lockfile import LOCK_FILE
from maestro_dsl.lang.model import Blueprint, Contract, Kind
from maestro_dsl.lang.model_providers import PROVIDERS
from maestro_dsl.lang.prompts import PromptFile, prompts_of
from maestro_dsl.lang.setting_layers import retry_conditions
from maestro_dsl.lang.suggest import closest
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from maestro_dsl.compiler.instances import Instance
    from maestro_dsl.lang.contracts import ResolvedContract
    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import DocumentValue, Project
    from maestro_dsl.lang.workspace import Workspace
    from maestro_dsl.libraries.audit import Audit
    from maestro_dsl.rules.texts import NodeTexts


_IN_EXPRESSIONS: Final = ("EXP001", "EXP002", "EXP003", "REF001")


class Scope(StrEnum):
    """What a rule has to see."""

    DOCUMENT = "document"
    WORKSPACE = "workspace"
    INTERFACE = "interface"
    GRAPH = "graph"
    PROJECT = "project"
    """Every document of a project, also those that no plan uses."""


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

    def of(self, kind: Kind) -> tuple[Document[DocumentValue], ...]:
        """Return the documents of one kind."""
        return self._by_kind.get(kind, ())

    @cached_property
    def _by_kind(self) -> dict[Kind, tuple[Document[DocumentValue], ...]]:
        return {kind: tuple(item for item in self.documents if item.kind is kind) for kind in Kind}

    @cached_property
    def interfaces(self) -> tuple[tuple[ResolvedContract, object | None, Diagnostics], ...]:
        """Every contract with the model of its interface (None = none, or broken), and what is wrong."""
        if not self.contracts:
            return ()
        from maestro_dsl.compiler.contracts import parse_interface

        return tuple((resolved, *parse_interface(resolved)) for resolved, _ in self.contracts)

    @cached_property
    def libraries(self) -> tuple[tuple[Document[Project], Audit], ...]:
        """Every project that states libraries or has a lock, with how these and the disk agree."""
        projects = [cast("Document[Project]", document) for document in self.of(Kind.PROJECT)]
        with_any = [
            item for item in projects if item.value.libraries or is_file(item.path.parent / LOCK_FILE)
        ]
        if not with_any:
            return ()
        from maestro_dsl.libraries.audit import audit  # most projects need none of it

        return tuple(
            (item, audit(item.path.parent, item.value.libraries, file=_beside(item, LOCK_FILE)))
            for item in with_any
            if not item.is_hole(("libraries",))
        )

    @cached_property
    def texts(self) -> tuple[NodeTexts, ...]:
        """Every expression in the parameters of the nodes of all blueprints."""
        documents = {document.path: document for document, _ in self.blueprints}
        hopeful = [document for document in documents.values() if _may_hold_expressions(document)]
        if not hopeful:
            return ()
        from maestro_dsl.rules.texts import node_texts  # loads jinja2

        sound = (document for document in hopeful if self._has_sound_expressions(document))
        return tuple(text for document in sound for text in node_texts(document))

    @cached_property
    def prompts(self) -> tuple[PromptFile, ...]:
        """Every prompt file of the personas."""
        return prompts_of(self.workspaces, self.of(Kind.PERSONA))

    @cached_property
    def prompt_problems(self) -> Diagnostics:
        """Findings about the form of the prompt files, and about what they read."""
        if not self.prompts:
            return Diagnostics()
        from maestro_dsl.compiler.prompt_check import prompt_problems  # loads jinja2

        return Diagnostics([item for prompt in self.prompts for item in prompt_problems(prompt)])

    @cached_property
    def expressions(self) -> Diagnostics:
        """Findings about the expressions of all blueprints, and the conditions that others state for them."""
        found = Diagnostics()
        for document, workspace in self.blueprints:
            if _may_hold_expressions(document):
                from maestro_dsl.compiler.check import check_blueprint  # loads jinja2

                found.extend(check_blueprint(document, workspace))
        for stating in self.documents:
            if any(retry_conditions(stating)):
                from maestro_dsl.compiler.check import check_retry_conditions

                found.extend(check_retry_conditions(stating))
        return found

    @cached_property
    def expanded(self) -> tuple[tuple[Workspace, tuple[Instance, ...], Diagnostics], ...]:
        """The instances of each workspace, as far as its mistakes allow, and those mistakes."""
        if not self.workspaces:
            return ()
        from maestro_dsl.compiler.expand import judge

        hopeful = (item for item in self.workspaces if self._has_sound_expressions(item.blueprint))
        return tuple((workspace, *judge(workspace)) for workspace in hopeful)

    def _has_sound_expressions(self, blueprint: Document[Blueprint]) -> bool:
        """Return whether it is worth evaluating expressions: the most of them are no mistakes."""
        return all(self.expressions.has_room(code, blueprint.file) for code in _IN_EXPRESSIONS)

    @cached_property
    def graph(self) -> Diagnostics:
        """Findings about the graphs of the workspaces, and about the needs of other blueprints."""
        found = Diagnostics()
        for _, _, wrong in self.expanded:
            from maestro_dsl.compiler.check import without_echoes

            found.extend(without_echoes(wrong.items, self.expressions.items))
        for document, workspace in self.blueprints:
            if workspace is None and _has_cycle(document.value):
                from maestro_dsl.compiler.expand import blueprint_order

                _, cycle = blueprint_order(document)
                found.extend([cycle] if cycle is not None else [])
        return found


def _may_hold_expressions(document: Document[Blueprint]) -> bool:
    """Return whether there may be an expression; a brace can also be written as an escape."""
    return (
        "{{" in document.text
        or "\\" in document.text
        or any(
            node.when is not None or node.foreach is not None or node.retry.when is not None
            for node in document.value.nodes.values()
        )
    )


def _has_cycle(blueprint: Blueprint) -> bool:
    if stand_in_order(blueprint.nodes):
        return False
    needs = {name: [need.node for need in node.needs] for name, node in blueprint.nodes.items()}
    known = {name: [need for need in needed if need in needs] for name, needed in needs.items()}
    return len(topological(known)) < len(known)


def _beside(document: Document[Project], name: str) -> str:
    """Return what a file beside a document is called in messages."""
    return (PurePosixPath(document.file).parent / name).as_posix()


Check: TypeAlias = Callable[[Facts], Iterable[Diagnostic]]


def found_earlier(_: Facts) -> Iterable[Diagnostic]:
    """Return nothing: what such a rule finds is found where documents are read."""
    return ()


class Mends(StrEnum):
    """Whether findings of a rule can come with a fix."""

    NEVER = "no"
    SAFE = "safe"
    LOOK = "needs a look"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: its stable code and name, its worst severity, what it has to see, and how it looks."""

    code: str
    name: str
    severity: Severity
    scope: Scope
    summary: str
    fix: Mends = Mends.NEVER
    is_optional: bool = False
    """True where it looks only if it is selected by its code or name."""
    check: Check = found_earlier

    def finding(
        self,
        span: Span,
        message: str,
        help_text: str | None = None,
        *,
        related: tuple[Related, ...] = (),
        fix: Fix | None = None,
        severity: Severity | None = None,
    ) -> Diagnostic:
        """Return a finding of this rule."""
        return Diagnostic(
            code=self.code,
            name=self.name,
            severity=severity or self.severity,
            span=span,
            message=message,
            help=help_text,
            related=related,
            fix=fix,
        )


def with_code(found: Diagnostics, code: str) -> Iterator[Diagnostic]:
    """Yield the findings of one rule."""
    return (item for item in found.items if item.code == code)


_FAMILIES: Final = ("SYN", "SCH", "REF", "GRF", "EXP", "CTR", "PER", "RUN", "SEC", "LIB", "STY", "SUP")


def order_of(code: str) -> tuple[int, str]:
    """Return the place of a code in tables: from text to meaning to style, then by number."""
    family = code[:3]
    return (_FAMILIES.index(family) if family in _FAMILIES else len(_FAMILIES), code)


def is_offline(provider: str) -> bool:
    """Return whether a model provider calls no model; it may carry a file, as in "scripted:answers.yaml".

    A misspelt one counts as what was meant: that it is misspelt is told where it stands.
    """
    name = provider.partition(":")[0]
    return name in PROVIDERS or closest(name, PROVIDERS) is not None
