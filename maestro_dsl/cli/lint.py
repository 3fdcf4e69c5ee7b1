"""`maestro lint`: every mistake of documents, with its place."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maestro_dsl.cli import fixes
from maestro_dsl.cli.context import print_text, session
from maestro_dsl.cli.lint_report import Narrowed, show
from maestro_dsl.cli.options import PATH, format_option
from maestro_dsl.diagnostics import MANY, MOST, Severity, up_to
from maestro_dsl.errors import UsageError
from maestro_dsl.reporters.text import safe

if TYPE_CHECKING:
    from maestro_dsl.app.lint_result import FixOptions, LintResult
    from maestro_dsl.cli.context import Session

EPILOG = """\b
Examples:
  maestro lint
  maestro lint plan.yaml contracts/
  maestro lint --format sarif > lint.sarif
  maestro lint --since origin/main
  maestro lint --write-baseline known.json && maestro lint --baseline known.json
  maestro lint --watch
  cat plan.yaml | maestro lint - --stdin-filename plan.yaml
  maestro lint --fix
  maestro lint --diff --unsafe-fixes plan.yaml
"""


@click.command("lint", epilog=EPILOG, short_help="Check documents.")
@click.argument("paths", metavar="[PATHS]...", nargs=-1, type=PATH)
@click.option("--select", multiple=True, metavar="CODE", help="Only these codes; repeatable.")
@click.option("--ignore", multiple=True, metavar="CODE", help="Not these codes; repeatable.")
@click.option(
    "--fail-on",
    type=click.Choice([item.value for item in Severity]),
    help="The mildest finding that makes the exit code 1 [default: what the project says, else info].",
)
@click.option("--fix", "wants_fix", is_flag=True, help="Make the safe fixes, which keep the meaning.")
@click.option("--unsafe-fixes", is_flag=True, help="Make guesses such as near names too; look at them.")
@click.option("--diff", is_flag=True, help="Print what would be fixed and change nothing.")
@click.option("--stdin-filename", type=PATH, metavar="FILE", help="Where standard input would stand.")
@click.option("--since", metavar="REV", help="Only findings in lines changed since a git revision.")
@click.option("--baseline", type=PATH, metavar="FILE", help="Without the findings that FILE knows.")
@click.option("--write-baseline", type=PATH, metavar="FILE", help="Write what is found now into FILE.")
@click.option("--watch", "wants_watch", is_flag=True, help="Look again after each change; Ctrl-C ends it.")
@click.option("--show-suppressed", is_flag=True, help="Show what comments hide; it counts for nothing.")
@click.option("--no-cache", is_flag=True, help="Look anew, and keep nothing for the next time.")
@format_option("text", "concise", "json", "jsonl", "github", "gitlab", "junit", "sarif")
@click.pass_context
def command(
    context: click.Context, /, *, paths: tuple[Path, ...], stdin_filename: Path | None, **options: Any
) -> int:
    """Check PATHS (files or folders, "-" for standard input; default: this folder).

    In folders that is every plan.yaml, *.blueprint.yaml and so on, and any other YAML whose first lines state
    "apiVersion: maestro/…". A file that is named is read whatever it is called.
    """
    from maestro_dsl.app import FixOptions, fails

    own = session(context)
    piped = paths == (Path("-"),)
    _refuse_what_clashes(options, stdin_filename, piped=piped)
    asked = FixOptions(
        paths=() if piped else paths,
        environ=own.environ,
        select=_codes(options["select"]),
        ignore=_codes(options["ignore"]),
        stdin=sys.stdin.buffer.read() if piped else None,
        stdin_name=stdin_filename,
        overrides=own.overrides(),
        unsafe=options["unsafe_fixes"],
    )
    limit = Severity(options["fail_on"]) if options["fail_on"] else None
    if options["wants_watch"]:
        return _watch(own, asked, options, limit)
    if options["diff"] or options["wants_fix"] or options["unsafe_fixes"]:
        from maestro_dsl.app import fix  # loads what edits documents

        mended = fix(asked)
        if options["diff"]:
            return fixes.show_diff(own, mended, options["output_format"], unsafe=options["unsafe_fixes"])
        fixes.write_fixes(own, mended)
        found = _narrowed(mended.lint, options)
        found = Narrowed(
            result=found.result,
            known=found.known,
            stale=found.stale,
            unchanged=found.unchanged,
            mended=mended,
        )
    else:
        found = _look(asked, options)
    if options["write_baseline"] is not None:
        return _write_baseline(own, options["write_baseline"], found.result)
    show(
        own,
        found,
        options["output_format"],
        unsafe=options["unsafe_fixes"],
        show_suppressed=options["show_suppressed"],
    )
    return int(fails(found.result, limit))


def _lint(asked: FixOptions, *, uses_cache: bool) -> LintResult:
    from maestro_dsl.app import available_cores, cache_of, lint

    result: LintResult = lint(
        asked.paths,
        environ=asked.environ,
        select=asked.select,
        ignore=asked.ignore,
        stdin=None if asked.stdin is None else asked.stdin.decode("utf-8", "surrogateescape"),
        stdin_name=asked.stdin_name,
        overrides=asked.overrides,
        cache=cache_of(asked.environ) if uses_cache else None,
        jobs=available_cores(),
    )
    return result


def _look(asked: FixOptions, options: dict[str, Any]) -> Narrowed:
    """Lint, and narrow; what is compared with something is found first, and cut short afterwards."""
    compares = any(options[name] is not None for name in ("baseline", "since", "write_baseline"))
    with up_to(MANY if compares else MOST):
        result = _lint(asked, uses_cache=not options["no_cache"])
    return _narrowed(result, options)


def _narrowed(result: LintResult, options: dict[str, Any]) -> Narrowed:
    """Return a result without what the baseline knows, then without what has not changed."""
    known, unchanged = 0, 0
    stale: tuple[tuple[str, str], ...] = ()
    if options["baseline"] is not None and options["write_baseline"] is None:
        from maestro_dsl.app import without_known

        left = without_known(options["baseline"], result)
        result, known, stale = left.result, left.known, left.stale
    if options["since"] is not None:
        from maestro_dsl.app import changed_since, only_changed

        result, unchanged = only_changed(result, changed_since(options["since"]))
    if options["write_baseline"] is None:
        result = replace(result, diagnostics=result.diagnostics.shortened())
    return Narrowed(result=result, known=known, stale=stale, unchanged=unchanged)


def _write_baseline(own: Session, file: Path, result: LintResult) -> int:
    from maestro_dsl.app import write_baseline
    from maestro_dsl.reporters.text import plural

    count = write_baseline(file, result)
    own.say(f"{plural(count, 'finding')} written to {safe(str(file))}")
    for item in result.diagnostics:
        if item.is_more:
            own.say(f"not all: {safe(item.span.file)} has more of {item.code}, and they stay findings")
    own.next(f"maestro lint --baseline {safe(str(file))}")
    return 0


def _watch(own: Session, asked: FixOptions, options: dict[str, Any], limit: Severity | None) -> int:
    """Show the findings after each change until Ctrl-C; the exit code is that of the last ones."""
    from maestro_dsl.app import fails
    from maestro_dsl.app.system import pause
    from maestro_dsl.app.watching import watch

    found: list[Narrowed] = []

    def look() -> LintResult:
        found[:] = [_look(asked, options)]
        return found[0].result

    def shown(_: LintResult, changed: tuple[str, ...]) -> None:
        if sys.stdout.isatty():
            print_text("\x1b[2J\x1b[3J\x1b[H")
        if changed:
            own.say(f"changed: {', '.join(safe(Path(path).name) for path in changed)}")
        show(own, found[0], options["output_format"], show_suppressed=options["show_suppressed"])
        own.say("watching; Ctrl-C ends it")

    try:
        watch(look, shown, wait=pause)
    except KeyboardInterrupt:
        return int(bool(found) and fails(found[0].result, limit))


def _refuse_what_clashes(options: dict[str, Any], stdin_filename: Path | None, *, piped: bool) -> None:
    if stdin_filename is not None and not piped:
        raise UsageError("--stdin-filename needs standard input", hint="maestro lint - --stdin-filename FILE")
    if options["wants_watch"]:
        names = {"wants_fix": "--fix", "unsafe_fixes": "--unsafe-fixes", "diff": "--diff"}
        names |= {"write_baseline": "--write-baseline"}
        clash = next((name for key, name in names.items() if options[key]), "-" if piped else None)
        if clash is not None:
            raise UsageError(f"--watch only looks, and {clash} does not go with it", hint="leave one out")


def _codes(values: tuple[str, ...]) -> tuple[str, ...]:
    codes = tuple(code.strip() for value in values for code in value.split(",") if code.strip())
    if values and not codes:
        raise UsageError(
            "--select and --ignore need the code or the name of a rule", hint="see: maestro rule"
        )
    return codes
