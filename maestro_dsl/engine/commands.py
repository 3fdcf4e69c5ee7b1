"""What a person may ask of a run from another terminal: values, and what each means for a run as it stands.

`rule` is pure and is asked by both ways: the process that works on the run, and a command that finds no such
process and writes the events itself under the run's lease. How commands travel is `storage.commands`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from maestro_dsl.engine.state import NodeRecord, NodeState, RunState, RunStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

BY_PERSON: Final = "person"
"""`RunPaused.by` of a run that a person paused; it stays so until that person resumes it."""


class CommandKind(StrEnum):
    """What is asked."""

    PAUSE = "pause"
    CANCEL = "cancel"
    DECIDE = "decide"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One request; `number` is its place in the queue, 0 while it is in none."""

    run_id: str
    kind: CommandKind
    by: str = ""
    """Who asks, as the operating system knows them."""
    now: bool = False
    """Pause: end what runs instead of waiting for it."""
    node: str = ""
    decision: str = ""
    note: str = ""
    number: int = 0


class CommandQueue(Protocol):
    """Where a running process finds what is asked of its run, and says what became of it."""

    def next(self, run_id: str) -> Command | None:
        """Return the oldest request nobody has answered, or None."""

    def accept(self, number: int) -> bool:
        """Take a request up durably; False where its sender has withdrawn it, so that it must not be done."""

    def answer(self, number: int, *, done: bool, text: str) -> None:
        """Say durably what became of an accepted request, in a sentence for the one who asked."""


class Ruling(StrEnum):
    """What a request means for a run as it stands."""

    GO = "go"
    ALREADY = "already"
    """It is so already: nothing to do, and no mistake either."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A ruling with its sentence, empty for `GO`, and the way out of a refusal."""

    ruling: Ruling
    text: str = ""
    hint: str | None = None


GO: Final = Rule(ruling=Ruling.GO)


def rule(state: RunState, command: Command) -> Rule:
    """Return what `command` means for a run in `state`."""
    if command.kind is CommandKind.PAUSE:
        return _pause(state, command)
    if command.kind is CommandKind.CANCEL:
        return _cancel(state)
    return _decide(state, command)


def _ended(state: RunState, what: str) -> Rule:
    return Rule(
        ruling=Ruling.REFUSED,
        text=f"run {state.run_id} has ended ({state.status}) and cannot be {what}",
        hint="apply the plan again to start a new run",
    )


def _pause(state: RunState, command: Command) -> Rule:
    if state.is_final:
        return _ended(state, "paused")
    flying = any(item.in_flight is not None for item in state.nodes.values())
    if state.status is not RunStatus.PAUSED or (command.now and flying):
        return GO
    if state.paused is not None and state.paused.by != BY_PERSON:
        return GO  # paused by a signal or a limit: from now on it waits for a person
    return Rule(ruling=Ruling.ALREADY, text=f"run {state.run_id} is paused already")


def _cancel(state: RunState) -> Rule:
    if state.status is RunStatus.CANCELLED:
        return Rule(ruling=Ruling.ALREADY, text=f"run {state.run_id} is cancelled already")
    return _ended(state, "cancelled") if state.is_final else GO


def _decide(state: RunState, command: Command) -> Rule:
    record = state.nodes.get(command.node)
    decided = None if record is None else record.decision
    if decided is not None:
        same = decided.decision == command.decision
        text = f"{command.node} was answered already: {decided.decision}"
        return Rule(ruling=Ruling.ALREADY if same else Ruling.REFUSED, text=text)
    if state.is_final:
        return _ended(state, "answered")
    if record is None or record.state is not NodeState.WAITING:
        where = NodeState.PENDING if record is None else record.state
        waits = waiting(state)
        return Rule(
            ruling=Ruling.REFUSED,
            text=f"{command.node} waits for no answer: it is {where.value.replace('_', ' ')}",
            hint=f"these wait: {', '.join(waits)}" if waits else "no node of this run waits for an answer",
        )
    if asks_about_effect(record) and command.decision == "approve":
        return Rule(
            ruling=Ruling.REFUSED,
            text=f"{command.node} may have had its effect; nobody knows, so there is nothing to approve",
            hint="look at what it acts on, then say --rerun or --skip",
        )
    return GO


def effect_question(address: str) -> str:
    """Return what is asked about an effect with a beginning and no end."""
    return f"{address} may have had its effect before the process ended: rerun or skip?"


def asks_about_effect(record: NodeRecord) -> bool:
    """Return whether a node waits because nobody knows whether it had its effect."""
    return record.waiting is not None and record.waiting.question == effect_question(record.address)


def waiting(state: RunState) -> Sequence[str]:
    """Return the nodes that wait for a person's answer."""
    return tuple(
        item.address
        for item in state.nodes.values()
        if item.state is NodeState.WAITING and item.decision is None and item.final is None
    )
