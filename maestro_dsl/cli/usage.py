"""What `costs` and `tokens` share: options, and how a report of usage is printed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar

import click

from maestro_dsl.cli.context import print_json, print_text, session
from maestro_dsl.cli.options import format_option, state_dir_option

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from maestro_dsl.app.usage import UsageReport
    from maestro_dsl.engine.usage import Spending, UsageRow
    from maestro_dsl.reporters.text import Style

F = TypeVar("F", bound="Callable[..., Any]")


def usage_options(by: str) -> Callable[[F], F]:
    """Options of reports of usage; `by` is the default grouping."""

    def decorate(function: F) -> F:
        for option in reversed(
            (
                click.option(
                    "--by",
                    type=click.Choice(["persona", "model", "run", "day"]),
                    default=by,
                    show_default=True,
                    help="Group by this.",
                ),
                click.option("--since", metavar="WHEN", help='Only from then on: a date, or e.g. "7d".'),
                click.option("--run", metavar="RUN", help='Only this run: id, its beginning, or "last".'),
                state_dir_option,
                format_option("text", "json", "csv"),
            )
        ):
            function = option(function)
        return function

    return decorate


def report(
    context: click.Context,
    as_text: Callable[[str, Sequence[UsageRow], Spending, Style], str],
    *,
    output_format: str,
    after: str,
    **options: Any,
) -> None:
    """Print what was used, as the options of `usage_options` ask, and name the command `after`."""
    from maestro_dsl.app import usage_report
    from maestro_dsl.reporters.usage import csv_text, json_document

    own = session(context)
    found: UsageReport = usage_report(**options, environ=own.environ)
    if output_format == "json":
        print_json(json_document(found.by, found.rows, found.total))
    elif output_format == "csv":
        print_text(csv_text(found.by, found.rows))
    elif not found.rows:
        own.say(f"nothing was used in {found.state_dir}: no model was called, and nothing was reused")
    else:
        print_text(as_text(found.by, found.rows, found.total, own.style(sys.stdout)))
    own.next(after)
