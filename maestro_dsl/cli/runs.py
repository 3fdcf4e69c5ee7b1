"""`maestro runs`: what has been run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from maestro_dsl.cli.context import print_document, print_text, session
from maestro_dsl.cli.options import format_option, state_dir_option
from maestro_dsl.codec import to_json
from maestro_dsl.reporters.text import safe, standing, table

if TYPE_CHECKING:
    from pathlib import Path

    from maestro_dsl.app.values import RunList

EPILOG = """\b
Examples:
  maestro runs
  maestro runs --limit 5 --format json
"""


@click.command("runs", epilog=EPILOG, short_help="List runs.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many.")
@state_dir_option
@format_option("text", "json")
@click.pass_context
def command(context: click.Context, *, limit: int, state_dir: Path | None, output_format: str) -> None:
    """List the newest runs first."""
    from maestro_dsl.app import list_runs

    own = session(context)
    found: RunList = list_runs(environ=own.environ, state_dir=state_dir)
    shown = found.runs[:limit]
    if output_format == "json":
        runs = [{**to_json(record), "live": record.run_id in found.live} for record in shown]
        print_document({"state_dir": str(found.state_dir), "runs": runs})
        return
    if not shown:
        own.say(f"no runs in {found.state_dir} ({found.state_origin})")
        own.next("maestro apply FILE")
        return
    rows = [("run", "plan", "status", "verdict", "started", "output")]
    for record in shown:
        live = standing(record.status, live=record.run_id in found.live)
        started = time.strftime("%Y-%m-%d %H:%M", time.localtime(record.created_at))
        verdict = record.verdict.replace("_", " ") or "-"
        rows.append(
            (record.run_id, safe(record.plan_id), record.status + live, verdict, started, safe(record.output))
        )
    print_text("\n".join(table(rows, indent=0, width=200)))
    if len(found.runs) > limit:
        own.say(f"and {len(found.runs) - limit} older; --limit shows more")
    own.next(f"maestro show {shown[0].run_id}")
