"""Hears what is asked of a running run from other terminals, and says what became of it once that is durable.

What a request means is decided by `commands.rule`; how a run pauses or ends, by the interpreter. A request
that comes while the run is ending is left alone: its sender sees that nobody works on the run any more and
writes the events itself.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, Protocol

from maestro_dsl.engine.commands import BY_PERSON, Command, CommandKind, CommandQueue, Ruling, rule
from maestro_dsl.engine.events import AlertRaised, NodeDecided
from maestro_dsl.engine.state import RunState, RunStatus
from maestro_dsl.errors import IntegrityError, MaestroError

if TYPE_CHECKING:
    from maestro_dsl.engine.writer import Writer

LISTEN_EVERY_S: Final = 0.1
DEAF: Final = ("damage", "requests")
"""Kind and subject of the alert that what is asked of a run cannot be read."""
_log = logging.getLogger(__name__)


class Obedient(Protocol):
    """What the listener asks of the interpreter."""

    @property
    def closing(self) -> bool:
        """Whether the last events of the run are on their way."""

    def pause(self, reason: str, by: str, *, now: bool = False) -> None:
        """Start nothing new; `now` = end what runs, to be run again."""

    def cancel(self, reason: str) -> None:
        """End the run for good."""

    def decide(self, decision: NodeDecided) -> asyncio.Task[None] | None:
        """Answer a node that waits; the task ends when the answer is durable."""


class Listener:
    """The ear of one run."""

    def __init__(self, queue: CommandQueue, state: RunState, writer: Writer, run: Obedient) -> None:
        self._queue = queue
        self._state = state
        self._writer = writer
        self._run = run
        self._cancels: list[Command] = []

    async def listen(self) -> None:
        """Look for requests until cancelled."""
        while True:
            try:
                command = self._queue.next(self._state.run_id)
                if command is not None and not self._run.closing and self._queue.accept(command.number):
                    await self._obey(command)
                    continue
            except IntegrityError as error:
                self._tell(error)
            except MaestroError as error:  # the run is worth more than the request
                _log.warning("a request from another terminal could not be heard: %s", error.message)
            except Exception:  # noqa: BLE001 - nor does our bug end the run, or make it deaf
                _log.warning("a request from another terminal could not be heard", exc_info=True)
            await asyncio.sleep(LISTEN_EVERY_S)

    def _tell(self, error: IntegrityError) -> None:
        """Say once, in the run's history too, that nobody knows what is asked of it; the run goes on."""
        if DEAF not in self._state.alerts:
            message = f"a request from another terminal cannot be read: {error.message}"
            self._writer.post(AlertRaised(kind=DEAF[0], subject=DEAF[1], message=message))

    async def _obey(self, command: Command) -> None:
        found = rule(self._state, command)
        if found.ruling is not Ruling.GO:
            self._writer.flush()  # what is so already may still be on its way to the disk
            text = found.text if found.hint is None else f"{found.text} ({found.hint})"
            self._queue.answer(command.number, done=found.ruling is Ruling.ALREADY, text=text)
        elif command.kind is CommandKind.PAUSE:
            self._pause(command)
        elif command.kind is CommandKind.CANCEL:
            self._cancels.append(command)  # answered when the run has ended
            self._run.cancel(reason_of(command, "cancelled"))
        else:
            await self._decide(command)

    def _pause(self, command: Command) -> None:
        flying = sum(item.in_flight is not None for item in self._state.nodes.values())
        self._run.pause(reason_of(command, "paused"), BY_PERSON, now=command.now)
        self._writer.flush()
        end = "are stopped and will run again" if command.now else "end first"
        rest = f"; {flying} at work {end}" if flying else ""
        self._queue.answer(command.number, done=True, text=f"paused: nothing new starts{rest}")

    async def _decide(self, command: Command) -> None:
        decision = NodeDecided(node=command.node, decision=command.decision, by=command.by, note=command.note)
        task = self._run.decide(decision)
        if task is None:
            text = f"{command.node} is being answered just now"
            self._queue.answer(command.number, done=False, text=text)
            return
        await asyncio.shield(task)
        text = f"{command.node}: {command.decision} is written, and the run goes on"
        self._queue.answer(command.number, done=True, text=text)

    def ended(self) -> None:
        """Answer those who asked for the end, now that the run has one."""
        for command in self._cancels:
            done = self._state.status is RunStatus.CANCELLED
            text = "cancelled" if done else f"the run ended before: {self._state.status.value}"
            self._queue.answer(command.number, done=done, text=text)


def reason_of(command: Command, what: str) -> str:
    """Return the sentence that the journal keeps: what was asked, by whom, and why."""
    who = f" by {command.by}" if command.by else ""
    note = f": {command.note}" if command.note else ""
    return f"{what}{who}{note}"
