"""`maestro cancel`: ends a run for good, wherever it runs."""

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
  maestro cancel last
  maestro cancel 01939f2e --note "wrong branch"
"""


@click.command("cancel", epilog=EPILOG, short_help="End a run for good.")
@click.argument("run_id", metavar="RUN")
@control_options
@click.pass_context
def command(
    context: click.Context,
    *,
    run_id: str,
    note: str,
    wait_s: float,
    state_dir: Path | None,
    output_format: str,
) -> int:
    """End RUN for good: its processes are gone, finished results stay and are reused by later runs."""
    from maestro_dsl.app import cancel

    own = session(context)
    result: ControlResult = cancel(run_id, environ=own.environ, state_dir=state_dir, note=note, wait_s=wait_s)
    return say(own, result, output_format=output_format, after=f"maestro show {result.run_id}")
