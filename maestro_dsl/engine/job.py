"""One node at work: what its next try is given, read off the plan and the fold.

Holds no decision: the layers in `attempt` decide, `finish` ends.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field, replace
from functools import partial
from typing import TYPE_CHECKING

from maestro_dsl.codec import canonical, digest_bytes, from_json
from maestro_dsl.compiler.plan import CompiledPersona, PlanNode
from maestro_dsl.engine.events import AttemptFinished, Body, Issue, Usage
from maestro_dsl.engine.policy import give_up, retry
from maestro_dsl.engine.policy.ledger import DEFAULT_MAX_OUTPUT_TOKENS, NOTHING, Amount
from maestro_dsl.engine.ports.attempts import AttemptResult, AttemptSpec, InputResult
from maestro_dsl.engine.ports.failures import CONTENT_FAILURES, Failure
from maestro_dsl.engine.ports.models import ModelKey, Prices
from maestro_dsl.engine.state import NO_USAGE, NodeRecord, NodeState, RunState
from maestro_dsl.lang.model import Json, ModelSettings
from maestro_dsl.records import dataclass, maker, maker_of, plainness

if TYPE_CHECKING:
    from maestro_dsl.engine.graph import PlanIndex
    from maestro_dsl.engine.ports.storage import ArtifactStore
    from maestro_dsl.engine.ports.work import Dispatcher
    from maestro_dsl.engine.runtime import Runtime

FED_BACK = frozenset({"critical", "error"})
_FEEDBACK_OVERHEAD_BYTES = 2_000
_NO_SETTINGS = ModelSettings()
_OF_RUN = ("run_id", "contracts", "requirement", "sandbox", "quality_threshold", "sizes")
_OF_NODE = ("node", "key", "contract", "consumed", "persona", "provider", "timeout_s")
_OF_TRY = ("attempt", "round", "fence", "settings", "feedback", "previous", "inputs")
_OF_LEASE = ("lease_tokens", "lease_nano_usd")
_spec = maker_of(AttemptSpec, *_OF_RUN, *_OF_NODE, *_OF_TRY, *_OF_LEASE)
"""By position: Python collects more than 15 keywords into a dict, which takes four times as long."""
_input = maker(InputResult)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a try ended, with the events that still have to be written; `final` = no policy may repeat it."""

    result: AttemptResult
    result_digest: str | None = None
    unwritten: tuple[Body, ...] = ()
    final: bool = False

    @property
    def ok(self) -> bool:
        """True where the node can end well."""
        result = self.result
        return result.failure is None and (result.verdict is None or self.verdict == "fulfilled")

    @property
    def failure(self) -> Failure:
        """The failure, INVALID where only the verdict is negative."""
        return self.result.failure or Failure.INVALID

    @property
    def verdict(self) -> str | None:
        """The verdict of a verification, if it was one."""
        return None if self.result.verdict is None else self.result.verdict.verdict

    @property
    def repeatable(self) -> bool:
        """False where another try cannot change anything: a verdict stands, nobody generates."""
        return not self.final and self.result.verdict is None


@dataclass(slots=True, kw_only=True)
class Job:
    """A node that runs now."""

    node: PlanNode
    record: NodeRecord
    inputs: tuple[str, ...]
    """The nodes whose results it uses; see `PlanIndex.inputs`."""
    key: str
    parts: Mapping[str, str]
    why: str
    persona: CompiledPersona | None
    model: ModelKey | None
    settings: ModelSettings = _NO_SETTINGS
    """What its next try is asked with; see `Desk.settings`."""
    unwritten: tuple[Body, ...] = ()
    """Events of a try that was cut off, for whoever catches the cancellation."""
    reasons: list[str] = field(default_factory=list)
    """What each level said when it gave up, innermost first."""


