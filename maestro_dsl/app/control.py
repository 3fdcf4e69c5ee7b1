"""`pause`, `cancel` and answers from any terminal: a run is told, or what it would do is written here.

Where a process works on the run, the request goes to it through the state database and is acknowledged once
that process has stored its consequence. Where none does, the events are written here, under the run's lease.
Starts no node; `app.retrying` and `app.running` do.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from maestro_dsl import __version__
from maestro_dsl.app.begun import stored_plan
from maestro_dsl.app.running import end_leftovers
from maestro_dsl.app.state import State, find_run, holder, is_live, open_state
from maestro_dsl.app.system import SystemClock, user
from maestro_dsl.app.values import ControlResult
from maestro_dsl.engine.closing import cancelled, open_nodes
from maestro_dsl.engine.commands import BY_PERSON, Command, CommandKind, Ruling, rule, waiting
from maestro_dsl.engine.events import Body, Event, NodeDecided, RunFinished, RunPaused
from maestro_dsl.engine.graph import PlanIndex
from maestro_dsl.engine.listener import reason_of
from maestro_dsl.engine.opening import begin, taken_up
from maestro_dsl.engine.state import RunState, RunStatus, fold
from maestro_dsl.engine.verdict import run_verdict
from maestro_dsl.errors import StateError, UsageError
from maestro_dsl.lang.suggest import closest
from maestro_dsl.storage.commands import ACCEPTED, DONE, PENDING, WITHDRAWN, Commands, Receipt
from maestro_dsl.storage.lease import RunLease

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

WAIT_S: Final = 30.0
"""How long a request waits for the process that works on the run."""
_LOOK_EVERY_S: Final = 0.05
_LIVE_EVERY_S: Final = 0.5


def pause(
    run_id: str,
    *,
    environ: Mapping[str, str],
    state_dir: Path | None = None,
    now: bool = False,
    note: str = "",
    wait_s: float = WAIT_S,
) -> ControlResult:
    """Start nothing new in a run until `maestro resume`; `now` = end what runs, to be run again then.

    Raises:
        StateError: no such run, it has ended, or its process does not answer in time.
        IntegrityError: damage keeps its process from hearing it.
    """
    with open_state(state_dir, environ) as state:
        command = Command(
            run_id=find_run(state, run_id).run_id,
            kind=CommandKind.PAUSE,
            by=user(),
            now=now,
            note=note,
        )
        return ask(state, command, wait_s=wait_s)


def cancel(
    run_id: str,
    *,
    environ: Mapping[str, str],
    state_dir: Path | None = None,
    note: str = "",
    wait_s: float = WAIT_S,
) -> ControlResult:
    """End a run for good; returns when its processes are gone and its end is stored.

    Raises:
        StateError: no such run, it has ended otherwise, or its process does not answer in time.
    """
    with open_state(state_dir, environ) as state:
        command = Command(
            run_id=find_run(state, run_id).run_id, kind=CommandKind.CANCEL, by=user(), note=note
        )
        return ask(state, command, wait_s=wait_s)


def decide(
    run_id: str,
    node: str | None,
    decision: str,
    *,
    environ: Mapping[str, str],
    state_dir: Path | None = None,
    note: str = "",
    wait_s: float = WAIT_S,
) -> ControlResult:
    """Answer a node that waits for a person; `node` may be left out where only one waits.

    Raises:
        StateError: no such run, the node waits for nothing or was answered otherwise, or no answer in time.
        UsageError: several nodes wait, or the plan has no such node.
    """
    with open_state(state_dir, environ) as state:
        record = find_run(state, run_id)
        address = _address(state, record.run_id, node)
        command = Command(
            run_id=record.run_id,
            kind=CommandKind.DECIDE,
            by=user(),
            node=address,
            decision=decision,
            note=note,
        )
        return ask(state, command, wait_s=wait_s)


def _address(state: State, run_id: str, node: str | None) -> str:
    if node is not None:
        known = [item.address for item in stored_plan(state, run_id).nodes]
        if node not in known:
            near = closest(node, known)
            guess = f' - did you mean "{near}"?' if near else ""
            raise UsageError(f'run {run_id} has no node "{node}"{guess}', hint=f"maestro show {run_id}")
        return node
    waits = waiting(fold(state.journal.events(run_id)))
    if not waits:
        raise StateError(f"no node of run {run_id} waits for an answer", hint=f"maestro show {run_id}")
    if len(waits) > 1:
        raise UsageError(f"{len(waits)} nodes wait for an answer; name one", hint=", ".join(waits))
    return waits[0]


def ask(
    state: State, command: Command, *, wait_s: float, sleep: Callable[[float], None] = time.sleep
) -> ControlResult:
    """Have a request done by the run's process, or do it here where there is none; see the module."""
    clock = SystemClock()
    give_up_at = clock.monotonic() + wait_s
    while True:
        if is_live(state, command.run_id):
            found = _send(state, command, give_up_at, sleep)
            if found is not None:
                return found
        else:
            try:
                with RunLease.acquire(
                    state.place.path, command.run_id, holder(clock), state.journal.next_epoch
                ) as lease:
                    return _write(state, command, lease.epoch)
            except StateError:
                if not is_live(state, command.run_id):
                    raise  # not because a process has just taken the run up
        if clock.monotonic() >= give_up_at:
            Commands(state.journal.database).verify()  # damage can be why nobody heard it
            raise _unanswered(state, command, wait_s)


