"""CTR010 interface-mismatch: the type of a contract and the type of its interface do not go together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Related, Severity
from maestro_dsl.lang.model import Kind
from maestro_dsl.rules.base import Facts, Rule, Scope
from maestro_dsl.rules.walk import mapping_at

if TYPE_CHECKING:
    from collections.abc import Iterable

_FITTING: Final = {
    "REST_API": ("openapi",),
    "GRAPHQL": ("graphql",),
    "GRPC": ("proto",),
    "EVENT_STREAM": ("asyncapi",),
    "MESSAGE_QUEUE": ("asyncapi",),
    "INTERFACE": ("json_schema", "python", "typescript"),
}


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every interface whose type does not fit the type of its contract."""
    for document in facts.of(Kind.CONTRACT):
        data = mapping_at(document.data, ())
        kind = data.get("type", "INTERFACE")
        stated = mapping_at(document.data, ("interface_spec",)).get("type")
        if not isinstance(kind, str) or not isinstance(stated, str):
            continue
        if kind not in _FITTING or document.is_hole(("interface_spec", "type")) or stated in _FITTING[kind]:
            continue
        fits = next((name for name, types in _FITTING.items() if stated in types), None)
        place = Related(span=document.map.value_span(("type",)), message="the contract's type")
        yield RULE.finding(
            document.map.value_span(("interface_spec", "type")),
            f"a contract of type {kind} has an interface of type {' or '.join(_FITTING[kind])}, not {stated}",
            f"{stated} goes with type: {fits}" if fits else None,
            related=(place,) if "type" in data else (),
        )


RULE = Rule(
    code="CTR010",
    name="interface-mismatch",
    severity=Severity.ERROR,
    scope=Scope.DOCUMENT,
    summary="the types of a contract and of its interface do not go together",
    check=check,
)
