"""RUN011 absent-action: a node asks for an action that the language knows and this version cannot do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Severity, limited
from maestro_dsl.rules.base import Facts, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import Blueprint

PRESENT: Final = ("approve", "command", "fulfil", "mock", "render", "report", "verify")
"""The actions that have an implementation; the others wait for models that judge, and for plans in plans."""


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every node that would fail as soon as it is reached."""
    for document in {item.path: item for item, _ in facts.blueprints}.values():
        yield from limited(_absent(document))


def _absent(document: Document[Blueprint]) -> Iterator[Diagnostic]:
    for node in document.value.nodes.values():
        if node.action not in PRESENT:
            yield RULE.finding(
                document.map.value_span(("nodes", node.id, "action")),
                f"this version has no {node.action}: the node fails when its turn comes",
                f"what it can do: {', '.join(PRESENT)}",
            )


RULE = Rule(
    code="RUN011",
    name="absent-action",
    severity=Severity.WARNING,
    scope=Scope.DOCUMENT,
    summary="an action is a word of the language that this version cannot do",
    check=check,
)
