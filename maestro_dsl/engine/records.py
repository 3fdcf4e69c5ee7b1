"""What the fold of a run's events holds: states, one record a node, the run as a whole.

Only `engine.state` writes these values; everyone else reads them, through that module.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from maestro_dsl.engine.events import (
    NO_USAGE,
    AlertRaised,
    AttemptFinished,
    AttemptStarted,
    LimitRaised,
    NodeDecided,
    NodeFinished,
    NodeWaiting,
    PublishStarted,
    RunPaused,
    RunStarted,
    ServiceReady,
    TicketOpened,
    Usage,
)
from maestro_dsl.records import maker_of


class NodeState(StrEnum):
    """Where a node is; the final states never change."""

    PENDING = "pending"
    READY = "ready"
    RUNNING = "running"
    WAITING = "waiting"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    CACHED = "cached"
    SUCCEEDED_ON_MOCK = "succeeded_on_mock"
    DEGRADED = "degraded"
    FAILED = "failed"
    GAVE_UP = "gave_up"
    BUDGET_STOPPED = "budget_stopped"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


class RunStatus(StrEnum):
    """Where a run is; completed, failed and cancelled are final."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN: Final = frozenset(
    {NodeState.PENDING, NodeState.READY, NodeState.RUNNING, NodeState.WAITING, NodeState.PAUSED}
)
FINAL: Final = frozenset(NodeState) - OPEN
GOOD: Final = frozenset({NodeState.SUCCEEDED, NodeState.CACHED, NodeState.SUCCEEDED_ON_MOCK})
"""Final states with a result that passed its checks."""
RUN_FINAL: Final = frozenset({RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED})
CANCELLED_TRY: Final = "cancelled"
"""`AttemptFinished.failure` of a try that we stopped ourselves; it counts in no policy."""
CONTENT: Final = frozenset({"unparsable", "invalid", "low_quality"})


def add_usage(left: Usage, right: Usage) -> Usage:
    """Return the sum of two usages."""
    return Usage(
        input_tokens=left.input_tokens + right.input_tokens,
        output_tokens=left.output_tokens + right.output_tokens,
        cache_write_tokens=left.cache_write_tokens + right.cache_write_tokens,
        cache_read_tokens=left.cache_read_tokens + right.cache_read_tokens,
    )


@dataclass(slots=True, kw_only=True)
class NodeRecord:
    """What has happened to one node. Written by the fold alone, read by everyone."""

    address: str
    state: NodeState = NodeState.PENDING
    key: str | None = None
    why: str = ""
    """Why it ran at all."""
    round: int = 1
    round_offset: int = 0
    """Rounds that a person's "retry" put behind us; the safety policy counts from here."""
    attempt: int = 0
    fence: int = 0
    in_flight: AttemptStarted | None = None
    failures: dict[str, int] = field(default_factory=dict)
    """Failed tries of this round by kind."""
    waited_s: float = 0.0
    """Seconds of this round that throttle and overload made it wait."""
    tries: list[AttemptFinished] = field(default_factory=list)
    undecided: AttemptFinished | None = None
    """The last try, while nothing has been decided about it."""
    last_content_failure: AttemptFinished | None = None
    last_content_round: int = 0
    retry_at: float | None = None
    responses: dict[str, str] = field(default_factory=dict)
    """Stored answers of the current attempt: request digest → response blob."""
    unsettled: Usage = NO_USAGE
    """Paid answers that no finished try has reported yet."""
    unsettled_nano_usd: int = 0
    usage: Usage = NO_USAGE
    nano_usd: int = 0
    lost_tokens: int = 0
    """Reservations of tries that died with their process and may have been paid."""
    lost_nano_usd: int = 0
    crashes: int = 0
    """Processes that died while it was at work, since its last try that ended."""
    interrupted: bool = False
    """Its last try was cut off, by a death or because it was stopped: it may have done what it was to do."""
    publishing: PublishStarted | None = None
    waiting: NodeWaiting | None = None
    decision: NodeDecided | None = None
    final: NodeFinished | None = None
    started_at: float | None = None
    clock_from_s: float | None = None
    """The run's `active_s` when its time limit began to run."""
    finished_at: float | None = None
    busy_s: float = 0.0
    """Sum of its tries' durations."""

    @property
    def tokens_spent(self) -> int:
        """Tokens charged so far, lost calls included."""
        if self.usage is NO_USAGE and self.unsettled is NO_USAGE:
            return self.lost_tokens
        return self.usage.total + self.unsettled.total + self.lost_tokens

    @property
    def nano_usd_spent(self) -> int:
        """Nano-dollars charged so far, lost calls included."""
        return self.nano_usd + self.unsettled_nano_usd + self.lost_nano_usd

    @property
    def is_final(self) -> bool:
        """True once nothing can change any more."""
        return self.final is not None

    @property
    def content_failures(self) -> int:
        """Failed contents of this round; the temperature schedule stands at this index."""
        if not self.failures:
            return 0
        return sum(count for kind, count in self.failures.items() if kind in CONTENT)


_new_record = maker_of(NodeRecord, "address")


@dataclass(slots=True, kw_only=True)
class RunState:
    """The fold. Read its fields freely; only `apply` writes them."""

    run_id: str = ""
    seq: int = 0
    status: RunStatus = RunStatus.PENDING
    verdict: str | None = None
    reason: str = ""
    started: RunStarted | None = None
    started_at: float | None = None
    updated_at: float = 0.0
    finished_at: float | None = None
    active_s: float = 0.0
    """Seconds in which a process was at work, pauses and breaks left out."""
    epoch: int = 0
    paused: RunPaused | None = None
    removed: tuple[str, ...] = ()
    """Output files of nodes that left the plan, removed at the run's end."""
    kept: tuple[str, ...] = ()
    """Such files that stay, because they were changed since."""
    unchecked: tuple[str, ...] = ()
    """Output files that a person changed and keeps; what the nodes made instead was checked."""
    nodes: dict[str, NodeRecord] = field(default_factory=dict)
    alerts: dict[tuple[str, str], AlertRaised] = field(default_factory=dict)
    services: dict[str, ServiceReady] = field(default_factory=dict)
    """Services that are up, by lease."""
    limits: LimitRaised | None = None
    held: dict[str, float] = field(default_factory=dict)
    """Model providers that asked for patience → wall time before which nobody calls them."""
    tickets: dict[str, TicketOpened] = field(default_factory=dict)
    """The ticket of each node that has one."""
    finals: int = 0
    tokens: int = 0
    nano_usd: int = 0
    saved_tokens: int = 0
    saved_nano_usd: int = 0
    saved_s: float = 0.0
    """Work that reused results had taken, one after another."""

    def record(self, address: str) -> NodeRecord:
        """Return the record of a node, a fresh one where nothing has happened yet."""
        found = self.nodes.get(address)
        if found is None:
            found = self.nodes[address] = _new_record(address)
        return found

    def node_state(self, address: str) -> NodeState:
        """Return the state of a node without creating a record."""
        found = self.nodes.get(address)
        return NodeState.PENDING if found is None else found.state

    @property
    def is_final(self) -> bool:
        """True once the run has ended for good."""
        return self.status in RUN_FINAL
