"""A process that applies a plan and kills itself, as `kill -9` would, when a chosen event is durable."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from support.program import PATIENCE

from maestro_dsl import app
from maestro_dsl.lang.settings import Overrides

if TYPE_CHECKING:
    from support.projects import Project

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["maestro_dsl.app.running", "maestro_dsl.app.planning"])


@dataclass(frozen=True)
class Moment:
    """The `count`-th event of the type `kind`; of any type where that is None."""

    kind: str | None
    count: int

    def __str__(self) -> str:
        return f"{self.kind or 'event'}-{self.count}"


class Dying:
    """A sink that ends its process without a word."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment
        self._seen = 0

    def on_event(self, event) -> None:
        if self._moment.kind in {None, type(event.body).__name__}:
            self._seen += 1
            if self._seen == self._moment.count:
                os.kill(os.getpid(), signal.SIGKILL)


def _apply(plan_file: str, state: str, moment: Moment | None) -> None:
    report = app.plan_report(Path(plan_file), overrides=Overrides(), environ={}, state_dir=Path(state))
    sinks = [] if moment is None else [Dying(moment)]
    asyncio.run(app.apply(report, options=app.ApplyOptions(), environ={}, sinks=sinks))


def apply_and_die(project: Project, moment: Moment) -> bool:
    """Apply in a process of its own and return whether the moment came; False where the run just ended."""
    process = _CONTEXT.Process(target=_apply, args=(str(project.plan_file), str(project.state), moment))
    process.start()
    process.join(PATIENCE)
    assert process.exitcode in {0, -signal.SIGKILL}, f"the process ended with {process.exitcode}"
    return process.exitcode != 0


def apply_apart(plan_file: Path, state: Path) -> int:
    """Apply in a process of its own and return how that ended: 0, or minus the signal that killed it."""
    process = _CONTEXT.Process(target=_apply, args=(str(plan_file), str(state), None))
    process.start()
    process.join(PATIENCE)
    return int(process.exitcode or 0)
