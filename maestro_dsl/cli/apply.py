"""`maestro apply`: shows what would run, asks, runs it."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace as with_fields
from typing import TYPE_CHECKING, Any

import click

from maestro_dsl.cli.context import Session, session
from maestro_dsl.cli.options import (
    format_option,
    plan_argument,
    run_options,
    setting_options,
    state_dir_option,
)
from maestro_dsl.errors import Interrupted, StateError, UsageError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence
    from pathlib import Path

    from maestro_dsl.app.values import ApplyOptions, PlanReport, RunResult
    from maestro_dsl.engine.ports.sinks import EventSink

EPILOG = """\b
Examples:
  maestro apply plan.yaml
  maestro apply plan.yaml --auto-approve --progress plain
  maestro apply plan.yaml --max-concurrency 1 --output out
  maestro apply plan.yaml --dry-run
"""


@click.command("apply", epilog=EPILOG, short_help="Run a plan.")
@plan_argument
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Show the plan and stop.")
@click.option("--resume/--no-resume", default=True, help="Continue an unfinished run of this plan [default].")
@click.option("--fail-fast/--keep-going", default=False, help="Start nothing new after a failure.")
@click.option(
    "--accept", multiple=True, metavar="PATH", help="Keep this changed file; '*' = all; repeatable."
)
@click.option(
    "--replace",
    multiple=True,
    metavar="NODE|PATH",
    help="Run this node again, or write this changed file again; '*' = all changed files; repeatable.",
)
@setting_options
@run_options
@state_dir_option
@format_option("text", "json")
@click.pass_context
def command(  # noqa: PLR0913 - one argument an option, by keyword
    context: click.Context,
    /,
    *,
    plan_file: Path,
    auto_approve: bool,
    dry_run: bool,
    resume: bool,
    fail_fast: bool,
    accept: tuple[str, ...],
    replace: tuple[str, ...],
    progress: str,
    state_dir: Path | None,
    output_format: str,
    **settings: Any,
) -> int:
    """Run the plan in FILE: shows what would run, asks on a terminal, and runs just that."""
    from maestro_dsl.app import ApplyOptions, plan_report

    own = session(context)
    report: PlanReport = plan_report(
        plan_file,
        overrides=own.overrides(**settings),
        environ=own.environ,
        state_dir=state_dir,
        durations=None,
        replace=replace,
    )
    if dry_run:
        from maestro_dsl.cli.plan import show

        show(context, report, output_format=output_format)
        own.next(f"maestro apply {shlex.quote(str(plan_file))}")
        return 0
    if resume and report.continues and report.held is not None:
        _confirm_held(own, report)
    _confirm(own, context, report, auto_approve=auto_approve)
    options = ApplyOptions(resume=resume, fail_fast=fail_fast, accept=accept, replace=replace)
    return _run(own, report, options, progress=progress, output_format=output_format)


def _confirm_held(own: Session, report: PlanReport) -> None:
    """Ask whether a run that waits for a person goes on; --auto-approve is no answer to that.

    Raises:
        StateError: nobody can be asked.
        Interrupted: the answer is no.
    """
    said = f"run {report.continues} of this plan waits: {report.held}"
    if not own.interactive:
        from maestro_dsl.app import show_run
        from maestro_dsl.cli.running import way_on

        waiting: RunResult = show_run(report.continues or "", environ=own.environ, state_dir=report.state_dir)
        command = way_on(waiting)
        deed = "continues it" if command.startswith("maestro resume") else "answers it"
        hint = f"{command} {deed}; --no-resume starts a new run"
        raise StateError(said, hint=hint)
    if not click.confirm(f"{said}. Continue it?", err=True):
        raise Interrupted("nothing was run")


def _confirm(own: Session, context: click.Context, report: PlanReport, *, auto_approve: bool) -> None:
    """Ask where a person can answer; else refuse what may cost or act outside.

    Raises:
        UsageError: nobody can answer and --auto-approve is missing.
    """
    if auto_approve:
        return
    if own.interactive:
        from maestro_dsl.reporters import plan as reporter

        shown = reporter.text(
            report.plan,
            report.estimate,
            report.forecast,
            conflicts=report.conflicts,
            removes=report.removes,
            style=own.style(sys.stderr),
        )
        click.echo(shown, err=True, color=True)
        if report.continues:
            click.echo(f"continues the unfinished run {report.continues}", err=True)
        question = reporter.counts(report.plan, report.forecast) + ". Run it?"
        if not click.confirm(question, err=True):
            raise Interrupted("nothing was run")
        return
    effects = [node.address for node in report.plan.nodes if node.effect]
    if report.estimate.worst_nano_usd != 0 or effects:
        why = f"acts outside: {', '.join(effects)}" if effects else "may cost money"
        command = f"{context.command_path} {shlex.quote(str(report.plan_file or 'FILE'))} --auto-approve"
        raise UsageError(f"this run {why}, and nobody can be asked; --auto-approve is missing", hint=command)


def _run(
    own: Session, report: PlanReport, options: ApplyOptions, *, progress: str, output_format: str
) -> int:
    from maestro_dsl.app import apply, show_run
    from maestro_dsl.cli.going_on import ask_and_go_on
    from maestro_dsl.cli.running import choose_progress, drive, finish, say_left_behind

    async def work(sinks: Sequence[EventSink], stop: asyncio.Event) -> RunResult:
        result: RunResult = await apply(report, options=options, environ=own.environ, sinks=sinks, stop=stop)
        return result

    shown = choose_progress(own, progress, report.plan)
    if report.continues and options.resume:
        before = show_run(report.continues, environ=own.environ, state_dir=report.state_dir)
        shown.seed(before.events)
        own.say(f"continuing the unfinished run {report.continues} (--no-resume starts a new one)")
    say_left_behind(own, report.left_behind)
    first = drive(work, shown, own)
    result = ask_and_go_on(own, first, state_dir=report.state_dir, progress=progress)
    result = with_fields(result, left_behind=first.left_behind)
    return finish(own, result, output_format=output_format)
