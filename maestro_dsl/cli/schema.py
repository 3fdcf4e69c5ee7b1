"""`maestro schema`: the grammar for editors, and old documents in today's spelling."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from maestro_dsl.cli.context import print_document, print_json, print_text, session
from maestro_dsl.cli.fixes import print_diff
from maestro_dsl.cli.options import PATH, format_option
from maestro_dsl.reporters.text import plural, safe

if TYPE_CHECKING:
    from maestro_dsl.app.migration import MigrationResult
    from maestro_dsl.cli.context import Session

KINDS = ("project", "plan", "blueprint", "persona", "contract", "policy", "library")
EPILOG = """\b
Examples:
  maestro schema export
  maestro schema migrate
"""
EXPORT_EPILOG = """\b
Examples:
  maestro schema export
  maestro schema export editor/schemas
  maestro schema export - --kind plan
"""
MIGRATE_EPILOG = """\b
Examples:
  maestro schema migrate
  maestro schema migrate --diff old/plan.yaml
"""


@click.group("schema", epilog=EPILOG, short_help="The grammar for editors; migration.")
def command() -> None:
    """Write the grammar for editors, or bring old documents to today's spelling."""


@command.command("export", epilog=EXPORT_EPILOG, short_help="Write the JSON Schemas for editors.")
@click.argument("folder", metavar="[DIR|-]", type=PATH, required=False)
@click.option("--kind", type=click.Choice(KINDS), help="Only the schema of this kind.")
@format_option("text", "json")
@click.pass_context
def export(context: click.Context, *, folder: Path | None, kind: str | None, output_format: str) -> None:
    """Write the JSON Schemas into DIR (default: .maestro/schemas); "-" prints one.

    Each file is whole: nothing is fetched. maestro.schema.json is for every kind at once.
    """
    from maestro_dsl.app.schemas import export_schemas, schema_text
    from maestro_dsl.lang.model import Kind
    from maestro_dsl.lang.schema_export import FOLDER, modeline

    own = session(context)
    wanted = Kind(kind.capitalize()) if kind is not None else None
    if folder == Path("-"):
        print_text(schema_text(wanted))
        return
    made = export_schemas(folder or Path(FOLDER), wanted)
    if output_format == "json":
        print_document({"folder": str(made.folder), "files": list(made.files)})
        return
    print_text(f"{plural(len(made.files), 'file')} written to {safe(str(made.folder))}")
    for name in made.files:
        print_text(f"  {safe(name)}")
    example = modeline(f"{made.folder.as_posix()}/{made.files[0]}")
    own.say(f"an editor takes the schema from the first line of a document: {safe(example)}")
    own.next("maestro lint")


@command.command("migrate", epilog=MIGRATE_EPILOG, short_help="Bring old documents to the language of today.")
@click.argument("paths", metavar="[PATHS]...", nargs=-1, type=PATH)
@click.option("--diff", is_flag=True, help="Print what would change, and change nothing.")
@format_option("text", "json")
@click.pass_context
def migrate(context: click.Context, *, paths: tuple[Path, ...], diff: bool, output_format: str) -> int:
    """Bring PATHS (files or folders; default: this folder) from older versions of the language to today's.

    Only what is spelled differently changes; comments, quotes and order stay.
    """
    from maestro_dsl.app import migrate_documents, write_changes

    own = session(context)
    result = migrate_documents(paths)
    if not diff:
        write_changes(result.changes)
    if output_format == "json":
        print_json(_json(result))
    else:
        _show(own, result, diff=diff)
    return int(bool(result.diagnostics) or (diff and bool(result.changes)))


def _show(own: Session, result: MigrationResult, *, diff: bool) -> None:
    from maestro_dsl.reporters import diagnostics

    if diff:
        print_diff(own, result.changes)
    if result.diagnostics:
        shown = diagnostics.text(result.diagnostics, result.sources, own.style(sys.stderr))
        print_text(shown, err=True)
    verb = "would be migrated" if diff else "migrated"
    own.say(f"{plural(len(result.changes), 'file')} {verb}, {result.unchanged} left as they were")
    own.next("maestro schema migrate" if diff and result.changes else "maestro lint")


def _json(result: MigrationResult) -> dict[str, object]:
    from maestro_dsl.reporters import diagnostics

    return {
        **diagnostics.json_document(result.diagnostics),
        "changed": [change.file for change in result.changes],
        "unchanged": result.unchanged,
    }
