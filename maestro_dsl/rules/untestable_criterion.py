"""CTR006 untestable-criterion: a criterion in free text, and no model in the plan that could judge it.

The offline provider `scaffold` writes files and judges nothing. A required criterion then never counts as
met; an optional one is listed as not judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.rules.base import Facts, Rule, Scope
from maestro_dsl.rules.walk import criteria

if TYPE_CHECKING:
    from collections.abc import Iterable

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import DocumentValue, Json


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every criterion in free text of the plans that work offline."""
    for workspace in facts.workspaces:
        if workspace.settings.provider != "scaffold":
            continue
        for resolved in workspace.contracts.values():
            document = cast("Document[DocumentValue]", resolved.document)
            for pointer, criterion in criteria(document):
                found = _free_text(criterion)
                if found is None:
                    continue
                place = (*pointer, "text") if isinstance(criterion, dict) else pointer
                yield RULE.finding(
                    document.map.value_span(place),
                    _REQUIRED if found else _OPTIONAL,
                    "write it as a check: command, or choose a provider with a model",
                    severity=Severity.WARNING if found else Severity.INFO,
                )


_REQUIRED = "no model judges this text (provider scaffold), so this required criterion is never met"
_OPTIONAL = "no model judges this text (provider scaffold), so it is only listed as not judged"


def _free_text(criterion: Json) -> bool | None:
    """Return None for a check, else whether the text is required."""
    if isinstance(criterion, str):
        return False
    if isinstance(criterion, dict) and "check" not in criterion and "text" in criterion:
        return criterion.get("required") is True
    return None


RULE = Rule(
    code="CTR006",
    name="untestable-criterion",
    severity=Severity.WARNING,
    scope=Scope.WORKSPACE,
    summary="a criterion in free text, and no model to judge it",
    check=check,
)
