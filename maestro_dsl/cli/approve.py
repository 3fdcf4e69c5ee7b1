"""`maestro approve`: answers a node that waits for a person, wherever its run is."""

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
  maestro approve last
  maestro approve 01939f2e 'release' --note "looked at the report"
  maestro approve 01939f2e 'release' --reject
"""


@click.command("approve", epilog=EPILOG, short_help="Answer a node that waits.")
@click.argument("run_id", metavar="RUN")
@click.argument("node", metavar="[NODE]", required=False)
@click.option("--reject", "decision", flag_value="reject", help="Say no: the node fails.")
@click.option("--skip", "decision", flag_value="skip", help="Leave the node out.")
@click.option("--rerun", "decision", flag_value="rerun", help="Do an effect again that may have happened.")
@control_options
@click.pass_context
def command(
    context: click.Context,
    *,
    run_id: str,
    node: str | None,
    decision: str | None,
    note: str,
    wait_s: float,
    state_dir: Path | None,
    output_format: str,
) -> int:
    """Say yes to NODE of RUN, which waits for a person; NODE may be left out where only one waits."""
    from maestro_dsl.app import decide

    own = session(context)
    result: ControlResult = decide(
        run_id,
        node,
        decision or "approve",
        environ=own.environ,
        state_dir=state_dir,
        note=note,
        wait_s=wait_s,
    )
    after = f"maestro logs {result.run_id} -f" if result.live else f"maestro resume {result.run_id}"
    return say(own, result, output_format=output_format, after=after)
