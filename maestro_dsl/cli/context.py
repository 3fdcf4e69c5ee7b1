"""What every command shares: global options, where output goes, and colour. Reads the environment once."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

import click

from maestro_dsl.errors import UsageError
from maestro_dsl.money import NANO_USD
from maestro_dsl.records import dataclass
from maestro_dsl.reporters.text import FORMAT_VERSION, Style, safe

if TYPE_CHECKING:
    from maestro_dsl.lang.model import Json  # noqa: TC004 - the model costs every start 30 ms
    from maestro_dsl.lang.settings import Overrides


WITH_STATE: Final = frozenset(
    {
        *("plan", "apply", "resume", "pause", "cancel", "approve", "retry", "runs", "show", "logs"),
        *("tokens", "costs", "cache", "state", "tickets", "config", "doctor"),
    }
)
"""Commands with the option --state-dir."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The global options of one call."""

    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    env_name: str | None = None
    sets: Mapping[str, Json] = field(default_factory=dict)
    verbosity: int = 0
    """-1 quiet, 0 normal, 1 and more: talkative."""
    interactive: bool = False
    """True where a question may be asked."""
    colour: str = "auto"

    def style(self, stream: TextIO) -> Style:
        """Return the colours for `stream`: --color, then NO_COLOR and FORCE_COLOR, then the terminal."""
        if self.colour != "auto":
            return Style(colour=self.colour == "always")
        if self.environ.get("NO_COLOR"):
            return Style()
        if self.environ.get("FORCE_COLOR"):
            return Style(colour=True)
        return Style(colour=stream.isatty() and self.environ.get("TERM") != "dumb")

    def overrides(
        self,
        *,
        provider: str | None = None,
        max_concurrency: int | None = None,
        schedule: str | None = None,
        max_cost: float | None = None,
        max_tokens: int | None = None,
        max_duration: float | None = None,
        output: str | None = None,
        quality_threshold: float | None = None,
    ) -> Overrides:
        """Return what the command line states over the documents; cost in US dollars, time in seconds.

        A stated output is relative to where the command is given, one in a plan to the plan.
        """
        from maestro_dsl.lang.model import Schedule
        from maestro_dsl.lang.settings import Overrides

        return Overrides(
            provider=provider,
            max_concurrency=max_concurrency,
            schedule=Schedule(schedule) if schedule else None,
            max_cost_nano_usd=None if max_cost is None else _nano_usd(max_cost),
            max_tokens=max_tokens,
            max_duration_s=max_duration,
            output=None if output is None else str(Path(output).absolute()),
            quality_threshold=quality_threshold,
            env_name=self.env_name,
            sets=self.sets,
        )

    def say(self, text: str) -> None:
        """Write a line of progress to stderr, unless quiet."""
        if self.verbosity >= 0:
            click.echo(text, err=True, color=True)

    def next(self, command: str) -> None:
        """Name the next useful command on stderr."""
        self.say(f"next: {at_this_state(command)}")


def _nano_usd(usd: float) -> int:
    """Return whole nano-dollars of an amount, however large."""
    whole, rest = divmod(usd, 1)
    return int(whole) * NANO_USD + round(rest * NANO_USD)


def session(context: click.Context) -> Session:
    """Return the session of a running command."""
    found = context.find_object(Session)
    return found if found is not None else Session(environ=os.environ)


def at_this_state(command: str) -> str:
    """Return a command to be called next, with the state directory that this one was called with."""
    context = click.get_current_context(silent=True)
    stated = None if context is None else context.params.get("state_dir")
    words = command.split(" ")
    if stated is None or words[0] != "maestro" or "--state-dir" in words:
        return command
    return f"{command} --state-dir {shlex.quote(str(stated))}" if words[1] in WITH_STATE else command


def print_text(text: str, *, err: bool = False) -> None:
    """Write finished text to stdout (or stderr), colours as they are."""
    click.echo(text, nl=not text.endswith("\n"), err=err, color=True)


def print_document(fields: Mapping[str, Any]) -> None:
    """Write one JSON document to stdout, the version of its format before the `fields`."""
    print_json({"format_version": FORMAT_VERSION, **fields})


def print_json(document: object, *, err: bool = False) -> None:
    """Write one JSON document to stdout (or stderr); ASCII only, so that no terminal can be steered by it."""
    click.echo(json.dumps(document, ensure_ascii=True, indent=2), err=err)


def parse_sets(pairs: tuple[str, ...]) -> dict[str, Json]:
    """Return `key=value` pairs; values are JSON where they parse, else text.

    Raises:
        UsageError: a pair has no key or no "=".
    """
    found: dict[str, Json] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise UsageError(
                f'--set needs key=value, not "{safe(pair)}"', hint="--set region=eu --set limit=3"
            )
        found[key.strip()] = _value(value)
    return found


def _value(text: str) -> Json:
    try:
        value: Json = json.loads(text)
    except ValueError:
        return text
    return value


def is_terminal() -> bool:
    """Return whether a person can answer: input and messages are both on a terminal."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def change_directory(folder: Path) -> None:
    """Go to `folder`, as -C asks.

    Raises:
        UsageError: there is no such folder.
    """
    try:
        os.chdir(folder)
    except OSError as error:
        raise UsageError(
            f'cannot work in "{safe(str(folder))}": {error.strerror}', hint="give -C a folder"
        ) from None


def wants_json(arguments: list[str]) -> bool:
    """Return whether raw arguments ask for JSON; needed before they are parsed, for usage errors."""
    for index, argument in enumerate(arguments):
        if argument == "--format=json":
            return True
        if argument == "--format" and arguments[index + 1 : index + 2] == ["json"]:
            return True
    return False


def error_document(
    kind: str, message: str, hint: str | None, exit_code: int, extra: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the JSON document of a failed command."""
    body = {"kind": kind, "message": message, "hint": hint, "exit_code": exit_code}
    return {"format_version": FORMAT_VERSION, "error": body, **(extra or {})}
