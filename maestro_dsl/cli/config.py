"""`maestro config`: the settings in force, with their origin."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import click

from maestro_dsl.cli.context import print_document, print_text, session
from maestro_dsl.cli.options import PATH, format_option, setting_options, state_dir_option
from maestro_dsl.codec import to_json
from maestro_dsl.money import exact_usd
from maestro_dsl.reporters.text import safe, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from maestro_dsl.app.values import ConfigEntry

_MONEY: Final = "_nano_usd"
_UNITS: Final[Mapping[str, Mapping[str, float]]] = {
    "_bytes": {" GiB": 2**30, " MiB": 2**20, " KiB": 2**10, " B": 1},
    "_s": {"d": 86_400, "h": 3_600, "m": 60, "s": 1, "ms": 0.001},
}
"""How a setting ends that is kept in one unit, and the units in which documents state it."""
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
        print_document({"settings": [to_json(entry) for entry in entries]})
        return
    rows = sorted((*map(safe, _written(entry.key, entry.value)), safe(entry.origin)) for entry in entries)
    print_text("\n".join(table(rows, indent=0, width=200)))


def _written(key: str, value: object) -> tuple[str, str]:
    """Return a setting as a document writes it: without the unit in its name, with it in its value."""
    if key.endswith(_MONEY) and isinstance(value, int):
        return key.removesuffix(_MONEY), f"{exact_usd(value)} USD"
    for suffix, units in _UNITS.items():
        if key.endswith(suffix):
            shown = [_quantity(item, units) for item in (value if isinstance(value, list) else [value])]
            return key.removesuffix(suffix), f"[{', '.join(shown)}]" if isinstance(value, list) else shown[0]
    name = "policies.give_up" if key == "give_up" else key
    return name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _quantity(value: object, units: Mapping[str, float]) -> str:
    """Return a number in the largest unit in which it is a whole one, else in the smallest."""
    number = float(str(value))
    for unit, size in units.items():
        if number % size == 0 and (number or size == 1):
            return f"{number / size:.0f}{unit}"
    unit, size = list(units.items())[-1]
    return f"{number / size:g}{unit}"
