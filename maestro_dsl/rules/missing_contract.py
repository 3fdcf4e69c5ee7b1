"""GRF007 missing-contract: a node that works on a contract is bound to none.

`fulfil`, `mock` and `verify` take their contract from the key `contract`, or from a `foreach` over contracts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.rules.base import Facts, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable

_WORK_ON_ONE: Final = frozenset({"fulfil", "mock", "verify"})


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every node of those actions that has neither a contract nor a loop that could give one."""
    for document in {item.path: item for item, _ in facts.blueprints}.values():
        for node in document.value.nodes.values():
            if node.action not in _WORK_ON_ONE or node.contract is not None or node.foreach is not None:
                continue
            if document.is_hole(("nodes", node.id, "contract")) or document.is_hole(
                ("nodes", node.id, "foreach")
            ):
                continue
            yield RULE.finding(
                document.map.value_span(("nodes", node.id, "action")),
                f"{node.id} cannot {node.action} anything: it is bound to no contract",
                "add contract, or foreach: contracts",
            )


RULE = Rule(
    code="GRF007",
    name="missing-contract",
    severity=Severity.ERROR,
    scope=Scope.DOCUMENT,
    summary="a node that works on a contract is bound to none",
    check=check,
)
