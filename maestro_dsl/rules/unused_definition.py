"""REF007 unused-definition: a persona, contract or policy that no plan of its project uses.

Silent where it cannot know: a plan of the project that was not read, or not whole. Inputs that nobody reads
are found where the blueprint is read; a team member that provides nothing is CTR002.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.lang.files import search
from maestro_dsl.lang.model import Kind
from maestro_dsl.rules.base import Facts, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import DocumentValue
    from maestro_dsl.lang.workspace import Workspace

_HOW: Final = {
    Kind.PERSONA: "name it in the team of a plan, or delete the file",
    Kind.CONTRACT: "list it under contracts of a plan, or delete the file",
    Kind.POLICY: "name it under policies.use or retry.use, or delete the file",
}


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every persona, contract and policy that no plan of its project uses."""
    idle = [item for item in facts.documents if item.kind in _HOW and item.path not in facts.used]
    if not idle:
        return
    ids = Counter((item.kind, item.value.id) for item in facts.documents)
    idle = [item for item in idle if ids[item.kind, item.value.id] == 1]  # of two with one id, REF009 tells
    for root in {workspace.root for workspace in facts.workspaces}:
        mine = [item for item in idle if item.path.is_relative_to(root)]
        if mine and _is_known_whole(root, facts):
            yield from map(_unused, mine)


def _is_known_whole(root: Path, facts: Facts) -> bool:
    """Return whether every plan below `root` was read with all that it names, and no library is exported."""
    whole = {item.plan.path for item in facts.workspaces if _is_whole(item)}
    kinds = [(path.resolve(), kind) for path, kind in search(root)]
    if any(kind is Kind.LIBRARY for _, kind in kinds):
        return False
    return all(path in whole for path, kind in kinds if kind is Kind.PLAN)


def _is_whole(workspace: Workspace) -> bool:
    """Return whether all that a plan names was found; a wrong name may have meant what looks unused."""
    documents: Iterator[Document[DocumentValue]] = iter(workspace.documents)
    is_sound = not any(item.holes for item in documents if item.kind is not Kind.CONTRACT)
    return is_sound and not workspace.is_partial


def _unused(document: Document[DocumentValue]) -> Diagnostic:
    noun = document.kind.value.lower()
    return Diagnostic(
        code="REF007",
        name="unused-definition",
        severity=Severity.WARNING,
        span=document.map.value_span(("id",)),
        message=f'{noun} "{document.value.id}" is used by no plan',
        help=_HOW[document.kind],
    )


RULE = Rule(
    code="REF007",
    name="unused-definition",
    severity=Severity.WARNING,
    scope=Scope.PROJECT,
    summary="a persona, contract, policy or input is never used",
    check=check,
)
