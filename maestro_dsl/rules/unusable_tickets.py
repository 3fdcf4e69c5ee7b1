"""RUN009 unusable-tickets: settings with which no ticket about a failed node can ever be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.lang.model import Kind, Project
from maestro_dsl.lang.ticket_places import PLACES, ticket_problems
from maestro_dsl.rules.base import Facts, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return what is missing in the tickets of each project, or cannot be used."""
    for document in facts.of(Kind.PROJECT):
        project = document.value
        if not isinstance(project, Project) or project.tickets is None or project.tickets.sink not in PLACES:
            continue
        problems = [
            item for item in ticket_problems(project.tickets) if not document.is_hole(("tickets", item.key))
        ]
        missing = [item for item in problems if item.missing]
        if missing:
            span = document.map.value_span(("tickets", "sink"))
            message = f"tickets to {project.tickets.sink} need {' and '.join(item.key for item in missing)}"
            yield RULE.finding(span, message, f"add, e.g. {', '.join(item.hint for item in missing)}")
        for problem in (item for item in problems if not item.missing):
            span = document.map.value_span(("tickets", problem.key))
            yield RULE.finding(span, problem.message, problem.hint)


RULE = Rule(
    code="RUN009",
    name="unusable-tickets",
    severity=Severity.ERROR,
    scope=Scope.DOCUMENT,
    summary="settings with which no ticket can be sent",
    check=check,
)
