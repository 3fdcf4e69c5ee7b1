"""What must hold of every run, read off its stored events alone, with rules of this file's own.

Nothing of the engine decides here except the fold, whose every prefix is held against counts made beside it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simulation.worlds import Disk

from maestro_dsl.compiler.plan import CompiledPlan, PlanNode
from maestro_dsl.engine.events import (
    AlertRaised,
    AttemptFinished,
    AttemptStarted,
    LimitRaised,
    ModelResponded,
    NodeDecided,
    NodeFinished,
    NodeWaiting,
    ProviderHeld,
    Published,
    PublishStarted,
    RetryScheduled,
    RunFinished,
    RunResumed,
    TicketOpened,
    decode_event,
)
from maestro_dsl.engine.policy.give_up import MAX_CRASHES_APART
from maestro_dsl.engine.state import RunState, apply
from maestro_dsl.errors import IntegrityError
from maestro_dsl.lang.model import GiveUp, Schedule

if TYPE_CHECKING:
    from maestro_dsl.compiler.plan import Edge
    from maestro_dsl.engine.events import Event

GOOD = {"succeeded", "succeeded_on_mock", "cached"}
BAD_ENDS = {"failed", "gave_up", "budget_stopped"}
CONTENT = {"unparsable", "invalid", "low_quality"}
WITHIN_S = 0.5
"""Longer than a group of events is on its way to the disk."""


class Broken(AssertionError):  # noqa: N818 - a finding, as its name says
    """An invariant does not hold."""


@dataclass(slots=True, kw_only=True)
class Facts:
    """What is known of a run apart from its log."""

    plan: CompiledPlan
    disk: Disk
    run_id: str
    limit: int | None
    final: bool = False


@dataclass(slots=True)
class Node:
    """What the log said of one node so far."""

    spec: PlanNode
    flying: AttemptStarted | None = None
    fence: int = 0
    ended: NodeFinished | None = None
    succeeded: bool = False
    """A try ended well and nobody asked for another."""
    done: set[tuple[int, int]] = field(default_factory=set)
    """(round, attempt) whose content was found bad."""
    failures: Counter[tuple[int, str]] = field(default_factory=Counter)
    rounds: int = 1
    decided: str | None = None
    waits: bool = False
    intent: PublishStarted | None = None
    published: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    place: tuple[int, int] = (0, 0)
    heard: bool = False
    """An answer to the attempt at this place (round, attempt) is stored, so that a death loses no call."""
    open_tokens: int = 0
    """Answers that no try has reported."""
    spent: int = 0
    crashes: int = 0
    cut: bool = False
    """A try of it was cut off by a death, and nobody has said since that it may run again."""
    ticket: bool = False
    began_s: float | None = None
    """Working time of the run at which its time began."""


def check(facts: Facts) -> None:
    """Hold the whole log of the run against every rule.

    Raises:
        Broken: one does not hold; the text says which and at which event.
    """
    events = facts.disk.store.journal.get(facts.run_id, [])
    walk = Walk(facts)
    for event in events:
        try:
            walk.see(event)
        except Broken as broken:
            name = type(event.body).__name__
            raise Broken(f"{facts.run_id} event {event.seq} ({name}): {broken}") from None
    walk.at_the_end(events)


class Walk:
    """One reading of a log."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        plan = facts.plan
        self.nodes = {node.address: Node(node) for node in plan.nodes}
        self.wave = {address: number for number, wave in enumerate(plan.waves) for address in wave}
        self.limit = plan.guardrails.max_tokens
        self.state = RunState()
        self.epoch = 0
        self.over: Event | None = None
        self.stopped_at: float | None = None
        self.untrusted = False
        self.held: dict[str, tuple[float, float]] = {}
        """Provider → since when, and until when it is not to be called."""
        self.worked_s, self.before = 0.0, 0.0
        self.personas = {item.id: item for item in plan.personas}
        self.budgets = {item.contract.id: item.contract.token_budget for item in plan.contracts}
        self.earned = _earned_before(facts)

    def see(self, event: Event) -> None:
        """Check one event, then take note of it."""
        body = event.body
        if self.over is not None and not isinstance(body, AlertRaised):
            raise Broken("something happens after the end of the run")
        if not isinstance(body, RunResumed) and self.state.status == "running":
            self.worked_s += event.at - self.before
        self.before = event.at
        rule = RULES.get(type(body))
        if rule is not None:
            rule(self, event, body)
        self._fold(event)

    def _fold(self, event: Event) -> None:
        before = self.state.tokens
        try:
            apply(self.state, event)
        except IntegrityError as error:
            raise Broken(f"it does not fold: {error}") from error
        if self.state.tokens < before:
            raise Broken("money came back")
        spent = sum(node.spent + node.open_tokens for node in self.nodes.values())
        if spent != self.state.tokens:
            raise Broken(f"{spent} tokens were spent, and the fold says {self.state.tokens}")
        if self.state.tokens > before and not self.facts.disk.liar:
            self._within_limits()
        finals = sum(node.ended is not None for node in self.nodes.values())
        if finals != self.state.finals:
            raise Broken(f"{finals} nodes have ended, and the fold says {self.state.finals}")

    def _within_limits(self) -> None:
        if self.limit is not None and self.state.tokens > self.limit:
            raise Broken(f"{self.state.tokens} tokens are spent of {self.limit}")
        people: Counter[str] = Counter()
        for node in self.nodes.values():
            spent = node.spent + node.open_tokens
            budget = self.budgets.get(node.spec.contract_id or "") if node.spec.deliverables else None
            if budget is not None and spent > budget:
                raise Broken(f"{node.spec.address} has spent {spent} tokens of {budget}")
            people[node.spec.persona_id or ""] += spent
        for name, persona in self.personas.items():
            if people[name] > persona.token_budget:
                raise Broken(f"{name} has spent {people[name]} tokens of {persona.token_budget}")

    # ---- what may start --------------------------------------------------------------------------------

    def started(self, event: Event, body: AttemptStarted) -> None:
        node = self._open(body.node)
        if node.flying is not None:
            raise Broken(f"{body.node} has a try in flight already")
        if node.succeeded:
            raise Broken(f"{body.node} runs again after a try that ended well")
        if body.fence <= node.fence:
            raise Broken(f"{body.node} has fence {body.fence} after {node.fence}")
        if (body.round, body.attempt) in node.done:
            raise Broken(f"attempt {body.attempt} of round {body.round} of {body.node} is made again")
        if node.waits:
            raise Broken(f"{body.node} runs while it waits for an answer")
        if self.stopped_at is not None and event.at > self.stopped_at + WITHIN_S:
            raise Broken(f"{body.node} starts after the plan was given up")
        if node.spec.effect and node.cut:
            raise Broken(f"{body.node} has its effect again, and nobody was asked")
        if body.key in self.earned and not node.fence:
            raise Broken(f"{body.node} runs, and its result is stored")
        self._in_time(event, body, node)
        self._ready(body.node)
        self._tries(node, body)
        if node.place != (body.round, body.attempt):
            node.place, node.heard = (body.round, body.attempt), False
        node.flying, node.fence = body, body.fence
        self._crowd()

    def _in_time(self, event: Event, body: AttemptStarted, node: Node) -> None:
        if node.began_s is None:
            node.began_s = self.worked_s
        used = self.worked_s - node.began_s
        if used > node.spec.timeout_s + WITHIN_S:
            raise Broken(f"{body.node} tries again after {used:.1f} s of {node.spec.timeout_s:g} s")
        persona = self.personas.get(node.spec.persona_id or "")
        since, until = self.held.get("" if persona is None else persona.model.provider, (0.0, 0.0))
        if since + WITHIN_S < event.at < until:
            raise Broken(f"{body.node} begins {until - event.at:.2f} s before its provider may be called")

    def _ready(self, address: str) -> None:
        node = self.nodes[address].spec
        for edge in node.edges:
            if self._met(edge) is not True:
                raise Broken(f"{address} begins before its need {edge.source} is met")
        if self.facts.plan.execution.schedule is Schedule.WAVES:
            for other in self.nodes.values():
                if other.ended is None and self.wave[other.spec.address] < self.wave[address]:
                    raise Broken(f"{address} begins before {other.spec.address} of an earlier wave has ended")

    def _met(self, edge: Edge) -> bool | None:
        source = self.nodes[edge.source]
        if source.ended is None:
            return None
        state = source.ended.state
        if "any" in edge.states:
            return True
        if state == "skipped":
            return not source.ended.cause
        return state in {*GOOD, "degraded"}

    def _crowd(self) -> None:
        execution = self.facts.plan.execution
        flying = [node.spec for node in self.nodes.values() if node.flying is not None]
        if len(flying) > execution.max_concurrency:
            raise Broken(f"{len(flying)} nodes are at work, {execution.max_concurrency} may be")
        people = Counter(item.persona_id for item in flying if item.persona_id is not None)
        if people and max(people.values()) > execution.max_per_persona:
            raise Broken(f"{people} are at work, {execution.max_per_persona} a persona may be")
        calls = Counter(
            self.personas[item.persona_id].model.provider for item in flying if item.persona_id is not None
        )
        if calls and max(calls.values()) > execution.max_per_provider:
            raise Broken(f"{calls} nodes call a provider, {execution.max_per_provider} may")

    def _tries(self, node: Node, body: AttemptStarted) -> None:
        policy, name = node.spec.retry, body.node
        bad = sum(node.failures[body.round, kind] for kind in CONTENT)
        if bad >= policy.max_attempts:
            raise Broken(f"{name} tries again after {bad} of {policy.max_attempts} attempts")
        for kind in ("transport", "timeout", "judge_error"):
            if node.failures[body.round, kind] >= policy.max_transport_attempts:
                raise Broken(f"{name} tries again after {policy.max_transport_attempts} times {kind}")
        if body.round > node.rounds:
            raise Broken(f"{name} is in round {body.round} of {node.rounds}")
        if node.crashes > 20:
            raise Broken(f"{name} runs after {node.crashes} deaths")

    # ---- tries -----------------------------------------------------------------------------------------

    def responded(self, _event: Event, body: ModelResponded) -> None:
        node = self._open(body.node)
        if node.flying is None:
            raise Broken(f"an answer for {body.node}, which has no try in flight")
        if body.request_digest in node.answers:
            raise Broken(f"{body.node} paid twice for one answer")
        node.answers[body.request_digest] = body.usage.total
        node.heard = True
        node.open_tokens += body.usage.total

    def finished(self, _event: Event, body: AttemptFinished) -> None:
        node = self._open(body.node)
        if node.flying is None or node.flying.fence != body.fence:
            raise Broken(f"a try of {body.node} ends that is not in flight")
        if body.usage.total < node.open_tokens:
            raise Broken(f"{body.node} reports {body.usage.total} tokens of {node.open_tokens} it used")
        node.spent += body.usage.total
        node.flying, node.open_tokens = None, 0
        if body.failure == "cancelled":
            node.cut = True
            return
        node.crashes = 0
        if body.failure is None:
            node.succeeded = True
            return
        node.failures[body.round, body.failure] += 1
        if body.failure in CONTENT:
            node.done.add((body.round, body.attempt))

    def retried(self, _event: Event, body: RetryScheduled) -> None:
        node = self._open(body.node)
        if body.level == 2:
            node.rounds += 1
            # A person's "retry" begins the count of rounds anew.
            if self.state.record(body.node).round - self.state.record(body.node).round_offset >= (
                node.spec.safety.max_attempts
            ):
                raise Broken(f"{body.node} gets more than {node.spec.safety.max_attempts} rounds")

    # ---- ends ------------------------------------------------------------------------------------------

    def intends(self, event: Event, body: PublishStarted) -> None:
        node = self._open(body.node)
        self._ready(body.node)
        if node.published:
            raise Broken(f"{body.node} publishes again")
        if not self._physical(body.node, event.seq, last=False):
            node.intent = body

    def published(self, event: Event, body: Published) -> None:
        node = self._open(body.node)
        if node.intent is None:
            raise Broken(f"{body.node} has published without saying so before")
        node.published += 1
        if node.published > 1:
            raise Broken(f"{body.node} has published twice")
        if not self._physical(body.node, event.seq, last=True):
            raise Broken(f"{body.node} says it has published, and has not")

    def _physical(self, address: str, seq: int, *, last: bool) -> bool:
        """Return whether the publisher was called for the node before this event; ahead of it for intents."""
        return last and any(
            node == address and run == self.facts.run_id and have < seq
            for run, have, node, _ in self.facts.disk.published
        )

    def ended(self, event: Event, body: NodeFinished) -> None:
        node = self.nodes[body.node]
        if node.ended is not None:
            raise Broken(f"{body.node} is {node.ended.state} for good, and becomes {body.state}")
        if node.flying is not None:
            raise Broken(f"{body.node} ends with a try in flight")
        self._deserved(event, body, node)
        if self.facts.disk.tickets and body.state in {"failed", "gave_up"} and node.decided is None:
            if not node.ticket and node.spec.address:
                raise Broken(f"{body.node} {body.state}, and there is no ticket about it")
        elif node.ticket:
            raise Broken(f"there is a ticket about {body.node}, which is {body.state}")
        if "the process ended" in body.reason and node.crashes < MAX_CRASHES_APART:
            raise Broken(f"{body.node} {body.state} for {node.crashes} kills from outside")
        if "disk is full" in body.reason:
            raise Broken(f"{body.node} {body.state}, and only the disk was full")
        node.ended = body
        if (
            body.state in BAD_ENDS
            and node.spec.give_up is GiveUp.FAIL_PLAN
            and node.decided is None
            and self.stopped_at is None
        ):
            self.stopped_at = event.at

    def _deserved(self, event: Event, body: NodeFinished, node: Node) -> None:
        if body.state in {*GOOD, "degraded"}:
            self._ready(body.node)
            if body.files and not node.published:
                raise Broken(f"{body.node} ends well without having published")
        if body.state in {"succeeded", "succeeded_on_mock"} and not node.succeeded and node.decided is None:
            raise Broken(f"{body.node} succeeds without a try that ended well")
        if body.state in {"succeeded", "succeeded_on_mock"}:
            used = bool(node.spec.consumes_mock) and bool(node.spec.deliverables)
            if used != (body.state == "succeeded_on_mock"):
                raise Broken(f"{body.node} {body.state}, and its mock edges say otherwise")
        if body.state == "cached" and (body.key or "") not in self._earned(event):
            raise Broken(f"{body.node} is cached by the result of a node that did not succeed")
        if body.state == "skipped" and body.cause and not self._doomed(body.node):
            raise Broken(f"{body.node} is skipped although all it needs has ended well")

    def _doomed(self, address: str) -> bool:
        return any(self._met(edge) is False for edge in self.nodes[address].spec.edges)

    def _earned(self, until: Event) -> set[str]:
        """Return the keys of nodes that succeeded, in this run so far or in an earlier one."""
        found = set()
        for name, log in self.facts.disk.store.journal.items():
            for event in log:
                if name == self.facts.run_id and event.seq >= until.seq:
                    break
                found |= _earns(self.facts.disk, name, event)
        return found

    def asks(self, _event: Event, body: NodeWaiting) -> None:
        node = self._open(body.node)
        node.waits = True

    def decides(self, _event: Event, body: NodeDecided) -> None:
        node = self._open(body.node)
        if not node.waits:
            raise Broken(f"an answer to {body.node}, which waits for none")
        node.waits = False
        if body.decision in {"retry", "rerun"}:
            node.succeeded, node.rounds, node.crashes = False, node.rounds + 1, 0
            node.cut, node.began_s = False, None
            node.answers, node.spent, node.open_tokens = {}, node.spent + node.open_tokens, 0
        else:
            node.decided = body.decision

    # ---- the run ---------------------------------------------------------------------------------------

    def resumed(self, _event: Event, body: RunResumed) -> None:
        if body.epoch <= self.epoch:
            raise Broken(f"epoch {body.epoch} follows {self.epoch}")
        self.epoch = body.epoch
        flying = {node.spec.address for node in self.nodes.values() if node.flying is not None}
        if flying != set(body.interrupted):
            raise Broken(f"{sorted(flying)} were at work, {sorted(body.interrupted)} are said to have been")
        for address in flying:
            node = self.nodes[address]
            started = node.flying
            if started is not None and not started.free and not node.heard:
                node.spent += started.reserved_tokens
            node.flying, node.cut = None, True
            node.crashes += 1

    def alerted(self, _event: Event, body: AlertRaised) -> None:
        if body.kind == "overrun":
            self.untrusted = True  # the provider lied about the most it could cost

    def holds(self, event: Event, body: ProviderHeld) -> None:
        self.held[body.provider] = event.at, body.until

    def asks_for_help(self, _event: Event, body: TicketOpened) -> None:
        node = self._open(body.node)
        if node.ticket:
            raise Broken(f"{body.node} asks for help twice")
        node.ticket = True

    def raised(self, _event: Event, body: LimitRaised) -> None:
        self.limit = body.max_tokens if body.max_tokens is not None else self.limit

    def closed(self, event: Event, _body: RunFinished) -> None:
        left = [node.spec.address for node in self.nodes.values() if node.ended is None]
        if left:
            raise Broken(f"the run ends, and {left} have not")
        self.over = event

    def _open(self, address: str) -> Node:
        node = self.nodes[address]
        if node.ended is not None:
            raise Broken(f"{address} is {node.ended.state} for good")
        return node

    def at_the_end(self, events: list[Event]) -> None:
        """Check what only a whole log can tell."""
        disk, name = self.facts.disk, self.facts.run_id
        if disk.early:
            raise Broken(disk.early[0])
        for address, node in self.nodes.items():
            billed = disk.billed.get((name, address), 0)
            covered = node.spent + node.open_tokens
            if node.flying is not None:
                covered += max(0, node.flying.reserved_tokens - node.open_tokens)
            if billed > covered and not disk.liar:
                raise Broken(f"the bill for {address} says {billed} tokens, the log {covered}")
        self._publications(events)
        if not self.facts.final:
            return
        if events and events[-1].seq % 4 == 0:
            again = RunState()
            for event in events:
                apply(again, decode_event(event.to_json()))
            if again != self.state:
                raise Broken("the log folds otherwise after a way over JSON")
        self._files()

    def _publications(self, events: list[Event]) -> None:
        """Every call of the publisher stands between an intent and its receipt."""
        spans: dict[str, list[int]] = {}
        for event in events:
            if isinstance(event.body, PublishStarted):
                spans.setdefault(event.body.node, [event.seq, 10**9])
            elif isinstance(event.body, Published):
                spans[event.body.node][1] = event.seq
        for run, have, address, _files in self.facts.disk.published:
            if run != self.facts.run_id:
                continue
            first, last = spans.get(address, (10**9, 0))
            if not first <= have:
                raise Broken(f"{address} was published before it said so")
            if have >= last:
                raise Broken(f"{address} was published again after its receipt")
        mine = (item for item in self.facts.disk.published if item[0] == self.facts.run_id)
        counts = Counter(address for _, _, address, _ in mine)
        resumes = sum(isinstance(event.body, RunResumed) for event in events) + 1
        for address, count in counts.items():
            if count > resumes:
                raise Broken(f"{address} was published {count} times in {resumes} processes")

    def _files(self) -> None:
        """The files of the last run's nodes stand where it said."""
        last = {}
        for node in self.nodes.values():
            if node.ended is not None and node.ended.state in {*GOOD, "degraded"}:
                last |= {item.path: item.digest for item in node.ended.files}
        for path, digest in last.items():
            if self.facts.disk.files.get(path) != digest:
                raise Broken(f"{path} is not the file that its node made")


