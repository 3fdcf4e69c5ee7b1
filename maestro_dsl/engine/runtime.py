"""What a run is given from outside, how it is asked to behave, and the handle by which it is steered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from maestro_dsl.compiler.plan import PlanNode
from maestro_dsl.engine.breakers import BreakerStore
from maestro_dsl.engine.commands import CommandQueue
from maestro_dsl.engine.events import AlertRaised, LimitRaised, NodeDecided, ServiceReady, ServiceStopped
from maestro_dsl.engine.ports.models import Capability, ModelKey, Prices
from maestro_dsl.engine.ports.sinks import EventSink
from maestro_dsl.engine.ports.storage import Appender, ArtifactStore, Publisher, Store
from maestro_dsl.engine.ports.work import Dispatcher
from maestro_dsl.lang.model import Json
from maestro_dsl.ports import Clock, Rand

Condition = Callable[[str, Mapping[str, Json]], bool]
"""Evaluates the condition of a retry policy over what is known of the failed try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """The world of one run. `epoch` is the run lease's; `interfaces` are decoded specs by contract id."""

    clock: Clock
    rand: Rand
    store: Store
    artifacts: ArtifactStore
    publisher: Publisher
    dispatcher: Dispatcher
    prices: Prices
    sinks: tuple[EventSink, ...] = ()
    tool_version: str = ""
    epoch: int = 1
    condition: Condition | None = None
    capability: Callable[[ModelKey], Capability] | None = None
    interfaces: Mapping[str, Json] = field(default_factory=dict)
    breakers: BreakerStore | None = None
    """None = breakers of this run alone."""
    commands: CommandQueue | None = None
    """What people ask of the run from other terminals; None = nobody can."""
    ticket_target: Mapping[str, Json] | None = None
    """Where tickets about nodes that failed for good go; None = none are made."""
    unchanged: Callable[[PlanNode], bool] | None = None
    """Whether what a node's key stands for is still so; where not, its result is not kept for others."""
    appender: Appender | None = None
    """Who waits for the journal's disk; None = the loop itself does."""
    inline_bytes: int = 0
    """Contents of at most so many bytes go with the events that name them (`Store.append`)."""
    apart: Dispatcher | None = None
    """Runs an attempt in a process of its own, for nodes over which processes died; None = nothing does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What a person asked of this run beyond its plan."""

    fail_fast: bool = False
    max_concurrency: int | None = None
    replace: frozenset[str] = frozenset()
    """Addresses whose stored result is not reused."""
    limits: LimitRaised | None = None
    """New limits of the run; None inside it = as before."""
    decisions: tuple[NodeDecided, ...] = ()
    """Answers to nodes that wait for a person."""
    taken_over: Mapping[str, Json] = field(default_factory=dict)
    """Of a new run: what its first event keeps of the run that it repeats; see `answers`."""


class Steering(Protocol):
    """What a running interpreter can be told; called on the loop's own thread."""

    def stop(self) -> None:
        """Start nothing new; called again: cancel what runs."""

    def pause(self, reason: str, by: str, *, now: bool = False) -> None:
        """Start nothing new and leave the run to be continued; `now` = end what runs, to be run again."""

    def cancel(self, reason: str) -> None:
        """End the run for good."""

    def decide(self, decision: NodeDecided) -> object:
        """Answer a node that waits."""

    def post(self, body: ServiceReady | ServiceStopped | AlertRaised) -> None:
        """Add an event that an adapter saw."""


class RunControl:
    """A handle that can be given away before the run begins; early calls are kept and made then."""

    def __init__(self) -> None:
        self._steering: Steering | None = None
        self._early: list[Callable[[Steering], object]] = []

    def bind(self, steering: Steering | None) -> None:
        """Connect to a running interpreter; None disconnects, and later calls do nothing."""
        self._steering = steering
        early, self._early = self._early, []
        if steering is not None:
            for call in early:
                call(steering)

    def stop(self) -> None:
        """Stop gracefully, the second time hard."""
        self._call(lambda steering: steering.stop())

    def pause(self, reason: str, by: str = "person", *, now: bool = False) -> None:
        """Pause the run."""
        self._call(lambda steering: steering.pause(reason, by, now=now))

    def cancel(self, reason: str) -> None:
        """Cancel the run."""
        self._call(lambda steering: steering.cancel(reason))

    def decide(self, decision: NodeDecided) -> None:
        """Answer a node that waits."""
        self._call(lambda steering: steering.decide(decision))

    def post(self, body: ServiceReady | ServiceStopped | AlertRaised) -> None:
        """Add an event that an adapter saw, e.g. a service that is ready."""
        self._call(lambda steering: steering.post(body))

    def _call(self, call: Callable[[Steering], object]) -> None:
        if self._steering is None:
            self._early.append(call)
        else:
            call(self._steering)
