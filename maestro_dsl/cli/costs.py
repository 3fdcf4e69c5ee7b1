"""`maestro costs`: what was spent, against the limits, and what reuse saved."""

from __future__ import annotations

from typing import Any

import click

from maestro_dsl.cli.usage import report, usage_options
from maestro_dsl.reporters.usage import costs_text

EPILOG = """\b
Examples:
  maestro costs
  maestro costs --run last
  maestro costs --by model --since 2026-11-01 --format csv
"""


@click.command("costs", epilog=EPILOG, short_help="Report costs.")
@usage_options("run")
@click.pass_context
def command(context: click.Context, /, **options: Any) -> None:
    """Report what runs cost and what reuse saved, by run, persona, model or day.

    Where a model has no known price the cost is unknown, never zero. "used" is the share of the cost limit.
    Days are UTC. CSV and JSON hold exact decimals.
    """
    report(context, costs_text, after="maestro tokens", **options)
