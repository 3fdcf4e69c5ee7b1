"""`maestro doctor`: is this machine ready, and what is the exact fix."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import click

from maestro_dsl.cli.context import print_document, print_text, session
from maestro_dsl.cli.options import format_option, state_dir_option
from maestro_dsl.codec import to_json
from maestro_dsl.errors import EnvironmentFailure
from maestro_dsl.reporters.text import safe

if TYPE_CHECKING:
    from pathlib import Path

    from maestro_dsl.app.values import HealthCheck

EPILOG = """\b
Examples:
  maestro doctor
  maestro doctor --format json
"""
_COLOURS: Final = {"ok": "green", "warning": "yellow", "error": "red"}


@click.command("doctor", epilog=EPILOG, short_help="Check this machine.")
@state_dir_option
@format_option("text", "json")
@click.pass_context
def command(context: click.Context, *, state_dir: Path | None, output_format: str) -> int:
    """Check what runs need: folders, sandbox, programs, providers. Exit 8 where nothing could run."""
    from maestro_dsl.app import doctor

    own = session(context)
    checks: tuple[HealthCheck, ...] = doctor(environ=own.environ, state_dir=state_dir)
    failed = any(check.status == "error" for check in checks)
    if output_format == "json":
        print_document({"checks": [to_json(check) for check in checks]})
        return EnvironmentFailure.exit_code if failed else 0
    style = own.style(sys.stdout)
    width = max((len(check.name) for check in checks), default=0)
    for check in checks:
        word = style(_COLOURS.get(check.status, "dim"), f"{check.status:<7}")
        print_text(f"{word}  {safe(check.name):<{width}}  {safe(check.detail)}")
        if check.fix and check.status != "ok":
            print_text(f"         {'':<{width}}  fix: {safe(check.fix)}")
    return EnvironmentFailure.exit_code if failed else 0
