"""CTR005 no-mock-possible: a contract has consumers, and no mock of it can be made for them to start on.

A contract of deliverables only (`type: INTERFACE` without a spec) and `mock_available: false` are choices
and silent here; so is a mock that is possible and that a blueprint without a mock node never asks for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.lang.model import ContractType
from maestro_dsl.rules.base import Facts, Rule, Scope
from maestro_dsl.rules.walk import mapping_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import Contract
    from maestro_dsl.lang.sourcemap import Pointer


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every contract whose consumers have to wait although it wants a mock."""
    for resolved, _ in facts.contracts:
        found = _reason(resolved.document)
        if found is not None:
            pointer, reason, hint = found
            yield RULE.finding(resolved.document.map.value_span(pointer), reason, hint)


def _reason(document: Document[Contract]) -> tuple[Pointer, str, str] | None:
    contract = document.value
    data = mapping_at(document.data, ())
    if not contract.mock_available or document.holes or "provider_persona_id" not in data:
        return None
    if contract.interface_spec is None and data.get("mock_available") is True:
        message = f"there is nothing to mock: {contract.id} states no interface_spec"
        return ("mock_available",), message, "add interface_spec, or leave mock_available out"
    if not contract.consumer_persona_ids or contract.type is ContractType.INTERFACE:
        return None
    waiting = f"so {' and '.join(contract.consumer_persona_ids)} must wait for {contract.provider_persona_id}"
    if contract.interface_spec is None:
        message = f"no mock of {contract.id} can be made without an interface_spec, {waiting}"
        return ("type",), message, "add interface_spec, or say mock_available: false"
    from maestro_dsl.interfaces.registry import KINDS  # loads what interfaces are made of

    if contract.type not in KINDS:
        known = ", ".join(kind.value for kind in KINDS)
        message = f"no mock of a {contract.type.value} can be made, {waiting}"
        return ("type",), message, f"mocks are made of: {known}"
    return None


RULE = Rule(
    code="CTR005",
    name="no-mock-possible",
    severity=Severity.WARNING,
    scope=Scope.DOCUMENT,
    summary="consumers have to wait, because no mock can be made",
    check=check,
)
