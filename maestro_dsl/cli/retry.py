"""`maestro retry`: tries again what failed in a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from maestro_dsl.cli.context import session
from maestro_dsl.cli.options import format_option, run_options, state_dir_option

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence
    from pathlib import Path

    from maestro_dsl.app.values import ControlResult, RunResult
    from maestro_dsl.engine.ports.sinks import EventSink

EPILOG = """\b
Examples:
  maestro retry last                       (all that failed)
  maestro retry 01939f2e 'build[web_app]'
"""


@click.command("retry", epilog=EPILOG, short_help="Try again what failed.")
@click.argument("run_id", metavar="RUN")
@click.argument("nodes", metavar="[NODE]...", nargs=-1)
@run_options
@state_dir_option
@format_option("text", "json")
@click.pass_context
def command(
    context: click.Context,
    *,
    run_id: str,
    nodes: tuple[str, ...],
    progress: str,
    state_dir: Path | None,
    output_format: str,
) -> int:
    """Try NODEs of RUN again that failed or gave up (all of them where none is named).

    A final state never changes, so this begins a new run of the same plan. What succeeded is reused and costs
    nothing, and what a person approved stays approved while it is unchanged; what failed or was accepted as
    degraded runs again. A node that waits for a person is answered "retry" instead, and its run goes on.
    """
    from maestro_dsl.app import failed_nodes, retry, show_run
    from maestro_dsl.cli.running import ENDED, choose_progress, drive, finish, say_left_behind

    own = session(context)
    before: RunResult = show_run(run_id, environ=own.environ, state_dir=state_dir)
    if len(nodes) == 1 and _waits(before, nodes[0]):
        return _answer(context, before.run_id, nodes[0], state_dir=state_dir, output_format=output_format)
    chosen: tuple[str, ...] = failed_nodes(before.run_id, nodes, environ=own.environ, state_dir=state_dir)
    own.say(f"a new run of the same plan tries again: {', '.join(chosen)}; the rest is reused")
    if before.status not in ENDED:
        own.say(f"it takes the place of run {before.run_id}, which is {before.status} and becomes cancelled")

    async def work(sinks: Sequence[EventSink], stop: asyncio.Event) -> RunResult:
        result: RunResult = await retry(
            before.run_id, chosen, environ=own.environ, state_dir=state_dir, sinks=sinks, stop=stop
        )
        return result

    result = drive(work, choose_progress(own, progress, before.plan), own)
    say_left_behind(own, result.left_behind)
    return finish(own, result, output_format=output_format)


def _waits(before: RunResult, node: str) -> bool:
    from maestro_dsl.engine.commands import waiting
    from maestro_dsl.engine.state import fold

    return node in waiting(fold(before.events))


def _answer(
    context: click.Context, run_id: str, node: str, *, state_dir: Path | None, output_format: str
) -> int:
    from maestro_dsl.app import decide
    from maestro_dsl.cli.control import say

    own = session(context)
    result: ControlResult = decide(run_id, node, "retry", environ=own.environ, state_dir=state_dir)
    after = f"maestro logs {run_id} -f" if result.live else f"maestro resume {run_id}"
    return say(own, result, output_format=output_format, after=after)
