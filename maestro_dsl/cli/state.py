"""`maestro state`: whether the state is whole, cleaning, locks, and its runs in one file."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from maestro_dsl.cli.cache import size
from maestro_dsl.cli.context import print_document, print_text, session
from maestro_dsl.cli.options import PATH, format_option, state_dir_option
from maestro_dsl.codec import to_json
from maestro_dsl.errors import UsageError
from maestro_dsl.reporters.text import plural, safe

if TYPE_CHECKING:
    from maestro_dsl.app.integrity import ExportResult, StateCheck, Unlocked
    from maestro_dsl.app.retention import GcResult
    from maestro_dsl.storage.archive import Imported

DAMAGED = 7
EPILOG = """\b
Examples:
  maestro state verify --read-data 10%
  maestro state gc --dry-run
  maestro state export --all state.zip
"""
VERIFY_EPILOG = """\b
Examples:
  maestro state verify
  maestro state verify --read-data 100%
"""
GC_EPILOG = """\b
Examples:
  maestro state gc --dry-run
  maestro state gc --keep-runs 5 --keep-age 7d
"""
UNLOCK_EPILOG = """\b
Examples:
  maestro state unlock last
  maestro state unlock 01939f2e --yes
"""
EXPORT_EPILOG = """\b
Examples:
  maestro state export last run.zip
  maestro state export --all state.zip
"""
IMPORT_EPILOG = """\b
Examples:
  maestro state import run.zip --state-dir elsewhere
