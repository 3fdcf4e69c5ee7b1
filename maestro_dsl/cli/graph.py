"""`maestro graph`: the plan as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from maestro_dsl.cli.compiled import compiled
from maestro_dsl.cli.context import print_json, print_text, session
from maestro_dsl.cli.options import format_option, plan_argument

if TYPE_CHECKING:
    from pathlib import Path

EPILOG = """\b
Examples:
  maestro graph plan.yaml
  maestro graph plan.yaml --format svg > plan.svg
  maestro graph plan.yaml --format dot | dot -Tpng > plan.png
  maestro graph plan.yaml --format mermaid
"""


@click.command("graph", epilog=EPILOG, short_help="Draw the plan.")
@plan_argument
@format_option("text", "mermaid", "dot", "svg", "json")
@click.pass_context
def command(context: click.Context, *, plan_file: Path, output_format: str) -> None:
    """Draw the nodes of FILE by wave; edges to mocks are dashed."""
    from maestro_dsl.reporters import graph

    plan = compiled(plan_file, session(context))
    if output_format == "json":
        print_json(graph.json_document(plan))
    elif output_format == "svg":
        from maestro_dsl.reporters.svg import svg

        print_text(svg(plan))
    else:
        print_text(graph.FORMATS[output_format](plan))
