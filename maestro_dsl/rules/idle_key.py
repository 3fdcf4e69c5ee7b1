"""SCH007 idle-key: a key that says nothing here, because what it belongs to is absent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Fix, Severity
from maestro_dsl.lang.mend import without_key
from maestro_dsl.lang.model import Kind, RetrySettings, TicketSettings
from maestro_dsl.lang.setting_layers import OF_NODES
from maestro_dsl.lang.ticket_places import PLACES
from maestro_dsl.rules.base import Facts, Mends, Rule, Scope
from maestro_dsl.rules.walk import criteria, mapping_at, nodes_with, retries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import DocumentValue, Policy
    from maestro_dsl.lang.sourcemap import Pointer


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every key without effect."""
    for document in facts.of(Kind.BLUEPRINT):
        yield from _of_nodes(document)
    for document in facts.of(Kind.PROJECT):
        yield from _of_tickets(document)
    for document in facts.of(Kind.POLICY):
        yield from _of_policy(document)
    yield from _of_uses(facts)
    for document in facts.of(Kind.CONTRACT):
        for pointer, criterion in criteria(document):
            if isinstance(criterion, dict) and "run" in criterion and criterion.get("check") != "command":
                yield _idle(document, (*pointer, "run"), "only belongs to check: command")


def _of_nodes(document: Document[DocumentValue]) -> Iterator[Diagnostic]:
    for pointer, node in nodes_with(document, "as"):
        if "foreach" not in node:
            yield _idle(document, (*pointer, "as"), "only names the item of a foreach, and there is none")
    for pointer, node in nodes_with(document, "idempotency_key"):
        if node.get("effect") is not True:
            yield _idle(document, (*pointer, "idempotency_key"), "only matters with effect: true")


def _of_policy(document: Document[DocumentValue]) -> Iterator[Diagnostic]:
    """Yield the Policy that another Policy names: nobody follows it."""
    if "use" in mapping_at(document.data, ("retry",)):
        yield _idle(document, ("retry", "use"), "is not followed: one Policy cannot use another")


def _of_uses(facts: Facts) -> Iterator[Diagnostic]:
    """Yield every `retry.use` of a Policy that has no `retry`, which is all that is taken from it."""
    if not any(workspace.settings.policies for workspace in facts.workspaces):
        return
    for document in facts.documents:
        for pointer, retry in retries(document):
            policy = _used_there(facts, document, retry.get("use"))
            if policy is None or policy.is_hole(("retry",)) or policy.value.policies.retry != RetrySettings():
                continue
            whole = f"write policies: {{use: {retry['use']}}} to take all it holds"
            yield RULE.finding(
                document.map.key_span((*pointer, "use")),
                f"use has no effect here: it takes the retry of {policy.value.id}, which states none",
                "leave it out" if document.kind is Kind.BLUEPRINT else whole,
            )


def _used_there(facts: Facts, document: Document[DocumentValue], text: object) -> Document[Policy] | None:
    for workspace in facts.workspaces:
        is_blueprint = workspace.blueprint.path == document.path
        policy = workspace.settings.policies.get((OF_NODES if is_blueprint else document.file, str(text)))
        if policy is not None:
            return policy
    return None


def _of_tickets(document: Document[DocumentValue]) -> Iterator[Diagnostic]:
    tickets = mapping_at(document.data, ("tickets",))
    place = PLACES.get(str(tickets.get("sink")))
    for key in tickets:
        if place is not None and hasattr(TicketSettings, key) and not place.knows(key):
            yield _idle(document, ("tickets", key), f"means nothing to {tickets['sink']}")


def _idle(document: Document[DocumentValue], pointer: Pointer, reason: str) -> Diagnostic:
    edit = without_key(document, pointer)
    return RULE.finding(
        document.map.key_span(pointer),
        f"{pointer[-1]} has no effect here: it {reason}",
        "leave it out, or add what it belongs to",
        fix=Fix(title=f"remove {pointer[-1]}", edits=(edit,)) if edit is not None else None,
    )


RULE = Rule(
    code="SCH007",
    name="idle-key",
    severity=Severity.WARNING,
    scope=Scope.DOCUMENT,
    summary="a key has no effect where it stands",
    fix=Mends.SAFE,
    check=check,
)
