"""`maestro pause`: holds a run, wherever it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from maestro_dsl.cli.context import session
from maestro_dsl.cli.control import control_options, say

if TYPE_CHECKING:
    from pathlib import Path

    from maestro_dsl.app.values import ControlResult

EPILOG = """\b
Examples:
  maestro pause last
  maestro pause 01939f2e --now
  maestro pause 01939f2e --note "prices change at noon"
"""


@click.command("pause", epilog=EPILOG, short_help="Hold a run.")
@click.argument("run_id", metavar="RUN")
@click.option("--now", is_flag=True, help="End what is at work too; it runs again after resume.")
@control_options
@click.pass_context
def command(
    context: click.Context,
    *,
    run_id: str,
    now: bool,
    note: str,
    wait_s: float,
    state_dir: Path | None,
    output_format: str,
) -> int:
    """Start nothing new in RUN (id, its beginning, or "last"); it waits until `maestro resume`."""
    from maestro_dsl.app import pause

    own = session(context)
    result: ControlResult = pause(
        run_id, environ=own.environ, state_dir=state_dir, now=now, note=note, wait_s=wait_s
    )
    return say(own, result, output_format=output_format, after=f"maestro resume {result.run_id}")
