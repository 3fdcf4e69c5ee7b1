"""`maestro fmt`: documents into their canonical form."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from maestro_dsl.cli.context import print_json, print_text, session
from maestro_dsl.cli.fixes import print_diff
from maestro_dsl.cli.options import PATH, format_option

if TYPE_CHECKING:
    from maestro_dsl.app.formatting import FormatResult
    from maestro_dsl.cli.context import Session

EPILOG = """\b
Examples:
  maestro fmt
  maestro fmt --check
  maestro fmt --diff plan.yaml
  cat plan.yaml | maestro fmt -
"""


@click.command("fmt", epilog=EPILOG, short_help="Format documents.")
@click.argument("paths", metavar="[PATHS]...", nargs=-1, type=PATH)
@click.option("--check", is_flag=True, help="Change nothing; exit 1 where something would change.")
@click.option("--diff", is_flag=True, help="Print what would change, and change nothing.")
@format_option("text", "json")
@click.pass_context
def command(
    context: click.Context, *, paths: tuple[Path, ...], check: bool, diff: bool, output_format: str
) -> int:
    """Write PATHS in canonical form: files, folders, or "-" for standard input (default: this folder).

    Folders are searched as by maestro lint. Comments stay where they are and no value changes. YAML that is
    no document of maestro is left alone.
    """
    from maestro_dsl.app import format_documents, write_changes

    own = session(context)
    piped = paths == (Path("-"),)
    result = format_documents(() if piped else paths, stdin=sys.stdin.buffer.read() if piped else None)
    changes_nothing = check or diff
    if not changes_nothing and result.content is None:
        write_changes(result.changes)
    if output_format == "json":
        print_json(_json(result))
    else:
        _show(own, result, diff=diff, check=check)
    if result.bug is not None:
        raise result.bug
    return int(bool(result.diagnostics) or (changes_nothing and bool(result.changes)))


def _show(own: Session, result: FormatResult, *, diff: bool, check: bool) -> None:
    from maestro_dsl.reporters import diagnostics
    from maestro_dsl.reporters.text import plural, safe

    if diff:
        print_diff(own, result.changes)
    elif check:
        for change in result.changes:
            print_text(safe(change.file))
    elif result.content is not None:
        sys.stdout.buffer.write(result.content)
        sys.stdout.buffer.flush()
    if result.diagnostics:
        shown = diagnostics.text(result.diagnostics, result.sources, own.style(sys.stderr))
        print_text(shown, err=True)
    for file, reason in result.skipped:
        own.say(safe(f"{file} is left alone: {reason}"))
    verb = "would be formatted" if diff or check else "formatted"
    own.say(f"{plural(len(result.changes), 'file')} {verb}, {result.unchanged} left as they were")
    if result.diagnostics:
        own.next("maestro lint")
    elif result.changes:
        own.next("maestro fmt" if diff or check else "maestro lint")


def _json(result: FormatResult) -> dict[str, object]:
    from maestro_dsl.reporters import diagnostics

    return {
        **diagnostics.json_document(result.diagnostics),
        "changed": [change.file for change in result.changes],
        "unchanged": result.unchanged,
        "skipped": [{"file": file, "reason": reason} for file, reason in result.skipped],
    }
