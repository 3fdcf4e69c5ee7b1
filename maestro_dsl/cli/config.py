"""`maestro config`: the settings in force, with their origin."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from maestro_dsl.cli.context import print_json, print_text, session
from maestro_dsl.cli.options import PATH, format_option, setting_options, state_dir_option
from maestro_dsl.codec import to_json
from maestro_dsl.reporters.text import FORMAT_VERSION, safe, table

if TYPE_CHECKING:
    from pathlib import Path

    from maestro_dsl.app.values import ConfigEntry

EPILOG = """\b
Examples:
  maestro config
  maestro config plan.yaml
  MAESTRO_MAX_ATTEMPTS=5 maestro config plan.yaml --format json
"""


@click.command("config", epilog=EPILOG, short_help="Show the settings in force.")
@click.argument("plan_file", metavar="[FILE]", type=PATH, required=False)
@setting_options
@state_dir_option
@format_option("text", "json")
@click.pass_context
def command(
    context: click.Context,
    /,
    *,
    plan_file: Path | None,
    state_dir: Path | None,
    output_format: str,
    **settings: Any,
) -> None:
    """Show every setting in force for FILE (or for this folder) and where its value comes from."""
    from maestro_dsl.app import effective_config

    own = session(context)
    entries: tuple[ConfigEntry, ...] = effective_config(
        plan_file, overrides=own.overrides(**settings), environ=own.environ, state_dir=state_dir
    )
    if output_format == "json":
        print_json({"format_version": FORMAT_VERSION, "settings": [to_json(entry) for entry in entries]})
        return
    rows = [(safe(entry.key), safe(_value(entry.value)), safe(entry.origin)) for entry in entries]
    print_text("\n".join(table(rows, indent=0, width=200)))


def _value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
