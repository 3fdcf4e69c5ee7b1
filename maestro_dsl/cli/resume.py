"""`maestro resume`: continues a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from maestro_dsl.cli.context import Session, session
from maestro_dsl.cli.options import FiniteRange, format_option, run_options, state_dir_option
from maestro_dsl.errors import StateError, UsageError
from maestro_dsl.reporters.text import safe

if TYPE_CHECKING:
    from collections.abc import Callable

    from maestro_dsl.app.values import RunList

N = TypeVar("N", int, float)
EPILOG = """\b
Examples:
  maestro resume              (the newest unfinished run of this project)
  maestro resume 01939f2e     (the beginning of an id is enough)
  maestro resume --max-cost 20
  maestro resume --decide deploy=skip     (it had its effect before the process ended)
"""


@click.command("resume", epilog=EPILOG, short_help="Continue a run.")
@click.argument("run_id", metavar="[RUN]", required=False)
@click.option("--max-cost", type=FiniteRange(min=0), metavar="USD", help="A new limit of cost.")
@click.option("--max-tokens", metavar="N", help='A new limit of tokens, e.g. "2M".')
@click.option("--max-duration", metavar="TIME", help='A new limit of time at work, e.g. "2h".')
@click.option("--max-concurrency", type=click.IntRange(min=1), metavar="N", help="Nodes at once.")
@click.option(
    "--decide",
    "decisions",
    multiple=True,
    metavar="NODE=rerun|skip",
    help="Answer an effect that may have happened; repeatable.",
)
@run_options
@state_dir_option
@format_option("text", "json")
@click.pass_context
def command(  # noqa: PLR0913 - one argument an option, by keyword
    context: click.Context,
    *,
    run_id: str | None,
    max_cost: float | None,
    max_tokens: str | None,
    max_duration: str | None,
    max_concurrency: int | None,
    decisions: tuple[str, ...],
    progress: str,
    state_dir: Path | None,
    output_format: str,
) -> int:
    """Continue RUN where it stopped; finished nodes are not run again."""
    from maestro_dsl.cli.going_on import ask_and_go_on, go_on
    from maestro_dsl.cli.running import finish
    from maestro_dsl.lang.units import parse_duration, parse_tokens

    own = session(context)
    overrides = own.overrides(
        max_cost=max_cost,
        max_tokens=_read("--max-tokens", max_tokens, parse_tokens, "2M"),
        max_duration=_read("--max-duration", max_duration, parse_duration, "2h"),
        max_concurrency=max_concurrency,
    )
    result = go_on(
        own,
        run_id or _newest(own, state_dir),
        overrides=overrides,
        state_dir=state_dir,
        progress=progress,
        decisions=dict(map(_decision, decisions)),
    )
    result = ask_and_go_on(own, result, state_dir=state_dir, progress=progress)
    return finish(own, result, output_format=output_format)


def _read(option: str, text: str | None, parse: Callable[[str], N], example: str) -> N | None:
    try:
        return None if text is None else parse(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}", hint=f"{option} {example}") from None


def _decision(stated: str) -> tuple[str, str]:
    node, _, word = stated.rpartition("=")
    if not node or word not in {"rerun", "skip"}:
        raise UsageError(f'"{stated}" is no answer', hint="--decide NODE=rerun or --decide NODE=skip")
    return node, word


def _newest(own: Session, state_dir: Path | None) -> str:
    """Return the newest unfinished run of this project, else of the state directory, which many may share."""
    from maestro_dsl.app import list_runs
    from maestro_dsl.cli.running import ENDED
    from maestro_dsl.lang.files import root_above

    found: RunList = list_runs(environ=own.environ, state_dir=state_dir)
    unfinished = [record for record in found.runs if record.status not in ENDED]
    if not unfinished:
        raise StateError(
            f"no unfinished run in {found.state_dir}", hint="maestro runs lists what has been run"
        )
    here = root_above(Path.cwd())
    own_one = next((record for record in unfinished if Path(record.output).is_relative_to(here)), None)
    if own_one is not None:
        return own_one.run_id
    newest = unfinished[0]
    own.say(f"nothing of {here} is unfinished; going on with {safe(newest.plan_id)} in {safe(newest.output)}")
    return newest.run_id
