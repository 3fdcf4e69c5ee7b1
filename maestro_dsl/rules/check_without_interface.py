"""CTR009 check-without-interface: a conformance check in a contract that has no interface to conform to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.lang.model import Kind
from maestro_dsl.rules.base import Facts, Rule, Scope
from maestro_dsl.rules.walk import criteria, mapping_at

if TYPE_CHECKING:
    from collections.abc import Iterable

_NEEDS: Final = {"openapi_conformance": "openapi", "graphql_conformance": "graphql"}


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every conformance check whose contract states no interface of that kind."""
    for document in facts.of(Kind.CONTRACT):
        if document.is_hole(("interface_spec",)) or document.is_hole(("interface_spec", "type")):
            continue
        stated = mapping_at(document.data, ("interface_spec",)).get("type")
        for pointer, criterion in criteria(document):
            name = criterion.get("check") if isinstance(criterion, dict) else None
            wanted = _NEEDS.get(name) if isinstance(name, str) else None
            if wanted is None or wanted == stated:
                continue
            has = "no interface_spec" if stated is None else f"an interface_spec of type {stated}"
            yield RULE.finding(
                document.map.value_span((*pointer, "check")),
                f"{name} has nothing to check against: the contract states {has}",
                f"add interface_spec with type {wanted}, or use check: command",
            )


RULE = Rule(
    code="CTR009",
    name="check-without-interface",
    severity=Severity.ERROR,
    scope=Scope.DOCUMENT,
    summary="a conformance check without an interface",
    check=check,
)
