"""Options that several commands share, as decorators, so that they read the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import click

Function: TypeAlias = Callable[..., Any]
F = TypeVar("F", bound=Function)

PATH = click.Path(path_type=Path)


def format_option(*choices: str) -> Callable[[F], F]:
    """`--format`; the first choice is the default."""
    return click.option(
        "--format",
        "output_format",
        type=click.Choice(choices),
        default=choices[0],
        show_default=True,
        help="Form of what is written to standard output.",
    )


def state_dir_option(function: F) -> F:
    """`--state-dir`."""
    return click.option(
        "--state-dir",
        type=PATH,
        metavar="DIR",
        help="Where runs are recorded [default: MAESTRO_STATE_DIR, /var/maestro/state, or yours].",
    )(function)


def setting_options(function: F) -> F:
    """Options that override settings of the plan."""
    for option in reversed(
        (
            click.option("--provider", metavar="NAME", help="Provider of answers, e.g. scaffold."),
            click.option("--max-concurrency", type=click.IntRange(min=1), metavar="N", help="Nodes at once."),
            click.option("--schedule", type=click.Choice(["ready", "waves"]), help="When nodes may start."),
            click.option("--max-cost", type=click.FloatRange(min=0), metavar="USD", help="Cost limit."),
            click.option("--output", metavar="DIR", help="Folder for the results."),
            click.option(
                "--quality-threshold",
                type=click.FloatRange(0, 1),
                metavar="0-1",
                help="Score below which the run fails.",
            ),
        )
    ):
        function = option(function)
    return function


def run_options(function: F) -> F:
    """Options of commands that run nodes."""
    for option in reversed(
        (
            click.option(
                "--progress",
                type=click.Choice(["auto", "tty", "plain", "json", "quiet"]),
                default="auto",
                show_default=True,
                help="How progress is shown, on standard error.",
            ),
        )
    ):
        function = option(function)
    return function


plan_argument = click.argument("plan_file", metavar="FILE", type=PATH)
