"""The `maestro` group: global options, commands that load on demand, and the one error handler.

Every way out of the program passes `execute`, which decides the exit code.
"""

from __future__ import annotations

import errno
import gc
import os
import signal
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from maestro_dsl import __version__
from maestro_dsl.cli.context import (
    Session,
    change_directory,
    error_document,
    is_terminal,
    parse_sets,
    print_json,
    wants_json,
)
from maestro_dsl.cli.options import PATH
from maestro_dsl.errors import CompileError, MaestroError
from maestro_dsl.records import dataclass
from maestro_dsl.reporters.text import Style, safe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "init": ("init", "Start a project that lints, plans and applies at once."),
    "lint": ("lint", "Check documents and report every mistake with its place."),
    "fmt": ("fmt", "Write documents in canonical form; comments stay."),
    "rule": ("rule", "Explain a rule of lint: example, output, the better way."),
    "explain": ("explain", "Explain any key of the language."),
    "lsp": ("lsp", "Serve editors: findings, completion, hover, rename."),
    "schema": ("schema", "Write the grammar for editors; bring old documents up to date."),
    "plan": ("plan", "Show what would run, why, how long and at what cost."),
    "prompt": ("prompt", "Print the exact messages that a node would send."),
    "graph": ("graph", "Draw the plan: text, Mermaid, DOT, SVG or JSON."),
    "apply": ("apply", "Run a plan, or continue its interrupted run."),
    "resume": ("resume", "Continue an interrupted or paused run."),
    "pause": ("pause", "Hold a run, from any terminal."),
    "cancel": ("cancel", "End a run for good, from any terminal."),
    "approve": ("approve", "Answer a node that waits for a person."),
    "retry": ("retry", "Try again what failed in a run."),
    "runs": ("runs", "List the runs of this state directory."),
    "show": ("show", "Show a run, or a plan file."),
    "tokens": ("tokens", "Report tokens by persona, model, run or day."),
    "costs": ("costs", "Report money spent and saved."),
    "cache": ("cache", "List and remove results that later runs reuse."),
    "state": ("state", "Verify, clean, unlock, export and import the state."),
    "tickets": ("tickets", "List and deliver tickets about what failed for good."),
    "logs": ("logs", "Print what happened in a run; -f follows it."),
    "mock": ("mock", "Emit or serve mocks of interfaces."),
    "verify": ("verify", "Check a running or startable service against its contract."),
    "contract": ("contract", "Compare two versions of an interface, show and search."),
    "blueprint": ("blueprint", "Search and show team patterns."),
    "lib": ("lib", "Add, lock, install and check shared libraries."),
    "config": ("config", "Show the settings in force and where each comes from."),
    "doctor": ("doctor", "Check this machine and name the exact fix."),
    "completion": ("completion", "Print the completion script of a shell."),
}
"""Name → (module of `maestro_dsl.cli`, help line). Also read by the completion scripts."""

USAGE: Final = 2
BUG: Final = 3
MACHINE: Final = 8
KINDS: Final[Mapping[int, str]] = {
    1: "verdict",
    2: "usage",
    3: "bug",
    4: "documents",
    5: "state",
    6: "policy",
    7: "integrity",
    8: "environment",
}
"""Exit code → the word for it in JSON."""