def _earns(disk: Disk, run_id: str, event: Event) -> set[str]:
    """Return the key whose result this event makes usable for others."""
    body = event.body
    if not isinstance(body, NodeFinished) or body.state not in GOOD or not body.key:
        return set()
    return set() if (run_id, body.node) in disk.changed and body.state != "cached" else {body.key}


def _earned_before(facts: Facts) -> set[str]:
    """Return the keys of results that are stored since before the run began."""
    log = facts.disk.store.journal.get(facts.run_id, [])
    begun = log[0].at if log else 0.0
    approvals = {node.address for node in facts.plan.nodes if node.action == "approve"}
    return {
        key
        for name, other in facts.disk.store.journal.items()
        for event in other
        if name != facts.run_id and event.at < begun and getattr(event.body, "node", "") not in approvals
        for key in _earns(facts.disk, name, event)
    }


RULES = {
    AttemptStarted: Walk.started,
    ModelResponded: Walk.responded,
    AttemptFinished: Walk.finished,
    RetryScheduled: Walk.retried,
    PublishStarted: Walk.intends,
    Published: Walk.published,
    NodeFinished: Walk.ended,
    NodeWaiting: Walk.asks,
    NodeDecided: Walk.decides,
    RunResumed: Walk.resumed,
    AlertRaised: Walk.alerted,
    ProviderHeld: Walk.holds,
    TicketOpened: Walk.asks_for_help,
    LimitRaised: Walk.raised,
    RunFinished: Walk.closed,
}
