"""`maestro lint`: every mistake of documents, with its place."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

from maestro_dsl.cli.context import print_json, print_text, session
from maestro_dsl.cli.options import PATH, format_option
from maestro_dsl.diagnostics import Severity

EPILOG = """\b
Examples:
  maestro lint
  maestro lint plan.yaml contracts/
  maestro lint --format json plan.yaml
  cat plan.yaml | maestro lint -
"""
_RANK: Final = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


@click.command("lint", epilog=EPILOG, short_help="Check documents.")
@click.argument("paths", metavar="[PATHS]...", nargs=-1, type=PATH)
@click.option("--select", multiple=True, metavar="CODE", help="Only these codes; repeatable.")
@click.option("--ignore", multiple=True, metavar="CODE", help="Not these codes; repeatable.")
@click.option(
    "--fail-on",
    type=click.Choice([item.value for item in Severity]),
    default=Severity.INFO.value,
    show_default=True,
    help="The mildest finding that makes the exit code 1.",
)
@format_option("text", "concise", "json", "jsonl", "github")
@click.pass_context
def command(
    context: click.Context,
    *,
    paths: tuple[Path, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    fail_on: str,
    output_format: str,
) -> int:
    """Check PATHS (files or folders, "-" for standard input; default: this folder)."""
    from maestro_dsl.app import lint
    from maestro_dsl.reporters import diagnostics

    own = session(context)
    piped = paths == (Path("-"),)
    result = lint(
        () if piped else paths,
        environ=own.environ,
        select=_codes(select),
        ignore=_codes(ignore),
        stdin=sys.stdin.buffer.read().decode("utf-8", "replace") if piped else None,
        overrides=own.overrides(),
    )
    findings = tuple(result.diagnostics)
    if output_format == "json":
        print_json(diagnostics.json_document(findings, result.files_checked))
    else:
        style = own.style(sys.stdout)
        shown = diagnostics.FORMATS[output_format](findings, result.sources, style)
        if shown:
            print_text(shown)
        if output_format == "text":
            own.say(diagnostics.summary(findings, result.files_checked, own.style(sys.stderr)))
            if not findings:
                own.next("maestro plan FILE")
    limit = _RANK[Severity(fail_on)]
    return int(any(_RANK[item.severity] <= limit for item in findings))


def _codes(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(code.strip() for value in values for code in value.split(",") if code.strip())