"""


@click.group("state", epilog=EPILOG, short_help="Look after the state directory.")
def command() -> None:
    """Look after the state directory: verify, clean, unlock, export and import."""


@command.command("verify", epilog=VERIFY_EPILOG, short_help="Check that all that is stored is whole.")
@click.option("--read-data", metavar="N%", default="0%", show_default=True, help="Also read so much content.")
@state_dir_option
@format_option("text", "json")
@click.pass_context
def verify(context: click.Context, *, read_data: str, state_dir: Path | None, output_format: str) -> int:
    """Check every history, seal and reference, and the bytes of N% of the contents; exit 7 on damage."""
    from maestro_dsl.app import verify_state_dir

    own = session(context)
    checked: StateCheck = verify_state_dir(
        read_share=_share(read_data), environ=own.environ, state_dir=state_dir
    )
    found = checked.found
    if output_format == "json":
        document = {"state_dir": str(checked.state_dir), "whole": not found.damages, **to_json(found)}
        print_document(document)
    else:
        counted = f"{plural(found.runs, 'run')}, {plural(found.objects, 'content')}, {found.read} read"
        lines = [f"{checked.state_dir}: {counted}"]
        if found.orphans:
            lines.append(
                f"{found.orphans} of them nothing names ({size(found.orphan_bytes)}): maestro state gc"
            )
        for damage in found.damages:
            lines += [f"damaged: {safe(damage.what)}", f"  way out: {safe(damage.way_out)}"]
        lines.append(
            f"{plural(len(found.damages), 'damage')} found" if found.damages else "everything is whole"
        )
        print_text("\n".join(lines))
    own.next("maestro state export --all FILE" if found.damages else "maestro state gc --dry-run")
    return DAMAGED if found.damages else 0


def _share(text: str) -> float:
    try:
        share = float(text.removesuffix("%")) / 100
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise UsageError(f'"{safe(text)}" is no share of the contents', hint="--read-data 10%")
    return share


@command.command("gc", epilog=GC_EPILOG, short_help="Remove old runs and what nothing names any more.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
@click.option(
    "--keep-runs", type=click.IntRange(min=1), metavar="N", help="Ended runs of each output folder."
)
@click.option("--keep-age", metavar="AGE", help='Ended runs not older than this, e.g. "30d".')
@click.option("--keep-size", metavar="SIZE", help='So much altogether, e.g. "5 GiB".')
@state_dir_option
@format_option("text", "json")
@click.pass_context
def gc(
    context: click.Context,
    *,
    dry_run: bool,
    keep_runs: int | None,
    keep_age: str | None,
    keep_size: str | None,
    state_dir: Path | None,
    output_format: str,
) -> None:
    """Remove old runs and what nothing names any more; runs that are live or can go on always stay.

    Without options the settings of `state.retention` in maestro.yaml hold. The newest run of an output
    folder is only removed where the size demands it.
    """
    from maestro_dsl.app import collect_garbage
    from maestro_dsl.lang.units import parse_duration, parse_size

    own = session(context)
    try:
        age = None if keep_age is None else parse_duration(keep_age)
        limit = None if keep_size is None else parse_size(keep_size)
    except ValueError as error:
        raise UsageError(str(error), hint="--keep-age 30d --keep-size '5 GiB'") from None
    done: GcResult = collect_garbage(
        dry_run=dry_run, runs=keep_runs, age_s=age, size=limit, environ=own.environ, state_dir=state_dir
    )
    cleaned = done.cleaned
    if output_format == "json":
        document = {"state_dir": str(done.state_dir), "dry_run": dry_run, "limit": done.limit}
        print_document({**document, **to_json(cleaned)})
    else:
        word = "would remove" if dry_run else "removed"
        contents = f"{plural(cleaned.objects, 'content')} ({size(cleaned.object_bytes)})"
        gone = f"{plural(len(cleaned.runs), 'run')}, {plural(cleaned.results, 'stored result')}"
        kept = f"{plural(cleaned.kept_runs, 'run')} kept ({cleaned.live_runs} live)"
        lines = [f"{word} {gone}, {contents}", f"{kept}, {size(cleaned.size)} altogether"]
        if cleaned.waiting:
            lines.append(
                f"{plural(cleaned.waiting, 'content')} too young to be removed; the next time takes them"
            )
        if cleaned.over:
            lines.append(f"{size(cleaned.over)} above the limit of {size(done.limit)}: the rest is in use")
        print_text("\n".join(lines))
    own.next("maestro state gc" if dry_run else "maestro runs")


@command.command("unlock", epilog=UNLOCK_EPILOG, short_help="Say who holds a run and what would free it.")
@click.argument("run_id", metavar="RUN")
@click.option("--yes", is_flag=True, help="Do it; without, only say what would be done.")
@state_dir_option
@format_option("text", "json")
@click.pass_context
def unlock(
    context: click.Context, *, run_id: str, yes: bool, state_dir: Path | None, output_format: str
) -> None:
    """Say who holds RUN and what would free it; nothing is ever taken from a living process."""
    from maestro_dsl.app import unlock as unlock_run

    own = session(context)
    found: Unlocked = unlock_run(run_id, do=yes, environ=own.environ, state_dir=state_dir)
    if output_format == "json":
        print_document(to_json(found))
    else:
        lines = [safe(text) for text in found.holders]
        lines += [f"{'did' if found.done else 'would'}: {safe(step)}" for step in found.steps]
        print_text("\n".join(lines))
    own.next(f"maestro show {found.run_id}")


@command.command(
    "export", epilog=EXPORT_EPILOG, short_help="Write runs with all that they need into one file."
)
@click.argument("places", metavar="[RUN] FILE", nargs=-1, required=True)
@click.option("--all", "everything", is_flag=True, help="All runs that no process works on.")
@state_dir_option
@format_option("text", "json")
@click.pass_context
def export(
    context: click.Context,
    *,
    places: tuple[str, ...],
    everything: bool,
    state_dir: Path | None,
    output_format: str,
) -> None:
    """Write RUN, or all runs, with plans, histories, results and contents into FILE (a zip)."""
    from maestro_dsl.app import export_runs

    own = session(context)
    if len(places) != (1 if everything else 2):
        raise UsageError("say which run and which file", hint="maestro state export last run.zip")
    run, file = (None if everything else places[0]), Path(places[-1])
    done: ExportResult = export_runs(file, run=run, environ=own.environ, state_dir=state_dir)
    if output_format == "json":
        print_document({**to_json(done.exported), "file": str(file)})
    else:
        out = done.exported
        print_text(
            f"{safe(str(file))}: {plural(len(out.runs), 'run')}, {plural(out.results, 'stored result')}, "
            f"{plural(out.objects, 'content')}, {size(out.size)}"
        )
    for run_id in done.live:
        own.say(f"left out: run {run_id} is live")
    own.next(f"maestro state import {shlex.quote(safe(str(file)))} --state-dir DIR")


@command.command("import", epilog=IMPORT_EPILOG, short_help="Take over the runs of a file.")
@click.argument("file", metavar="FILE", type=PATH)
@state_dir_option
@format_option("text", "json")
@click.pass_context
def import_command(context: click.Context, *, file: Path, state_dir: Path | None, output_format: str) -> None:
    """Take over the runs of FILE, every digest and history checked; what is here already stays."""
    from maestro_dsl.app import import_runs

    own = session(context)
    taken: Imported = import_runs(file, environ=own.environ, state_dir=state_dir)
    if output_format == "json":
        print_document(to_json(taken))
    else:
        print_text(
            f"{plural(len(taken.runs), 'run')} taken over, {len(taken.known)} known already, "
            f"{plural(taken.results, 'stored result')}, {plural(taken.objects, 'content')}"
        )
    own.next("maestro runs")
