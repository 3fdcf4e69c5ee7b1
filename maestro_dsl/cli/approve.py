"""`maestro approve`: answers a node that waits for a person, wherever its run is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from maestro_dsl.cli.context import session
from maestro_dsl.cli.control import control_options, say
from maestro_dsl.errors import UsageError

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
@click.option("--reject", is_flag=True, help="Say no: the node fails.")
@click.option("--skip", is_flag=True, help="Leave the node out.")
@click.option("--rerun", is_flag=True, help="Do an effect again that may have happened.")
@control_options
@click.pass_context
def command(  # noqa: PLR0913 - one argument an option, by keyword
    context: click.Context,
    *,
    run_id: str,
    node: str | None,
    reject: bool,
    skip: bool,
    rerun: bool,
    note: str,
    wait_s: float,
    state_dir: Path | None,
    output_format: str,
) -> int:
    """Say yes to NODE of RUN, which waits for a person; NODE may be left out where only one waits."""
    from maestro_dsl.app import decide

    stated = [word for word, is_said in (("reject", reject), ("skip", skip), ("rerun", rerun)) if is_said]
    if len(stated) > 1:
        raise UsageError(f"--{stated[0]} and --{stated[1]} exclude each other", hint="leave one of them out")
    own = session(context)
    result: ControlResult = decide(
        run_id,
        node,
        stated[0] if stated else "approve",
        environ=own.environ,
        state_dir=state_dir,
        note=note,
        wait_s=wait_s,
    )
    after = f"maestro logs {result.run_id} -f" if result.live else f"maestro resume {result.run_id}"
    return say(own, result, output_format=output_format, after=after)
