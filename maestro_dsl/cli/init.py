"""`maestro init`: a new project folder."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from maestro_dsl.cli.context import print_document, print_text, session
from maestro_dsl.cli.options import PATH, format_option
from maestro_dsl.reporters.text import plural, safe

EPILOG = """\b
Examples:
  maestro init demo
  maestro init . --force
  maestro init demo --template algorithm
"""


@click.command("init", epilog=EPILOG, short_help="Start a project.")
@click.argument("folder", metavar="[DIR]", type=PATH, default=Path())
@click.option("--template", default="todo-app", show_default=True, help="The example to start from.")
@click.option("--force", is_flag=True, help="Write into a folder that is not empty.")
@format_option("text", "json")
@click.pass_context
def command(context: click.Context, *, folder: Path, template: str, force: bool, output_format: str) -> None:
    """Start a project in DIR that lints, plans and applies offline at once."""
    from maestro_dsl.app import init_project

    made = init_project(folder, template=template, force=force)
    if output_format == "json":
        print_document(
            {
                "folder": str(made.folder),
                "files": list(made.files),
                "plan": made.plan,
                "schemas": made.schemas,
            }
        )
        return
    print_text(f"{plural(len(made.files), 'file')} written to {safe(str(folder))}")
    for name in made.files:
        print_text(f"  {safe(name)}")
    print_text(f"schemas for your editor are in {safe(made.schemas)}")
    go = "" if folder == Path() else f"cd {shlex.quote(str(folder))} && "
    session(context).next(f"{go}maestro lint && maestro apply {made.plan} --auto-approve")
