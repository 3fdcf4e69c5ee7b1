"""GRF005 unbounded-fanout: `foreach` without a limit, or one that gives more instances than the limits allow.

An input can be of any length unless its schema says how long (`maxItems`, `maxProperties`, `maximum`, `enum`)
or the project says how far a loop may go (`limits.max_fanout`). Lists that stand in documents are as long as
somebody wrote them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.lang.layers import BUILT_IN
from maestro_dsl.rules.base import Facts, Rule, Scope, with_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import Blueprint
    from maestro_dsl.lang.workspace import Workspace

_BOUNDS: Final = frozenset({"maxItems", "maxProperties", "maximum", "exclusiveMaximum", "enum", "const"})


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every loop that passes a limit, and every loop over an input that has none."""
    yield from with_code(facts.graph, "GRF005")
    for document, workspace in facts.blueprints:
        if not _is_limited(workspace):
            yield from _open(document)


def _is_limited(workspace: Workspace | None) -> bool:
    return workspace is not None and workspace.settings.origins.get("limits.max_fanout", BUILT_IN) != BUILT_IN


def _open(document: Document[Blueprint]) -> Iterator[Diagnostic]:
    loops = [(node, node.foreach) for node in document.value.nodes.values() if node.foreach is not None]
    if not loops:
        return
    from maestro_dsl.lang.expression_reads import reads_of  # loads jinja2
    from maestro_dsl.lang.expressions import Expression, parse

    for node, foreach in loops:
        parsed = parse(foreach)
        if not isinstance(parsed, Expression) or "inputs" not in parsed.names:
            continue
        for read in reads_of(parsed):
            schema = (
                document.value.inputs.get(read.path[1])
                if read.path[0] == "inputs" and read.path[1:]
                else None
            )
            if isinstance(schema, dict) and not _BOUNDS.intersection(schema):
                offsets = document.map.scalar_offsets(("nodes", node.id, "foreach"))
                yield RULE.finding(
                    offsets.span(read.start, read.end),
                    f"{node.id} runs once for each of inputs.{read.path[1]}, which has no limit",
                    "state maxItems in the schema of the input, or limits.max_fanout in maestro.yaml",
                    severity=Severity.WARNING,
                )


RULE = Rule(
    code="GRF005",
    name="unbounded-fanout",
    severity=Severity.ERROR,
    scope=Scope.GRAPH,
    summary="foreach has no limit, or gives more than the limits allow",
    check=check,
)
