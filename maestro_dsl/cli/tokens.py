"""`maestro tokens`: what was used, against the budgets."""

from __future__ import annotations

from typing import Any

import click

from maestro_dsl.cli.usage import report, usage_options
from maestro_dsl.reporters.usage import tokens_text

EPILOG = """\b
Examples:
  maestro tokens
  maestro tokens --run last
  maestro tokens --by day --since 7d --format csv
"""


@click.command("tokens", epilog=EPILOG, short_help="Report tokens.")
@usage_options("persona")
@click.pass_context
def command(context: click.Context, /, **options: Any) -> None:
    """Report the tokens that runs used, all that is charged to budgets, by persona, model, run or day.

    A budget holds for one run; "used" is its share in the run that came nearest to it. "saved" is what reused
    results had cost. Days are UTC.
    """
    report(context, tokens_text, after="maestro costs", **options)
