"""What a run came to, read off the plan and the fold: for reports, for Python callers, for exit codes.

Builds values only. Files on disk, prices and wall clocks are not looked at here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from maestro_dsl.codec import to_json
from maestro_dsl.engine.graph import PlanIndex
from maestro_dsl.engine.state import NodeRecord, NodeState, RunState
from maestro_dsl.engine.verdict import RunVerdict, run_verdict
from maestro_dsl.errors import HelpNeeded, TokenBudgetExceeded, UnrecoverableError

if TYPE_CHECKING:
    from maestro_dsl.compiler.plan import CompiledPlan
    from maestro_dsl.errors import MaestroError
    from maestro_dsl.lang.model import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeResult:
    """How one node ended."""

    address: str
    state: str
    reason: str = ""
    why: str = ""
    """Why it ran at all; empty for nodes that did not."""
    attempts: int = 0
    rounds: int = 0
    score: float | None = None
    verdict: str | None = None
    files: tuple[str, ...] = ()
    tokens: int = 0
    nano_usd: int = 0
    saved_tokens: int = 0
    duration_s: float = 0.0
    started_at: float | None = None
    finished_at: float | None = None
    result_digest: str | None = None
    errors: tuple[str, ...] = ()
    """What each failed try said, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaResult:
    """What one team member delivered; `quality_score` is the mean over its scored nodes."""

    persona_id: str
    success: bool
    artifacts: tuple[str, ...]
    quality_score: float | None
    contract_fulfilled: bool
    duration_seconds: float
    tokens_used: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionResult:
    """Times in seconds; `time_savings_percent` is a fraction: 0.33 = a third saved."""

    wall_seconds: float
    sequential_seconds: float
    time_savings_percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityResult:
    """The team's score: the mean over contracts, None where nothing was scored."""

    overall_quality_score: float | None
    by_contract: Mapping[str, float]
    threshold: float
    threshold_met: bool
    """Every scored contract reached the threshold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """The result of a run, also readable as a mapping: `result["quality"]["overall_quality_score"]`."""

    run_id: str
    status: str
    verdict: str
    success: bool
    """Verified, and every contract reached the threshold: exit code 0."""
    reason: str
    nodes: Mapping[str, NodeResult]
    persona_results: Mapping[str, PersonaResult]
    execution: ExecutionResult
    quality: QualityResult
    tokens: int = 0
    nano_usd: int = 0
    saved_tokens: int = 0
    alerts: tuple[str, ...] = field(default=())

    def __getitem__(self, key: str) -> Json:
        """Return a field as plain JSON.

        Raises:
            KeyError: there is no such field.
        """
        if key not in self.__dataclass_fields__:
            raise KeyError(key)
        found: Json = to_json(getattr(self, key))
        return found

    def keys(self) -> tuple[str, ...]:
        """Return the names that `[]` takes; makes `dict(result)` work."""
        return tuple(self.__dataclass_fields__)


def error_of(record: NodeRecord, ticket: str = "") -> MaestroError | None:
    """Return the exception that a node's end stands for, or None where it did not fail.

    A spent budget is `TokenBudgetExceeded`. Every other failure needs help: `HelpNeeded` with the key of its
    ticket, caused by the `UnrecoverableError` of its last attempt.
    """
    final = record.final
    if final is None:
        return None
    said = f"{record.address} {record.state.value.replace('_', ' ')}: {final.reason}"
    if record.state is NodeState.BUDGET_STOPPED:
        return TokenBudgetExceeded(said)
    if record.state not in {NodeState.FAILED, NodeState.GAVE_UP}:
        return None
    last = record.tries[-1].message if record.tries else ""
    error = HelpNeeded(said, ticket=ticket)
    error.__cause__ = UnrecoverableError(last or final.reason)
    return error


def build_result(plan: CompiledPlan, state: RunState) -> RunResult:
    """Return the result of a run in any state, finished or not."""
    index = PlanIndex(plan)
    nodes = {node.address: _node(state.nodes.get(node.address), node.address) for node in plan.nodes}
    verdict = run_verdict(index, state)
    quality = _quality(plan, nodes)
    sequential_s = sum(item.duration_s for item in nodes.values())
    wall_s = _wall_s(state)
    saved = 1 - wall_s / sequential_s if sequential_s > 0 else 0.0
    return RunResult(
        run_id=state.run_id,
        status=state.status.value,
        verdict=verdict.word,
        success=verdict is RunVerdict.VERIFIED and quality.threshold_met,
        reason=state.reason or (state.paused.reason if state.paused is not None else ""),
        nodes=nodes,
        persona_results={item.id: _persona(plan, item.id, nodes) for item in plan.personas},
        execution=ExecutionResult(
            wall_seconds=wall_s,
            sequential_seconds=sequential_s,
            time_savings_percent=round(max(0.0, saved), 4),
        ),
        quality=quality,
        tokens=state.tokens,
        nano_usd=state.nano_usd,
        saved_tokens=state.saved_tokens,
        alerts=tuple(item.message for item in state.alerts.values()),
    )


def _node(record: NodeRecord | None, address: str) -> NodeResult:
    if record is None:
        return NodeResult(address=address, state=NodeState.PENDING.value)
    final = record.final
    return NodeResult(
        address=address,
        state=record.state.value,
        reason="" if final is None else final.reason,
        why=record.why,
        attempts=len(record.tries),
        rounds=record.round if record.tries else 0,
        score=None if final is None else final.score,
        verdict=None if final is None else final.verdict,
        files=() if final is None else tuple(item.path for item in final.files),
        tokens=record.tokens_spent,
        nano_usd=record.nano_usd_spent,
        saved_tokens=0 if final is None else final.saved_tokens,
        duration_s=record.busy_s,
        started_at=record.started_at,
        finished_at=record.finished_at,
        result_digest=None if final is None else final.result_digest,
        errors=tuple(item.message or str(item.failure) for item in record.tries if item.failure is not None),
    )


def _wall_s(state: RunState) -> float:
    """Return the seconds at work; time between two processes is nobody's."""
    return state.active_s


