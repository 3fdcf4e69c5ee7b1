"""CTR008 duplicate-deliverable: two deliverables of one contract have the same name.

Reports, criteria and parts of a contract go by that name, so the second would hide the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Related, Severity
from maestro_dsl.lang.model import Kind
from maestro_dsl.rules.base import Facts, Rule, Scope
from maestro_dsl.rules.walk import deliverables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from maestro_dsl.lang.sourcemap import Pointer


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every deliverable whose name stands before it in the same contract."""
    for document in facts.of(Kind.CONTRACT):
        first: dict[str, Pointer] = {}
        for pointer, deliverable in deliverables(document):
            name = deliverable.get("name")
            if not isinstance(name, str):
                continue
            place = (*pointer, "name")
            if name in first:
                where = document.map.value_span(first[name])
                yield RULE.finding(
                    document.map.value_span(place),
                    f'deliverable "{name}" stands twice in contract "{document.value.id}"',
                    "give each deliverable its own name",
                    related=(Related(span=where, message="first stated here"),),
                )
            first.setdefault(name, place)


RULE = Rule(
    code="CTR008",
    name="duplicate-deliverable",
    severity=Severity.ERROR,
    scope=Scope.DOCUMENT,
    summary="two deliverables of a contract have one name",
    check=check,
)
