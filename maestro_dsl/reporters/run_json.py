"""A run as programs read it: one JSON document of all that `run.text` shows, and more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maestro_dsl.codec import digest, to_json
from maestro_dsl.engine.state import NodeState
from maestro_dsl.reporters.run import without_score
from maestro_dsl.reporters.text import FORMAT_VERSION

if TYPE_CHECKING:
    from maestro_dsl.compiler.plan import PlanNode
    from maestro_dsl.engine.events import AttemptFinished
    from maestro_dsl.engine.state import NodeRecord
    from maestro_dsl.reporters.run import RunView


def json_document(view: RunView) -> dict[str, Any]:
    """Return the run as JSON; times in seconds since the epoch, money in nano-dollars."""
    state = view.state
    busy = sum(record.busy_s for record in state.nodes.values())
    return {
        "format_version": FORMAT_VERSION,
        "run_id": state.run_id,
        "plan": {"id": view.plan.id, "name": view.plan.name, "digest": view.plan.digest},
        "status": view.status,
        "verdict": view.verdict,
        "live": view.live,
        "reason": state.reason,
        "output": view.output,
        "removed": list(state.removed),
        "kept": list(state.kept),
        "unchecked": list(state.unchecked),
        "started_at": state.started_at,
        "finished_at": state.finished_at,
        "active_s": round(state.active_s, 3),
        "work_s": round(busy, 3),
        "tokens": state.tokens,
        "saved_tokens": state.saved_tokens,
        "saved_nano_usd": state.saved_nano_usd,
        "saved_s": round(state.saved_s, 3),
        "cache_hits": sum(record.state is NodeState.CACHED for record in state.nodes.values()),
        "nano_usd": state.nano_usd,
        "nodes": [_node_json(node, state.nodes.get(node.address)) for node in view.plan.nodes],
        "quality": {
            "overall": view.overall_quality,
            "threshold": view.plan.quality_threshold,
            "contracts": {name: to_json(report) for name, report in view.quality.items()},
            "unscored": list(without_score(view)),
        },
        "estimate": to_json(view.estimate),
        "alerts": [to_json(alert) for alert in state.alerts.values()],
        "tickets": [to_json(ticket) for ticket in view.tickets],
    }


def _node_json(node: PlanNode, record: NodeRecord | None) -> dict[str, Any]:
    if record is None:
        return {"address": node.address, "state": NodeState.PENDING.value}
    final = record.final
    return {
        "address": node.address,
        "state": record.state.value,
        "why": record.why,
        "reason": final.reason if final else "",
        "verdict": final.verdict if final else None,
        "score": final.score if final else None,
        "attempts": len(record.tries),
        "prompt_digest": None if node.prompt is None else digest(node.prompt),
        "tries": [_try_json(item) for item in record.tries],
        "failures": [item.failure for item in record.tries if item.failure],
        "issues": [to_json(issue) for issue in record.tries[-1].issues] if record.tries else [],
        "tokens": record.tokens_spent,
        "nano_usd": record.nano_usd_spent,
        "busy_s": round(record.busy_s, 3),
        "started_at": record.started_at,
        "finished_at": record.finished_at,
        "files": [to_json(file) for file in final.files] if final else [],
    }


def _try_json(item: AttemptFinished) -> dict[str, Any]:
    return {
        "round": item.round,
        "attempt": item.attempt,
        "failure": item.failure,
        "message": item.message,
        "issues": [to_json(issue) for issue in item.issues],
        "score": item.score,
        "tokens": item.usage.total,
        "nano_usd": item.nano_usd,
        "duration_s": round(item.duration_s, 3),
    }