_DONE = frozenset({"succeeded", "cached", "succeeded_on_mock"})


def _persona(plan: CompiledPlan, persona_id: str, nodes: Mapping[str, NodeResult]) -> PersonaResult:
    own = [nodes[node.address] for node in plan.nodes if node.persona_id == persona_id]
    contracts = {
        item.contract.id for item in plan.contracts if item.contract.provider_persona_id == persona_id
    }
    judged = [
        nodes[node.address]
        for node in plan.nodes
        if node.contract_id in contracts and (node.action == "verify" or node.rechecks is not None)
    ]
    scores = [item.score for item in own if item.score is not None]
    success = bool(own) and all(item.state in _DONE for item in own)
    return PersonaResult(
        persona_id=persona_id,
        success=success,
        artifacts=tuple(path for item in own for path in item.files),
        quality_score=_mean(scores),
        contract_fulfilled=success and all(item.state in _DONE for item in judged),
        duration_seconds=sum(item.duration_s for item in own),
        tokens_used=sum(item.tokens for item in own),
    )


def _quality(plan: CompiledPlan, nodes: Mapping[str, NodeResult]) -> QualityResult:
    scored: dict[str, float] = {}
    for node in plan.nodes:
        score = nodes[node.address].score
        if node.deliverables and node.contract_id is not None and score is not None:
            scored[node.contract_id] = score
    return QualityResult(
        overall_quality_score=_mean(list(scored.values())),
        by_contract=scored,
        threshold=plan.quality_threshold,
        threshold_met=all(score >= plan.quality_threshold for score in scored.values()),
    )


def _mean(scores: list[float]) -> float | None:
    return round(sum(scores) / len(scores), 4) if scores else None
