"""Options that several commands share, as decorators, so that they read the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import click

Function: TypeAlias = Callable[..., Any]
F = TypeVar("F", bound=Function)


class NamedPath(click.Path):
    """A path that says something: an unset variable of a script is not the folder one stands in."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path, or refuse an empty text."""
        if value == "":
            self.fail('"" names no file and no folder', param, ctx)
        return super().convert(value, param, ctx)


class FiniteRange(click.FloatRange):
    """A number within bounds; `nan` is within none, and `inf` is no figure to count with."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, or refuse it."""
        number = super().convert(value, param, ctx)
        if not isfinite(number):
            self.fail(f"{number} is no number.", param, ctx)
        return number


PATH = NamedPath(path_type=Path)


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
            click.option("--max-cost", type=FiniteRange(min=0), metavar="USD", help="Cost limit."),
            click.option("--output", type=NamedPath(), metavar="DIR", help="Folder for the results."),
            click.option(
                "--quality-threshold",
                type=FiniteRange(0, 1),
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