class Desk:
    """What the coordinator of one run works with."""

    def __init__(self, *, run_id: str, index: PlanIndex, state: RunState, runtime: Runtime) -> None:
        self.run_id = run_id
        self.index = index
        self.state = state
        self.runtime = runtime
        plan = index.plan
        shared = (run_id, plan.contracts, plan.requirement, plan.sandbox, plan.quality_threshold, plan.sizes)
        self._spec = partial(_spec, *shared)

    def settings(self, job: Job) -> ModelSettings:
        """Return the persona's settings with the schedule's value for this try."""
        base = _NO_SETTINGS if job.persona is None else job.persona.settings
        policy = job.node.retry
        if not policy.temperatures and not policy.efforts:
            return base
        wanted = retry.setting(policy, job.record.content_failures)
        capability = self.runtime.capability
        if job.model is not None and capability is not None:
            can = capability(job.model)
            wanted = retry.Setting(
                temperature=wanted.temperature if can.temperature else None,
                effort=wanted.effort if can.effort else None,
            )
        if wanted.effort is not None:
            return replace(base, temperature=None, effort=wanted.effort)
        if wanted.temperature is not None:
            return replace(base, temperature=wanted.temperature, effort=None)
        return base

    def spec(self, job: Job, lease: Amount) -> AttemptSpec:
        """Return everything a worker needs for the try that has just been started."""
        node, record, index = job.node, job.record, self.index
        failed = record.last_content_failure is not None
        return self._spec(
            self.bound_node(node) if node.late_params else node,
            job.key,
            None if node.contract_id is None else index.contract(node),
            index.consumed(node) if node.consumes_mock or node.consumes_real else (),
            job.persona,
            index.plan.provider if job.model is None else job.model[0],
            node.attempt_timeout_s,
            record.attempt,
            record.round,
            record.fence,
            job.settings,
            feedback(record) if failed else (),
            self.previous(record) if failed else None,
            self.inputs(job) if job.inputs else (),
            lease.tokens,
            lease.nano_usd,
        )

    def time_left_s(self, job: Job) -> float:
        """Return what is left of the node's time: what earlier processes used of it is gone."""
        begun, limit_s = job.record.clock_from_s, job.node.timeout_s
        if begun is None:
            return limit_s
        return max(0.0, limit_s - max(0.0, self.state.active_s - begun))

    def dispatcher(self, job: Job) -> Dispatcher:
        """Return who runs the node's next attempt: in a process of its own where processes died over it."""
        apart = self.runtime.apart
        return (
            apart if apart is not None and give_up.is_suspect(job.record.crashes) else self.runtime.dispatcher
        )

    def bound_node(self, node: PlanNode) -> PlanNode:
        """Return the node with the parameters that had to wait for outputs of other nodes."""
        from maestro_dsl.compiler.late import bound_params  # loads the expression engine

        return replace(node, params=bound_params(node, self.outputs()))

    def is_program(self, job: Job) -> bool:
        """Return whether a program answers for the node: free, and the same answer each time."""
        capability = self.runtime.capability
        return job.model is not None and capability is not None and capability(job.model).program

    def repeats_itself(self, job: Job, outcome: Outcome) -> bool:
        """Return whether another try would fail alike: what a program wrote was found wanting."""
        return outcome.failure in CONTENT_FAILURES and job.node.prompt is not None and self.is_program(job)

    def outputs(self) -> dict[str, Json]:
        """Return `nodes` as expressions see it: id → outputs, of a node with keys a mapping by key."""
        from maestro_dsl.compiler.late import outputs_by_node

        finished: dict[str, tuple[str | None, Mapping[str, Json]]] = {}
        for address, record in self.state.nodes.items():
            if record.final is not None and record.state is not NodeState.SKIPPED:
                finished[address] = self.index.nodes[address].key, record.final.outputs
        return outputs_by_node(finished, {address: self.index.nodes[address].node for address in finished})

    def inputs(self, job: Job) -> tuple[InputResult, ...]:
        """Return the results that the node uses.

        Nodes that ended without a result (skipped, cancelled, stopped before a try) are left out.
        """
        found, records, nodes = [], self.state.nodes, self.index.nodes
        for address in job.inputs:
            record = records.get(address)
            final = None if record is None else record.final
            if final is not None and final.result_digest is not None:
                found.append(
                    _input(
                        node=address,
                        contract_id=nodes[address].contract_id,
                        result_digest=final.result_digest,
                        files=final.files,
                        recorded_calls=final.recorded_calls,
                        state=final.state,
                        verdict=final.verdict,
                        reason=final.reason,
                    )
                )
        return tuple(found)

    def previous(self, record: NodeRecord) -> str | None:
        """Return the blob of this round's last failed answer; a new round starts with a fresh transcript."""
        last = record.last_content_failure
        if last is None or record.last_content_round != record.round or last.result_digest is None:
            return None
        return load_result(self.runtime.artifacts, last.result_digest).answer

    def bound(self, job: Job) -> tuple[Amount, bool, bool]:
        """Return the most a try can cost, whether it is free, and whether its price is known.

        A byte is at least a token's part, so the bytes of everything sent plus the longest answer bound the
        tokens from above.
        """
        if job.model is None or job.node.prompt is None:
            return NOTHING, True, True
        if self.is_program(job):
            return NOTHING, True, True  # a program spends no tokens and no money
        prompt = job.node.prompt
        sent = len(prompt.system.encode()) + len(prompt.user.encode())
        errors = feedback(job.record)
        if errors:
            sent += _FEEDBACK_OVERHEAD_BYTES + sum(len(canonical_text(item)) for item in errors)
        previous = self.previous(job.record)
        if previous is not None:
            sent += len(self.runtime.artifacts.get(previous))
        answer = job.settings.max_output_tokens or DEFAULT_MAX_OUTPUT_TOKENS
        price = _price(self.runtime.prices, job.model, sent, answer)
        return Amount(tokens=sent + answer, nano_usd=price or 0), price == 0, price is not None


