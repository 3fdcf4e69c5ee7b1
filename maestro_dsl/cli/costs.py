"""`maestro costs`: what was spent, against the limits, and what reuse saved."""

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
  maestro costs
  maestro costs --run last
  maestro costs --by model --since 2026-11-01 --format csv
"""


@click.command("costs", epilog=EPILOG, short_help="Report costs.")
@usage_options("run")
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
    """Report what runs cost and what reuse saved, by run, persona, model or day.

    Where a model has no known price the cost is unknown, never zero. "used" is the share of the cost limit.
    Days are UTC. CSV and JSON hold exact decimals.
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
        print_text(reporter.costs_text(by, found.rows, found.total, own.style(sys.stdout)))
    own.next("maestro tokens")
