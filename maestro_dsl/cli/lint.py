"""`maestro lint`: every mistake of documents, with its place."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from maestro_dsl.cli import fixes
from maestro_dsl.cli.context import print_json, print_text, session
from maestro_dsl.cli.options import PATH, format_option
from maestro_dsl.diagnostics import Severity

if TYPE_CHECKING:
    from maestro_dsl.app.fixing import FixResult
    from maestro_dsl.app.lint_result import LintResult
    from maestro_dsl.cli.context import Session

EPILOG = """\b
Examples:
  maestro lint
  maestro lint plan.yaml contracts/
  maestro lint --format json plan.yaml
  cat plan.yaml | maestro lint -
  maestro lint --fix
  maestro lint --diff --unsafe-fixes plan.yaml
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
@click.option("--fix", "wants_fix", is_flag=True, help="Make the safe fixes, which keep the meaning.")
@click.option("--unsafe-fixes", is_flag=True, help="Make guesses such as near names too; look at them.")
@click.option("--diff", is_flag=True, help="Print what would be fixed and change nothing.")
@click.option("--no-cache", is_flag=True, help="Look anew, and keep nothing for the next time.")
@format_option("text", "concise", "json", "jsonl", "github")
@click.pass_context
def command(  # noqa: PLR0913 - an argument for each option
    context: click.Context,
    *,
    paths: tuple[Path, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    fail_on: str,
    wants_fix: bool,
    unsafe_fixes: bool,
    diff: bool,
    no_cache: bool,
    output_format: str,
) -> int:
    """Check PATHS (files or folders, "-" for standard input; default: this folder)."""
    from maestro_dsl.app import FixOptions, available_cores, cache_of, lint

    own = session(context)
    piped = paths == (Path("-"),)
    stdin = sys.stdin.buffer.read() if piped else None
    asked = FixOptions(
        paths=() if piped else paths,
        environ=own.environ,
        select=_codes(select),
        ignore=_codes(ignore),
        stdin=stdin,
        overrides=own.overrides(),
        unsafe=unsafe_fixes,
    )
    mended = None
    if diff or wants_fix or unsafe_fixes:
        from maestro_dsl.app import fix  # loads what edits documents

        mended = fix(asked)
        if diff:
            return fixes.show_diff(own, mended, output_format, unsafe=unsafe_fixes)
        fixes.write_fixes(own, mended)
        result = mended.lint
    else:
        result = lint(
            asked.paths,
            environ=asked.environ,
            select=asked.select,
            ignore=asked.ignore,
            stdin=None if stdin is None else stdin.decode("utf-8", "replace"),
            overrides=asked.overrides,
            cache=None if no_cache else cache_of(asked.environ),
            jobs=available_cores(),
        )
    _show(own, result, output_format, mended, unsafe=unsafe_fixes)
    limit = _RANK[Severity(fail_on)]
    return int(any(_RANK[item.severity] <= limit for item in result.diagnostics))


def _show(
    own: Session, result: LintResult, output_format: str, mended: FixResult | None, *, unsafe: bool
) -> None:
    """Write the findings: to stdout, or to stderr where a fixed document stands there."""
    from maestro_dsl.reporters import diagnostics

    findings = tuple(result.diagnostics)
    to_stderr = mended is not None and mended.content is not None
    if output_format == "json":
        document = diagnostics.json_document(findings, result.files_checked)
        if mended is not None:
            from maestro_dsl.reporters.changes import fix_json

            refused = ((item.finding, item.reason) for item in mended.refused)
            document |= fix_json(mended.fixed, refused)
        print_json(document, err=to_stderr)
        return
    style = own.style(sys.stderr if to_stderr else sys.stdout)
    shown = diagnostics.FORMATS[output_format](findings, result.sources, style)
    if shown:
        print_text(shown, err=to_stderr)
    if output_format == "text":
        own.say(diagnostics.summary(findings, result.files_checked, own.style(sys.stderr)))
        if not findings:
            own.next("maestro plan FILE")
            return
        from maestro_dsl.reporters.changes import fixes_left

        left = fixes_left(findings, unsafe=unsafe)
        if left is not None:
            own.say(left)
        worst = min(findings, key=lambda item: _RANK[item.severity])
        own.next(f"maestro rule {worst.code}")


def _codes(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(code.strip() for value in values for code in value.split(",") if code.strip())