class LazyGroup(click.Group):
    """Loads a command's module when it is called, and lists commands without loading any."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names in the order of a project's life."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """Load and return one command."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"maestro_dsl.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Resolve a command; an unknown one names the nearest."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(name, COMMANDS, n=1)
            guess = f' Did you mean "{near[0]}"?' if near else ""
            raise click.UsageError(f'No such command "{safe(name)}".{guess}', ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        """Write the list of commands from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


EPILOG: Final = """\b
Examples:
  maestro init demo && cd demo
  maestro lint
  maestro plan plan.yaml
  maestro apply plan.yaml --auto-approve
"""


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="maestro", message="%(prog)s %(version)s")
@click.option("-C", "folder", type=PATH, metavar="DIR", help="Work in DIR.")
@click.option("--env", "env_name", metavar="NAME", help="One of the project's environments.")
@click.option("--set", "sets", multiple=True, metavar="K=V", help="A variable of the project; repeatable.")
@click.option("-q", "--quiet", is_flag=True, help="Only results and errors.")
@click.option("-v", "--verbose", count=True, help="Say more; repeatable.")
@click.option("--no-input", is_flag=True, help="Never ask; a missing answer is an error.")
@click.option(
    "--color",
    "colour",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colour; NO_COLOR and FORCE_COLOR are heeded.",
)
@click.pass_context
def cli(
    context: click.Context,
    *,
    folder: Path | None,
    env_name: str | None,
    sets: tuple[str, ...],
    quiet: bool,
    verbose: int,
    no_input: bool,
    colour: str,
) -> None:
    """Declarative pipelines for AI developer teams: contracts, mocks, an early start, and proof."""
    if folder is not None:
        change_directory(folder)
    session = Session(
        environ=dict(os.environ),
        env_name=env_name,
        sets=parse_sets(sets),
        verbosity=-1 if quiet else verbose,
        interactive=not no_input and is_terminal(),
        colour=colour,
    )
    if isinstance(context.obj, list):
        context.obj.append(session)  # for the error handler, which runs when the context is gone
    context.obj = session


_SELDOM: Final = (50_000, 20, 20)
"""How often garbage is looked for. Modules and documents are none: looked for at every 700 objects, as Python
does, it makes a start take a twentieth longer."""


def run(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the program and exit; the only place that decides an exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    _open_streams()
    gc.set_threshold(*_SELDOM)
    try:
        code = execute(given)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        code = 128 + signal.SIGHUP  # the terminal is gone: what went wrong could not be written either
    _flush_streams()
    gc.freeze()  # what is left ends with the process: looking for garbage among it takes 40 ms of a lint
    sys.exit(code)


def _open_streams() -> None:
    """Give what was closed by the caller (`2>&-`) to nobody, before a file of ours takes its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nobody = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115 - open until the process ends
            setattr(sys, name, nobody)


def _flush_streams() -> None:
    """Write what is left; where it goes nowhere any more, nobody is told, and the exit code stays."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def execute(arguments: list[str]) -> int:
    """Run one command line and return its exit code; writes what went wrong, never a traceback."""
    sessions: list[Session] = []
    try:
        result = cli.main(arguments, prog_name="maestro", standalone_mode=False, obj=sessions)
    except click.exceptions.Exit as error:
        return error.exit_code
    except (BrokenPipeError, SystemExit):  # click ends with 1 there, which says that something was found
        return _broken_pipe()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last line of defence
        session = sessions[0] if sessions else Session(environ=os.environ)
        return _Failure(style=session.style(sys.stderr), as_json=wants_json(arguments)).say(error)
    return result if isinstance(result, int) else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    """Says what went wrong, as text on stderr or as the one JSON document on stdout."""

    style: Style
    as_json: bool

    def say(self, error: BaseException) -> int:
        """Write `error` for people or programs and return the exit code."""
        if isinstance(error, MaestroError):
            return self._ours(error)
        if isinstance(error, click.Abort | KeyboardInterrupt):
            if isinstance(error, click.Abort) and error.__cause__ is None and not self.as_json:
                click.echo(err=True)  # a question stands in this line; else click has ended it
            return self._write("interrupted", None, 128 + signal.SIGINT)
        if isinstance(error, click.exceptions.NoArgsIsHelpError) and not self.as_json:
            click.echo(error.format_message(), err=True)
            return USAGE
        if isinstance(error, click.ClickException):
            message = error.message if _of_all_commands(error) else error.format_message()
            return self._write(message, _usage_hint(error), USAGE)
        if isinstance(error, OSError) and (found := _of_the_machine(error)):
            return self._write(found, "mend the permissions, free some space, or name another place", MACHINE)
        return self._bug(error)

    def _ours(self, error: MaestroError) -> int:
        extra: dict[str, Any] = {}
        if isinstance(error, CompileError):
            from maestro_dsl.reporters import diagnostics

            extra = diagnostics.json_document(error.diagnostics)
            if not self.as_json:
                shown = diagnostics.text(error.diagnostics, error.sources, self.style)
                click.echo(shown, err=True, color=True)
        return self._write(error.message, error.hint, error.exit_code, extra)

    def _write(
        self, message: str, hint: str | None, code: int, extra: Mapping[str, Any] | None = None
    ) -> int:
        if self.as_json:
            print_json(error_document(KINDS.get(code, "stopped"), message, hint, code, extra))
            return code
        click.echo(f"{self.style('red', 'error')}: {safe(message, multiline=True)}", err=True, color=True)
        if hint:
            click.echo(f"{self.style('blue', 'hint')}: {safe(hint, multiline=True)}", err=True, color=True)
        return code

    def _bug(self, error: BaseException) -> int:
        import tempfile
        import traceback

        report = "".join(traceback.format_exception(error))
        with tempfile.NamedTemporaryFile(
            "w", prefix="maestro-bug-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(f"maestro {__version__}, Python {sys.version}\n\n{report}")
        first = (str(error) or "no message").splitlines()[0]
        message = f"this is a bug in maestro, not in your documents ({type(error).__name__}: {first})"
        return self._write(message, f"please report it with the details saved in {file.name}", BUG)


def _of_the_machine(error: OSError) -> str | None:
    """Return what this machine refused, or None where a mistake of ours may be behind it."""
    from maestro_dsl.scratch import OF_THE_MACHINE, REASONS

    if error.errno not in OF_THE_MACHINE or error.errno == errno.ENOENT or error.filename is None:
        return None
    return f"cannot use {os.fsdecode(error.filename)}: {REASONS.get(error.errno) or error.strerror}"


def _of_all_commands(error: click.ClickException) -> str | None:
    """Return an option of all commands that was given to one of them, with its value; None for all else."""
    if not isinstance(error, click.NoSuchOption) or error.ctx is None or error.ctx.parent is None:
        return None
    found = next((option for option in cli.params if error.option_name in option.opts), None)
    if not isinstance(found, click.Option):
        return None
    takes_none = found.is_flag or found.count
    return error.option_name if takes_none else f"{error.option_name} {found.metavar or 'WHEN'}"


def _usage_hint(error: click.ClickException) -> str | None:
    """Return what helps with a wrong command line."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        return None
    option = _of_all_commands(error)
    if option is not None:
        program, _, rest = context.command_path.partition(" ")
        return f"it stands before the command: {program} {option} {rest}"
    missing = error.param if isinstance(error, click.MissingParameter) else None
    if missing is not None and missing.make_metavar(context).startswith("RUN"):
        return f"`{context.command_path} last` takes the newest run; `maestro runs` lists them"
    return f"{context.command_path} --help"


def _broken_pipe() -> int:
    """End quietly where the reader of our output went away, as `head` does."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 128 + signal.SIGPIPE