def _send(
    state: State, command: Command, give_up_at: float, sleep: Callable[[float], None]
) -> ControlResult | None:
    """Ask the run's process and wait; None = that process is gone, or gone again: look anew."""
    commands, clock = Commands(state.journal.database), SystemClock()
    number = commands.send(command)
    look_at = clock.monotonic() + _LIVE_EVERY_S
    while True:
        receipt = commands.receipt(number)
        if receipt.status == WITHDRAWN:
            return None
        if receipt.status not in {PENDING, ACCEPTED}:
            return _answered(command, receipt)
        late = clock.monotonic() >= give_up_at
        if late or clock.monotonic() >= look_at:
            look_at = clock.monotonic() + _LIVE_EVERY_S
            gone = not is_live(state, command.run_id)
            if (late or gone) and commands.withdraw(number):
                return None
            receipt = commands.receipt(number)  # it may have been answered in between
            if gone and receipt.status == ACCEPTED:
                return None  # it died over it: what it stored decides now
            if late and receipt.status == ACCEPTED:
                text = f"{command.kind.value} is under way; what runs has not ended yet"
                return ControlResult(
                    run_id=command.run_id, command=command.kind.value, live=True, done=False, text=text
                )
        sleep(_LOOK_EVERY_S)


def _answered(command: Command, receipt: Receipt) -> ControlResult:
    if receipt.status != DONE:
        raise StateError(receipt.answer, hint=f"maestro show {command.run_id}")
    return ControlResult(
        run_id=command.run_id, command=command.kind.value, live=True, done=True, text=receipt.answer
    )


def _unanswered(state: State, command: Command, wait_s: float) -> StateError:
    return StateError(
        f"the process that works on run {command.run_id} did not answer within {wait_s:g} s;"
        " nothing was changed",
        hint=f"try again; maestro runs --state-dir {state.place.path} shows which runs are live",
    )


def _write(state: State, command: Command, epoch: int) -> ControlResult:
    """Write the events of a request for a run that nobody works on."""
    folded = fold(state.journal.events(command.run_id))
    folded.run_id = command.run_id
    found = rule(folded, command)
    if found.ruling is Ruling.REFUSED:
        raise StateError(found.text, hint=found.hint)
    if found.ruling is Ruling.GO:
        bodies, text = _consequence(state, folded, command, epoch)
        at = SystemClock().now()
        events = [
            Event(run_id=command.run_id, seq=folded.seq + place, at=at, body=body)
            for place, body in enumerate(bodies, 1)
        ]
        fold(events, folded)  # an impossible one never reaches the journal
        state.journal.append(events, epoch)
    else:
        text = found.text
    return ControlResult(run_id=command.run_id, command=command.kind.value, live=False, done=True, text=text)


def _consequence(state: State, folded: RunState, command: Command, epoch: int) -> tuple[list[Body], str]:
    opening: list[Body] = []
    if folded.seq == 0:  # its process died before the first event
        plan = stored_plan(state, command.run_id)
        opening = [begin(plan, plan.digest, __version__, {})]
    if command.kind is CommandKind.PAUSE:
        reason = reason_of(command, "paused")
        return [*opening, RunPaused(reason=reason, by=BY_PERSON)], "paused; nobody was at work on it"
    if command.kind is CommandKind.DECIDE:
        answer = NodeDecided(node=command.node, decision=command.decision, by=command.by, note=command.note)
        return [answer], f"{command.node}: {command.decision} is written; nobody is at work on the run"
    end_leftovers(state, command.run_id)
    if folded.seq:
        opening = [taken_up(folded, epoch)]
    index = PlanIndex(stored_plan(state, command.run_id))
    reason = reason_of(command, "cancelled")
    verdict = run_verdict(index, folded).word
    end = RunFinished(status=RunStatus.CANCELLED.value, verdict=verdict, reason=reason)
    return [*opening, *cancelled(open_nodes(index, folded), reason), end], "cancelled"
