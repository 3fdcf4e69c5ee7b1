"""What a node leaves for run time: its condition and the parameters that read outputs of nodes.

Outputs are bound as data; what they hold is never rendered again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.lang.expressions import ExpressionError, Problem, evaluate, parse, render_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.compiler.plan import PlanNode
    from maestro_dsl.lang.model import Json


def condition_holds(node: PlanNode, outputs: Mapping[str, Json]) -> bool:
    """Return whether the node's run-time condition is true; a node without one always runs.

    `outputs` is what `outputs_by_node` returns.

    Raises:
        ExpressionError: the condition cannot be evaluated, or is neither true nor false.
    """
    if node.when is None:
        return True
    parsed = parse(node.when)
    if isinstance(parsed, Problem):
        raise ExpressionError(f"{parsed.message} (in {node.when})", hint=parsed.help)
    value = evaluate(parsed, {**node.bindings, "nodes": dict(outputs)})
    if not isinstance(value, bool):
        raise ExpressionError(f"the condition of {node.address} is neither true nor false: {value!r}")
    return value


def bound_params(node: PlanNode, outputs: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return the node's parameters with everything known.

    Raises:
        ExpressionError: a parameter cannot be evaluated.
    """
    if not node.late_params:
        return node.params
    context = {**node.bindings, "nodes": dict(outputs)}
    late = {name: render_value(node.params[name], context) for name in node.late_params}
    return {**node.params, **late}


def outputs_by_node(
    finished: Mapping[str, tuple[str | None, Mapping[str, Json]]], nodes: Mapping[str, str]
) -> dict[str, Json]:
    """Return `nodes` as expressions see it: id → {outputs}, of a node with keys a mapping by key.

    `nodes` maps each finished address to its node id, `finished` to its key and outputs.
    """
    found: dict[str, Json] = {}
    for address, (key, outputs) in finished.items():
        entry = found.setdefault(nodes[address], {"outputs": {}})
        if not isinstance(entry, dict):
            continue
        if key is None:
            entry["outputs"] = dict(outputs)
        elif isinstance(entry["outputs"], dict):
            entry["outputs"][key] = dict(outputs)
    return found
