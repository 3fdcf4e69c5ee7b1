"""Goes on with a run: for `resume`, and where a person on the terminal answers what holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from maestro_dsl.cli.running import choose_progress, drive
from maestro_dsl.reporters.text import safe

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from maestro_dsl.app.values import RunResult
    from maestro_dsl.cli.context import Session
    from maestro_dsl.engine.ports.sinks import EventSink
    from maestro_dsl.lang.settings import Overrides

_LATER = "later"


def go_on(
    own: Session,
    run_id: str,
    *,
    overrides: Overrides,
    state_dir: Path | None,
    progress: str,
    decisions: Mapping[str, str] | None = None,
) -> RunResult:
    """Continue a run where it stopped, and show how it goes."""
    from maestro_dsl.app import resume, show_run

    before: RunResult = show_run(run_id, environ=own.environ, state_dir=state_dir)

    async def work(sinks: Sequence[EventSink], stop: asyncio.Event) -> RunResult:
        result: RunResult = await resume(
            before.run_id,
            overrides=overrides,
            environ=own.environ,
            state_dir=state_dir,
            sinks=sinks,
            stop=stop,
            decisions=decisions or {},
        )
        return result

    shown = choose_progress(own, progress, before.plan)
    shown.seed(before.events)
    return drive(work, shown, own)


def ask_and_go_on(own: Session, result: RunResult, *, state_dir: Path | None, progress: str) -> RunResult:
    """Return the run as it is when nobody answers any more; without a terminal that is at once."""
    while own.interactive and result.status == "paused" and _answered(own, result, state_dir):
        result = go_on(own, result.run_id, overrides=own.overrides(), state_dir=state_dir, progress=progress)
    return result


def _answered(own: Session, result: RunResult, state_dir: Path | None) -> bool:
    """Ask about every node that waits; return whether any of them has its answer now."""
    from maestro_dsl.app import decide
    from maestro_dsl.engine.commands import asks_about_effect, waiting
    from maestro_dsl.engine.state import fold

    state = fold(result.events)
    actions = {node.address: node.action for node in result.plan.nodes}
    any_answer = False
    for address in waiting(state):
        record = state.nodes[address]
        words = ["approve", "skip", "reject"] if actions[address] == "approve" else [*_OF_A_FAILURE]
        if asks_about_effect(record):
            words = ["rerun", "skip"]
        if record.waiting is not None:
            click.echo(f"{safe(address)}: {safe(record.waiting.question)}", err=True)
        choice = click.Choice([*words, _LATER])
        answer = click.prompt(f"answer for {safe(address)}", type=choice, default=_LATER, err=True)
        if answer != _LATER:
            decide(result.run_id, address, answer, environ=own.environ, state_dir=state_dir)
            any_answer = True
    return any_answer


_OF_A_FAILURE = ("retry", "approve", "skip", "reject")
