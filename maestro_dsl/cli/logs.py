"""`maestro logs`: what happened in a run, line by line."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import click

from maestro_dsl.cli.context import Session, at_this_state, print_document, session
from maestro_dsl.cli.options import format_option, state_dir_option
from maestro_dsl.errors import UsageError
from maestro_dsl.reporters.lines import clock, describe, json_line
from maestro_dsl.reporters.text import safe

if TYPE_CHECKING:
    from pathlib import Path

    from maestro_dsl.app.values import RunResult
    from maestro_dsl.engine.events import Event

EPILOG = """\b
Examples:
  maestro logs last
  maestro logs 01939f2e -f
  maestro logs last --node 'build[web_app]'
  maestro logs last --format jsonl
"""
_POLL_S: Final = 0.3


@click.command("logs", epilog=EPILOG, short_help="Print a run's events.")
@click.argument("run_id", metavar="RUN")
@click.option("-f", "--follow", is_flag=True, help="Go on until the run ends.")
@click.option("--node", metavar="NODE", help="Only what concerns this node.")
@state_dir_option
@format_option("text", "jsonl", "json")
@click.pass_context
def command(
    context: click.Context,
    *,
    run_id: str,
    follow: bool,
    node: str | None,
    state_dir: Path | None,
    output_format: str,
) -> None:
    """Print the events of RUN (id, its beginning, or "last") in order."""
    from maestro_dsl.app import show_run

    own = session(context)
    if follow and output_format == "json":
        raise UsageError("--follow writes as things happen, json is one document", hint="--format jsonl")
    result: RunResult = show_run(run_id, environ=own.environ, state_dir=state_dir)
    if node is not None:
        _refuse_unknown(result, node)
    events = [event for event in result.events if _concerns(event, node)]
    if output_format == "json":
        print_document({"events": [event.to_json() for event in events]})
        return
    start = result.events[0].at if result.events else 0.0
    for event in events:
        _print(event, start, output_format)
    if follow:
        _follow(own, result, start=start, node=node, state_dir=state_dir, output_format=output_format)
    elif output_format == "text":
        own.next(f"maestro show {result.run_id}")


def _follow(
    own: Session,
    result: RunResult,
    *,
    start: float,
    node: str | None,
    state_dir: Path | None,
    output_format: str,
) -> None:
    from maestro_dsl.app import run_events, show_run
    from maestro_dsl.cli.running import ENDED, way_on

    seq = result.events[-1].seq if result.events else 0
    while True:
        # What `result` says was so before these events are asked for, so none can come between the two.
        fresh = run_events(result.run_id, after=seq, environ=own.environ, state_dir=state_dir)
        for event in fresh:
            seq = event.seq
            if _concerns(event, node):
                _print(event, start, output_format)
        if fresh:
            continue
        if result.status in ENDED:
            return
        if not result.live:
            own.say(f"the run is not live; go on with: {at_this_state(way_on(result))}")
            return
        time.sleep(_POLL_S)
        result = show_run(result.run_id, environ=own.environ, state_dir=state_dir)


def _refuse_unknown(result: RunResult, node: str) -> None:
    from maestro_dsl.lang.suggest import closest, guessed

    known = [item.address for item in result.plan.nodes]
    if node not in known:
        meant = f": {guessed(near).strip()}" if (near := closest(node, known)) else ""
        raise UsageError(
            f'run {result.run_id} has no node "{safe(node)}"{meant}', hint=f"maestro show {result.run_id}"
        )


def _concerns(event: Event, node: str | None) -> bool:
    return node is None or getattr(event.body, "node", None) == node


def _print(event: Event, start: float, output_format: str) -> None:
    if output_format == "jsonl":
        click.echo(json_line(event), nl=False)
        return
    line = describe(event)
    if line is not None:
        click.echo(f"{clock(event.at - start):>8}  {line}")
