"""`maestro tokens`: what was used, against the budgets."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from maestro_dsl.cli.context import print_json, print_text, session
from maestro_dsl.cli.options import format_option, state_dir_option, usage_options

if TYPE_CHECKING:
    from pathlib import Path

    from maestro_dsl.app.usage import UsageReport

EPILOG = """\b
Examples:
  maestro tokens
  maestro tokens --run last
  maestro tokens --by day --since 7d --format csv
"""


@click.command("tokens", epilog=EPILOG, short_help="Report tokens.")
@usage_options("persona")
@state_dir_option
@format_option("text", "json", "csv")
@click.pass_context
def command(
    context: click.Context,
    *,
    by: str,
    since: str | None,
    run: str | None,
    state_dir: Path | None,
    output_format: str,
) -> None:
    """Report the tokens that runs used, all that is charged to budgets, by persona, model, run or day.

    A budget holds for one run; "used" is its share in the run that came nearest to it. "saved" is what reused
    results had cost. Days are UTC.
    """
    from maestro_dsl.app import usage_report
    from maestro_dsl.reporters import usage as reporter

    own = session(context)
    found: UsageReport = usage_report(by=by, since=since, run=run, environ=own.environ, state_dir=state_dir)
    if output_format == "json":
        print_json(reporter.json_document(by, found.rows, found.total))
    elif output_format == "csv":
        print_text(reporter.csv_text(by, found.rows))
    elif not found.rows:
        own.say(f"nothing was used in {found.state_dir}: no model was called, and nothing was reused")
    else:
        print_text(reporter.tokens_text(by, found.rows, found.total, own.style(sys.stdout)))
    own.next("maestro costs")
