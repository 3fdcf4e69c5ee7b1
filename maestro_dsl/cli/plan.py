"""`maestro plan`: what would run, why, how long, at what cost."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Any

import click

from maestro_dsl.cli.context import print_json, print_text, session
from maestro_dsl.cli.durations import read_durations
from maestro_dsl.cli.options import PATH, format_option, plan_argument, setting_options, state_dir_option

if TYPE_CHECKING:
    from pathlib import Path

    from maestro_dsl.app.values import PlanReport

EPILOG = """\b
Examples:
  maestro plan plan.yaml
  maestro plan plan.yaml --format json
  maestro plan plan.yaml --estimate durations.json
  maestro plan plan.yaml --detailed-exitcode   (10 = something would run)
"""
CHANGES = 10


@click.command("plan", epilog=EPILOG, short_help="Show what would run.")
@plan_argument
@setting_options
@click.option(
    "--estimate", "estimate_file", type=PATH, metavar="FILE", help="JSON: node address to duration."
)
@click.option("--replace", multiple=True, metavar="NODE", help="Plan to run NODE again; repeatable.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 10 where something would run.")
@state_dir_option
@format_option("text", "json")
@click.pass_context
def command(
    context: click.Context,
    /,
    *,
    plan_file: Path,
    estimate_file: Path | None,
    replace: tuple[str, ...],
    detailed_exitcode: bool,
    state_dir: Path | None,
    output_format: str,
    **settings: Any,
) -> int:
    """Show the waves of FILE, what runs and why, the critical path, the time saved and the cost."""
    from maestro_dsl.app import plan_report

    own = session(context)
    report: PlanReport = plan_report(
        plan_file,
        overrides=own.overrides(**settings),
        environ=own.environ,
        state_dir=state_dir,
        durations=read_durations(estimate_file) if estimate_file else None,
        replace=replace,
    )
    show(context, report, output_format=output_format)
    if output_format == "text":
        if report.conflicts:
            own.next(f"maestro apply {shlex.quote(str(plan_file))} --accept '*'")
        else:
            own.next(f"maestro apply {shlex.quote(str(plan_file))}")
    if report.conflicts:
        return 1
    changes = any(item.action != "reuse" for item in report.forecast.values())
    return CHANGES if detailed_exitcode and changes else 0


def show(context: click.Context, report: PlanReport, *, output_format: str) -> None:
    """Print a plan report; `apply` shows the same before it asks."""
    from maestro_dsl.cli.running import say_left_behind
    from maestro_dsl.codec import to_json
    from maestro_dsl.reporters import plan as reporter

    if output_format == "json":
        document = reporter.json_document(
            report.plan,
            report.estimate,
            report.forecast,
            conflicts=report.conflicts,
            removes=report.removes,
        )
        document["output"] = str(report.output)
        document["state_dir"] = str(report.state_dir)
        document["continues"] = report.continues
        document["left_behind"] = [to_json(item) for item in report.left_behind]
        print_json(document)
        return
    own = session(context)
    print_text(
        reporter.text(
            report.plan,
            report.estimate,
            report.forecast,
            conflicts=report.conflicts,
            removes=report.removes,
            style=own.style(sys.stdout),
        )
    )
    print_text(reporter.counts(report.plan, report.forecast))
    if report.continues:
        print_text(f"continues the unfinished run {report.continues}")
    say_left_behind(own, report.left_behind)
    if own.verbosity > 0:
        own.say(f"state in {report.state_dir} ({report.state_origin}), output in {report.output}")