def canonical_text(issue: Issue) -> bytes:
    """Return about what an issue takes in a message."""
    return (
        f"{issue.severity} {issue.check} {issue.file} {issue.line} {issue.operation} {issue.message}".encode()
    )


def _price(prices: Prices, model: ModelKey, sent: int, answer: int) -> int | None:
    return prices.bound_nano_usd(model, sent, answer)


def feedback(record: NodeRecord) -> tuple[Issue, ...]:
    """Return what goes back to the model: critical and error issues of the last failed content."""
    last = record.last_content_failure
    if last is None:
        return ()
    chosen = tuple(item for item in last.issues if item.severity in FED_BACK)
    if chosen or not last.message:
        return chosen
    return (Issue(severity="error", message=last.message, check=last.failure or ""),)


def encoded_result(result: AttemptResult) -> tuple[str, bytes]:
    """Return the blob of an attempt result, its digest first."""
    # Nodes that only order others all end like this, and their number is what a large plan is made of.
    return _PLAIN_BLOB if _is_plain(result) else _blob(result)


def _blob(result: AttemptResult) -> tuple[str, bytes]:
    content = canonical(result)
    return digest_bytes(content), content


_is_plain = plainness(AttemptResult)
_PLAIN_BLOB = _blob(AttemptResult())


def load_result(artifacts: ArtifactStore, digest: str) -> AttemptResult:
    """Return a stored attempt result.

    Raises:
        IntegrityError: it is absent or differs from its digest.
    """
    return from_json(AttemptResult, json.loads(artifacts.get(digest)))


def recorded_outcome(artifacts: ArtifactStore, tried: AttemptFinished) -> Outcome:
    """Return the outcome of a try that the journal holds already, so that it is not made again."""
    if tried.result_digest is not None:
        return Outcome(result=load_result(artifacts, tried.result_digest), result_digest=tried.result_digest)
    failure = None if tried.failure is None else Failure(tried.failure)
    return Outcome(result=AttemptResult(failure=failure, message=tried.message, issues=tried.issues))


def booked_of(record: NodeRecord) -> Amount:
    """Return what is booked already of a node's answers that no finished try has reported."""
    if record.unsettled is NO_USAGE:
        return NOTHING
    return Amount(tokens=record.unsettled.total, nano_usd=record.unsettled_nano_usd)


def spent_by(record: NodeRecord, reserved: Amount, result: AttemptResult | None) -> tuple[Usage, int]:
    """Return what a try cost: its stored answers, else what it says, else all that was reserved for it."""
    if record.responses:
        return record.unsettled, record.unsettled_nano_usd
    # A call that gave no answer in time may still be charged.
    silent = result is not None and result.failure is not None and _gave_none(result)
    if result is not None and result.usage_known and not silent:
        return result.usage, result.nano_usd
    if record.in_flight is not None and record.in_flight.free:
        return NO_USAGE, 0
    return Usage(input_tokens=reserved.tokens), reserved.nano_usd


def _gave_none(result: AttemptResult) -> bool:
    return result.failure is Failure.TIMEOUT and not result.usage.total


def less(amount: Amount, booked: Amount) -> Amount:
    """Return what is left of an amount, never negative."""
    if booked is NOTHING:
        return amount
    return Amount(
        tokens=max(0, amount.tokens - booked.tokens), nano_usd=max(0, amount.nano_usd - booked.nano_usd)
    )


def amount_of(usage: Usage, nano_usd: int) -> Amount:
    """Return what was spent, as one amount."""
    return NOTHING if usage is NO_USAGE and not nano_usd else Amount(tokens=usage.total, nano_usd=nano_usd)


def too_late(job: Job) -> Outcome:
    """Return the outcome of a node whose time is up."""
    message = f"no result within {job.node.timeout_s:g} s, all attempts and waits included"
    late = AttemptResult(failure=Failure.TIMEOUT, message=message)
    return Outcome(result=late, unwritten=job.unwritten, final=True)
