"""Runs nodes for `apply` and `resume`: progress, the two Ctrl-C, the summary at the end, the exit code."""

from __future__ import annotations

import asyncio
import shlex
import signal
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from maestro_dsl.cli.context import Session, at_this_state, print_json, print_text
from maestro_dsl.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from maestro_dsl.app.values import LeftBehind, RunResult
    from maestro_dsl.compiler.plan import CompiledPlan
    from maestro_dsl.engine.events import Event
    from maestro_dsl.engine.ports.sinks import EventSink
    from maestro_dsl.engine.records import NodeRecord
    from maestro_dsl.reporters.run import RunView

_STOPPING: Final = "stopping after what cannot wait; once more to stop at once"
_TICK_S: Final = 0.25
ENDED: Final = frozenset({"completed", "failed", "cancelled"})
"""Statuses of runs that cannot be continued."""
_RAISE: Final = {
    "max_cost": " --max-cost USD",
    "max_tokens": " --max-tokens N",
    "max_duration": " --max-duration TIME",
}
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What stops a run; of these, those that it inherited as ignored stay so: `nohup` outlives its terminal."""


class Progress(Protocol):
    """A sink that is also told the time, and closed at the end."""

    def seed(self, events: Iterable[Event]) -> None:
        """Take up what happened in earlier processes."""

    def on_event(self, event: Event) -> None:
        """See one event."""

    def tick(self, now: float) -> None:
        """See the wall time, in seconds."""

    def note(self, text: str) -> bool:
        """Show a line of text between the events; False where it is left to others to write it."""

    def close(self) -> None:
        """Stop drawing."""


Work: TypeAlias = "Callable[[Sequence[EventSink], asyncio.Event], Awaitable[RunResult]]"
"""Starts the run with these sinks; the event asks it to stop gracefully."""


def choose_progress(own: Session, wish: str, plan: CompiledPlan) -> Progress:
    """Return the progress that fits the stream and the wish; only the live view loads rich."""
    from maestro_dsl.reporters.lines import JsonLines, Plain, Quiet

    stream = sys.stderr
    if own.verbosity < 0 or wish == "quiet":
        return Quiet()
    if wish == "json":
        return JsonLines(stream)
    if wish == "tty" or (wish == "auto" and stream.isatty() and own.environ.get("TERM") != "dumb"):
        from maestro_dsl.reporters.live import LiveView

        return LiveView(plan, stream, colour=own.style(stream).colour)
    return Plain(plan, stream)


class _Stopper:
    """The first signal asks for a graceful end, the second cancels; remembers which signal it was."""

    def __init__(
        self, task: asyncio.Task[RunResult], stop: asyncio.Event, progress: Progress, own: Session
    ) -> None:
        self._task = task
        self._stop = stop
        self._progress = progress
        self._own = own
        self.signal: int | None = None

    def __call__(self, number: int) -> None:
        if self.signal is None:
            self.signal = number
            self._stop.set()
            if not self._progress.note(_STOPPING):
                self._own.say(f"\n{_STOPPING}")
        else:
            self._task.cancel()


async def _drive(work: Work, progress: Progress, own: Session) -> tuple[RunResult | None, int | None]:
    stop = asyncio.Event()
    task: asyncio.Task[RunResult] = asyncio.ensure_future(_await(work, progress, stop))
    stopper = _Stopper(task, stop, progress, own)
    loop = asyncio.get_running_loop()
    numbers = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    for number in numbers:
        with suppress(NotImplementedError, ValueError):
            loop.add_signal_handler(number, stopper, number)
    ticker = asyncio.ensure_future(_tick(progress))
    try:
        return await task, stopper.signal
    except asyncio.CancelledError:
        if stopper.signal is None:
            raise
        return None, stopper.signal
    finally:
        ticker.cancel()
        progress.close()
        for number in numbers:
            with suppress(NotImplementedError, ValueError):
                loop.remove_signal_handler(number)


async def _await(work: Work, progress: Progress, stop: asyncio.Event) -> RunResult:
    return await work((progress,), stop)


async def _tick(progress: Progress) -> None:
    while True:
        await asyncio.sleep(_TICK_S)
        progress.tick(time.time())


def drive(work: Work, progress: Progress, own: Session) -> RunResult:
    """Run to the end, or to the end that a signal asks for.

    Raises:
        Interrupted: stopped by a signal; what is finished is kept and `maestro resume` goes on.
    """
    result, number = asyncio.run(_drive(work, progress, own))
    if number is not None and (result is None or result.status not in ENDED):
        name = f"maestro resume {result.run_id}" if result is not None else "maestro resume"
        hint = f"go on with: {at_this_state(name)}"
        error = Interrupted("interrupted; what is finished is kept", hint=hint)
        error.exit_code = 128 + number  # type: ignore[misc]  # the class's value is the default, this is the signal's
        raise error
    if result is None:
        raise Interrupted("interrupted", hint=f"go on with: {at_this_state('maestro resume')}")
    return result


def view(result: RunResult) -> RunView:
    """Return a run as the reporter wants it."""
    from maestro_dsl.engine.state import fold
    from maestro_dsl.reporters.run import RunView

    return RunView(
        plan=result.plan,
        state=fold(result.events),
        output=str(result.output),
        status=result.status,
        verdict=result.verdict,
        quality=result.quality,
        overall_quality=result.overall_quality,
        estimate=result.estimate,
        live=result.live,
        tickets=result.tickets,
    )


def finish(own: Session, result: RunResult, *, output_format: str, after: str | None = None) -> int:
    """Print the summary of a run and the next command (`after`, else what fits); return its exit code."""
    shown = view(result)
    if output_format == "json":
        from maestro_dsl.codec import to_json
        from maestro_dsl.reporters.run_json import json_document

        left = [to_json(item) for item in result.left_behind]
        print_json({**json_document(shown), "left_behind": left, "exit_code": result.exit_code})
        return result.exit_code
    from maestro_dsl.reporters import run as reporter

    print_text(reporter.text(shown, own.style(sys.stdout)))
    own.next(after or way_on(result))
    return result.exit_code


def say_left_behind(own: Session, runs: Iterable[LeftBehind]) -> None:
    """Tell of each paused run that a new one leaves as it is, and how to go on with it instead."""
    from maestro_dsl.reporters.text import safe

    for run in runs:
        at = time.strftime("%Y-%m-%d %H:%M", time.localtime(run.paused_at))
        own.say(
            f"run {run.run_id} of another plan is left behind ({safe(run.reason)}, at {at}):"
            f" {at_this_state(f'maestro resume {run.run_id}')} continues it instead,"
            f" {at_this_state(f'maestro cancel {run.run_id}')} ends it"
        )


def _asked(result: RunResult) -> NodeRecord | None:
    """Return a node that waits for a person, or None."""
    from maestro_dsl.engine.commands import waiting
    from maestro_dsl.engine.state import fold

    state = fold(result.events)
    return next((state.nodes[address] for address in waiting(state)), None)


def _raised(result: RunResult) -> str:
    """Return the option that a run which a limit holds has to be resumed with."""
    from maestro_dsl.engine.state import fold

    paused = fold(result.events).paused
    return _RAISE.get(paused.by, "") if paused is not None else ""


def way_on(result: RunResult) -> str:
    """Return the next useful command after a run as it stands."""
    from maestro_dsl.engine.commands import asks_about_effect

    asked = _asked(result) if result.status == "paused" else None
    if asked is not None and asks_about_effect(asked):
        return f"maestro resume {result.run_id} --decide {shlex.quote(asked.address + '=skip')}"
    if asked is not None:
        return f"maestro approve {result.run_id} {shlex.quote(asked.address)}"
    if result.status == "paused" or result.interrupted or (result.status == "running" and not result.live):
        return f"maestro resume {result.run_id}{_raised(result)}"
    if result.exit_code == 0:
        return f"maestro show {result.run_id}"
    return f"maestro logs {result.run_id}"
