"""`maestro show`: a run, or a plan file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from maestro_dsl.cli.context import session
from maestro_dsl.cli.options import format_option, state_dir_option

if TYPE_CHECKING:
    from maestro_dsl.app.values import PlanReport, RunResult

EPILOG = """\b
Examples:
  maestro show last
  maestro show 01939f2e --format json
  maestro show plan.yaml
"""


@click.command("show", epilog=EPILOG, short_help="Show a run or a plan.")
@click.argument("what", metavar="RUN|PLAN")
@state_dir_option
@format_option("text", "json")
@click.pass_context
def command(context: click.Context, *, what: str, state_dir: Path | None, output_format: str) -> int:
    """Show a run (id, its beginning, or "last"): results, verdicts, quality, time, cost. Or a plan file."""
    from maestro_dsl.app import plan_report, show_run
    from maestro_dsl.cli.plan import show
    from maestro_dsl.cli.running import ENDED, finish

    own = session(context)
    if Path(what).is_file():
        report: PlanReport = plan_report(
            Path(what), overrides=own.overrides(), environ=own.environ, state_dir=state_dir
        )
        show(context, report, output_format=output_format)
        return 0
    result: RunResult = show_run(what, environ=own.environ, state_dir=state_dir)
    after = f"maestro logs {result.run_id}" if result.status in ENDED else None
    finish(own, result, output_format=output_format, after=after)
    return 0
