"""CTR007 artifact-overlap: two deliverables claim the same files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.rules.base import Facts, Rule, Scope, with_code

if TYPE_CHECKING:
    from collections.abc import Iterable


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every place where two deliverables claim the same files."""
    for workspace in facts.workspaces:
        from maestro_dsl.compiler.contracts import artifact_overlaps  # needed for plans only

        found = list(artifact_overlaps(workspace))
        # nodes that write over each other are the same mistake, and an error
        told = {item.span for item in with_code(facts.graph, "GRF006")} if found else set()
        yield from (item for item in found if item.span not in told)


RULE = Rule(
    code="CTR007",
    name="artifact-overlap",
    severity=Severity.WARNING,
    scope=Scope.WORKSPACE,
    summary="two deliverables claim the same files",
    check=check,
)
