"""What rules look for in the data of a document, with the pointer to each: deliverables, criteria, retries.

Works on the data as written, so that the pointers hold also where a part has errors and is left out of the
value. What is not of the expected shape was reported by the grammar, and is passed over here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.lang.mend import mapping_at
from maestro_dsl.lang.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from maestro_dsl.diagnostics import Span
    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import DocumentValue, Json
    from maestro_dsl.lang.sourcemap import Pointer
    from maestro_dsl.lang.workspace import Workspace

__all__ = [
    "criteria",
    "deliverables",
    "guardrail",
    "items_at",
    "mapping_at",
    "nodes_with",
    "policies",
    "retries",
]


def items_at(data: Json, key: str) -> Iterator[tuple[int, Json]]:
    """Yield the items of the list that a mapping holds under `key`, with their places."""
    found = data.get(key) if isinstance(data, dict) else None
    yield from enumerate(found if isinstance(found, list) else ())


def deliverables(document: Document[DocumentValue]) -> Iterator[tuple[Pointer, Mapping[str, Json]]]:
    """Yield every deliverable of a contract."""
    for place, item in items_at(document.data, "deliverables"):
        if isinstance(item, dict):
            yield ("deliverables", place), item


def criteria(document: Document[DocumentValue]) -> Iterator[tuple[Pointer, Json]]:
    """Yield every acceptance criterion of a contract."""
    for pointer, deliverable in deliverables(document):
        for place, item in items_at(dict(deliverable), "acceptance_criteria"):
            yield (*pointer, "acceptance_criteria", place), item


def nodes_with(document: Document[DocumentValue], key: str) -> Iterator[tuple[Pointer, Mapping[str, Json]]]:
    """Yield every node of a blueprint that has a key."""
    for name, node in mapping_at(document.data, ("nodes",)).items():
        if isinstance(node, dict) and key in node:
            yield ("nodes", name), node


def policies(document: Document[DocumentValue]) -> Iterator[Pointer]:
    """Yield every place of a document but a blueprint where `retry`, `safety` and `give_up` may stand."""
    if document.kind is Kind.PLAN:
        yield ("policies",)
    elif document.kind is Kind.POLICY:
        yield ()
    elif document.kind is Kind.PROJECT:
        yield ("defaults", "policies")
        for name in mapping_at(document.data, ("environments",)):
            yield ("environments", name, "defaults", "policies")


def retries(document: Document[DocumentValue]) -> Iterator[tuple[Pointer, Mapping[str, Json]]]:
    """Yield every `retry` of a document."""
    if document.kind is Kind.BLUEPRINT:
        for pointer, node in nodes_with(document, "retry"):
            retry = node["retry"]
            if retry and isinstance(retry, dict):
                yield (*pointer, "retry"), retry
        return
    for pointer in policies(document):
        found = mapping_at(document.data, (*pointer, "retry"))
        if found:
            yield (*pointer, "retry"), found


def guardrail(workspace: Workspace, key: str) -> Span | None:
    """Return where the plan states a guardrail: itself, or by the Policy that it uses."""
    plan = workspace.plan
    if plan.map.has(("guardrails", key)):
        return plan.map.value_span(("guardrails", key))
    policy = workspace.settings.policies.get((plan.file, plan.value.policies.use or ""))
    if policy is not None and policy.map.has(("guardrails", key)):
        return plan.map.value_span(("policies", "use"))
    return None
