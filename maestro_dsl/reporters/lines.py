"""Progress for logs and programs: one line a transition with a heartbeat, or one JSON object an event.

Both write to a stream and never raise: a reader that went away must not end a run.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TextIO

from maestro_dsl.engine.events import (
    AlertRaised,
    AttemptFinished,
    AttemptStarted,
    Event,
    LimitRaised,
    NodeDecided,
    NodeFinished,
    NodeWaiting,
    ProviderHeld,
    RetryScheduled,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
    ServiceReady,
    ServiceStopped,
    TicketOpened,
)
from maestro_dsl.engine.state import NodeState, RunState, apply, fold
from maestro_dsl.money import money_text
from maestro_dsl.reporters.text import duration, plural, safe, tokens

if TYPE_CHECKING:
    from collections.abc import Iterable

    from maestro_dsl.compiler.plan import CompiledPlan

HEARTBEAT_S: Final = 30.0
_NAMED: Final = 4


def describe(event: Event) -> str | None:
    """Return an event as one line without its time, or None for events that only programs care about."""
    body = event.body
    if isinstance(body, (AttemptStarted, AttemptFinished, RetryScheduled)):
        return _attempt(body)
    if isinstance(body, NodeFinished):
        return _finished(body)
    if isinstance(body, (NodeWaiting, NodeDecided, TicketOpened)):
        return _person(body)
    if isinstance(body, ServiceReady):
        return f"{body.mode} of {safe(body.contract_id)} answers at {safe(body.url)}"
    if isinstance(body, ServiceStopped):
        return f"{body.mode} of {safe(body.contract_id)} stopped"
    if isinstance(body, AlertRaised):
        return f"alert: {safe(body.message)}"
    if isinstance(body, ProviderHeld):
        wait = duration(max(body.until - event.at, 0.0))
        return f"{safe(body.provider)}: nobody calls it for {wait}: {safe(body.reason)}"
    if isinstance(body, LimitRaised):
        return f"limits are now {_limits(body)}"
    return _run(body) if isinstance(body, (RunStarted, RunResumed, RunPaused, RunFinished)) else None


def _limits(body: LimitRaised) -> str:
    parts = [money_text(body.max_cost_nano_usd)] if body.max_cost_nano_usd is not None else []
    parts += [f"{body.max_tokens:,} tokens"] if body.max_tokens is not None else []
    parts += [f"{duration(body.max_duration_s)} of work"] if body.max_duration_s is not None else []
    return ", ".join(parts) or "as planned"


def _person(body: NodeWaiting | NodeDecided | TicketOpened) -> str:
    if isinstance(body, NodeWaiting):
        return f"{safe(body.node)}: waiting for a person: {safe(body.question)}"
    if isinstance(body, TicketOpened):
        return f"{safe(body.node)}: ticket {safe(body.key)} asks for help"
    return f"{safe(body.node)}: {safe(body.decision)}" + (f" by {safe(body.by)}" if body.by else "")


def _run(body: RunStarted | RunResumed | RunPaused | RunFinished) -> str:
    if isinstance(body, RunStarted):
        return f"run of {safe(body.plan_id)} started, output {safe(body.output)}"
    if isinstance(body, RunResumed):
        again = f", again: {safe(', '.join(body.interrupted))}" if body.interrupted else ""
        return f"run continued{again}"
    if isinstance(body, RunPaused):
        return f"run paused: {safe(body.reason)}"
    gone = (
        f", {plural(len(body.removed), 'file')} of nodes that left the plan removed" if body.removed else ""
    )
    kept = f", {plural(len(body.kept), 'changed file')} of such nodes kept" if body.kept else ""
    yours = f", {plural(len(body.unchecked), 'file')} of yours not checked" if body.unchecked else ""
    return f"run {safe(body.status)}: {safe(body.verdict.replace('_', ' '))}{gone}{kept}{yours}"


def _attempt(body: AttemptStarted | AttemptFinished | RetryScheduled) -> str | None:
    name = safe(body.node)
    if isinstance(body, AttemptStarted):
        number = f"attempt {body.attempt}" + (f" of round {body.round}" if body.round > 1 else "")
        return f"{name}: {number} started" + (f", {safe(body.reason)}" if body.reason else "")
    if isinstance(body, RetryScheduled):
        reason = safe(body.reason.removeprefix(f"{body.failure}, "))  # it begins with what is said already
        return f"{name}: again in {duration(body.delay_s)} after {safe(body.failure)}: {reason}"
    if body.failure is None:
        return None  # the node's final state follows with the same figures
    return f"{name}: attempt {body.attempt} failed ({safe(body.failure)})" + (
        f": {safe(body.message)}" if body.message else ""
    )


def _finished(body: NodeFinished) -> str:
    parts = [body.state.replace("_", " ")]
    if body.verdict:
        parts.append(body.verdict.replace("_", " "))
    if body.reason:
        parts.append(safe(body.reason))
    if body.score is not None:
        parts.append(f"score {body.score:.2f}")
    if body.files:
        parts.append(plural(len(body.files), "file"))
    return f"{safe(body.node)}: {', '.join(parts)}"


def clock(seconds: float) -> str:
    """Return elapsed seconds as `m:ss.t` for the left margin of a log."""
    minutes, rest = divmod(max(seconds, 0.0), 60)
    return f"{int(minutes)}:{rest:04.1f}"


class Plain:
    """A sink for CI logs: one line a transition, and a heartbeat when nothing happened for a while."""

    def __init__(self, plan: CompiledPlan, stream: TextIO, *, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._plan = plan
        self._stream = stream
        self._heartbeat_s = heartbeat_s
        self._state = RunState()
        self._last = 0.0

    def seed(self, events: Iterable[Event]) -> None:
        """Take up what happened before this process, without a line."""
        with suppress(Exception):
            fold(events, self._state)

    def on_event(self, event: Event) -> None:
        """Write the event's line."""
        if event.seq <= self._state.seq:
            return
        with suppress(Exception):
            apply(self._state, event)
        with suppress(Exception):
            line = describe(event)
            if line is not None:
                self._write(event.at, line)

    def tick(self, now: float) -> None:
        """Write a heartbeat where the last line is old; `now` is wall time in seconds."""
        with suppress(Exception):
            if self._last and now - self._last >= self._heartbeat_s and not self._state.is_final:
                self._write(now, self._heartbeat(now))

    def note(self, text: str) -> bool:  # noqa: ARG002 - a line among lines
        """Leave the line to others."""
        return False

    def close(self) -> None:
        """Nothing is held open."""

    def _write(self, at: float, line: str) -> None:
        start = self._state.started_at if self._state.started_at is not None else at
        self._last = at
        self._stream.write(f"{clock(at - start):>8}  {line}\n")
        self._stream.flush()

    def _heartbeat(self, now: float) -> str:
        running = [item for item in self._state.nodes.values() if item.state is NodeState.RUNNING]
        names = [
            f"{safe(item.address)} ({duration(now - (item.started_at or now))})" for item in running[:_NAMED]
        ]
        more = f" and {len(running) - _NAMED} more" if len(running) > _NAMED else ""
        return (
            f"still running: {', '.join(names) or 'nothing'}{more}; {self._state.finals} of "
            f"{len(self._plan.nodes)} nodes done, {tokens(self._state.tokens)} tokens, "
            f"{money_text(self._state.nano_usd)}"
        )


class JsonLines:
    """A sink that writes each event as the journal holds it, one JSON object a line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def seed(self, events: Iterable[Event]) -> None:
        """Nothing is shown of what happened before."""

    def on_event(self, event: Event) -> None:
        """Write the event."""
        with suppress(Exception):
            self._stream.write(json_line(event))
            self._stream.flush()

    def tick(self, now: float) -> None:
        """Programs need no heartbeat."""

    def note(self, text: str) -> bool:  # noqa: ARG002 - it writes events alone
        """Leave the line to others."""
        return False

    def close(self) -> None:
        """Nothing is held open."""


class Quiet:
    """A sink that shows nothing."""

    def seed(self, events: Iterable[Event]) -> None:
        """Nothing is shown of what happened before."""

    def on_event(self, event: Event) -> None:
        """Ignore the event."""

    def tick(self, now: float) -> None:
        """Show nothing."""

    def note(self, text: str) -> bool:  # noqa: ARG002 - it shows nothing
        """Leave the line to others."""
        return False

    def close(self) -> None:
        """Nothing is held open."""


def json_line(event: Event) -> str:
    """Return an event as one line of ASCII JSON, so that no terminal can be steered by it."""
    return json.dumps(event.to_json(), ensure_ascii=True) + "\n"
