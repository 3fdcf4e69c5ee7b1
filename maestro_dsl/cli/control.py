"""What `pause`, `cancel` and `approve` share: options, and how the outcome is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from maestro_dsl.cli.context import Session, print_document, print_text
from maestro_dsl.cli.options import format_option, state_dir_option
from maestro_dsl.reporters.text import safe

if TYPE_CHECKING:
    from collections.abc import Callable

    from maestro_dsl.app.values import ControlResult

F = TypeVar("F", bound="Callable[..., Any]")
UNDER_WAY = 5
"""Exit code of a request that was accepted and has not fully happened when the wait was over."""


def control_options(function: F) -> F:
    """Options of commands that ask something of a run."""
    for option in reversed(
        (
            click.option("--note", default="", metavar="TEXT", help="Why; kept in the history of the run."),
            click.option(
                "--wait",
                "wait_s",
                type=click.FloatRange(min=0),
                default=30.0,
                show_default=True,
                metavar="SECONDS",
                help="How long to wait for the process that works on the run.",
            ),
            state_dir_option,
            format_option("text", "json"),
        )
    ):
        function = option(function)
    return function


def say(own: Session, result: ControlResult, *, output_format: str, after: str) -> int:
    """Print what became of a request and the next command; return the exit code."""
    if output_format == "json":
        print_document(
            {
                "run_id": result.run_id,
                "command": result.command,
                "done": result.done,
                "live": result.live,
                "message": result.text,
            }
        )
    else:
        print_text(f"{result.run_id}  {safe(result.text)}")
        own.next(after)
    return 0 if result.done else UNDER_WAY
