"""`maestro blueprint`: search and show team patterns."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from maestro_dsl.cli.context import print_document, print_text, session
from maestro_dsl.cli.options import format_option
from maestro_dsl.codec import to_json
from maestro_dsl.reporters.text import safe, table

if TYPE_CHECKING:
    from maestro_dsl.app.values import BlueprintInfo

SEARCH_EPILOG = """\b
Examples:
  maestro blueprint search
  maestro blueprint search mock --execution-mode parallel
"""
SHOW_EPILOG = """\b
Examples:
  maestro blueprint show parallel-contract-first
  maestro blueprint show core/sequential-basic --source > mine.blueprint.yaml
"""


@click.group("blueprint", short_help="Search and show team patterns.")
def command() -> None:
    """Search and show team patterns: the project's own and those of the core library."""


@command.command("search", epilog=SEARCH_EPILOG, short_help="List blueprints whose text holds all words.")
@click.argument("words", metavar="[WORDS]...", nargs=-1)
@click.option("--execution-mode", metavar="MODE", help="sequential, parallel …")
@click.option("--coordination-mode", metavar="MODE", help="contract, handoff …")
@format_option("text", "json")
@click.pass_context
def search(
    context: click.Context,
    *,
    words: tuple[str, ...],
    execution_mode: str | None,
    coordination_mode: str | None,
    output_format: str,
) -> int:
    """List the blueprints whose text holds all WORDS; exit 1 where there is none."""
    from maestro_dsl.app import search_blueprints

    found: tuple[BlueprintInfo, ...] = search_blueprints(
        " ".join(words), execution_mode=execution_mode, coordination_mode=coordination_mode, root=Path.cwd()
    )
    if output_format == "json":
        print_document({"blueprints": [_brief(info) for info in found]})
        return 0 if found else 1
    own = session(context)
    if not found:
        own.say("no blueprint fits")
        own.next("maestro blueprint search")
        return 1
    rows = [
        (
            safe(item.reference),
            item.version,
            item.execution_mode,
            item.coordination_mode,
            safe(item.description),
        )
        for item in found
    ]
    print_text("\n".join(table(rows, indent=0)))
    own.next(f"maestro blueprint show {found[0].reference}")
    return 0


@command.command("show", epilog=SHOW_EPILOG, short_help="Show one blueprint.")
@click.argument("reference", metavar="BLUEPRINT")
@click.option("--source", is_flag=True, help="Print the document itself.")
@format_option("text", "json")
@click.pass_context
def show(context: click.Context, *, reference: str, source: bool, output_format: str) -> None:
    """Show one blueprint: what it is for, its nodes, its inputs."""
    from maestro_dsl.app import show_blueprint

    info: BlueprintInfo = show_blueprint(reference, root=Path.cwd())
    if output_format == "json":
        print_document(to_json(info))
        return
    if source:
        print_text(safe(info.text, multiline=True))
        return
    own = session(context)
    style = own.style(sys.stdout)
    lines = [
        f"{style('bold', safe(info.reference))} {info.version}: {safe(info.name)}",
        f"  {safe(info.description)}",
        f"  {info.execution_mode}, coordinated by {info.coordination_mode}",
    ]
    for title, items in (("Use it for", info.use_cases), ("Good practice", info.best_practices)):
        if items:
            lines += [style("bold", title), *(f"  {safe(item)}" for item in items)]
    lines += [style("bold", "Nodes"), *table([(safe(name), safe(action)) for name, action in info.nodes])]
    if info.inputs:
        lines += [style("bold", "Inputs"), *(f"  {safe(name)}" for name in info.inputs)]
    print_text("\n".join(lines))
    own.next(f"blueprint: {info.reference}   (in a plan file)")


def _brief(info: BlueprintInfo) -> dict[str, object]:
    return {name: value for name, value in to_json(info).items() if name not in {"text", "inputs"}}
