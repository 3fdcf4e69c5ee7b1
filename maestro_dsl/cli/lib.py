"""`maestro lib`: shared libraries of a project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from maestro_dsl.cli.context import Session, print_document, print_text, session
from maestro_dsl.cli.options import format_option
from maestro_dsl.codec import to_json
from maestro_dsl.reporters.text import plural, safe, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maestro_dsl.app.libraries import LibraryInfo, LockResult

EPILOG: Final = """\b
Examples:
  maestro lib add ./libs/team
  maestro lib add git+https://git.example.org/team.git@^1.2
  maestro lib install --frozen
  maestro lib list
"""
ADD_EPILOG: Final = """\b
Examples:
  maestro lib add ./libs/team
  maestro lib add git+https://git.example.org/team.git
  maestro lib add 'git+https://git.example.org/all.git@^1.2#subdirectory=team'
"""
LOCK_EPILOG: Final = """\b
Examples:
  maestro lib lock
  maestro lib lock --format json
"""
INSTALL_EPILOG: Final = """\b
Examples:
  maestro lib install
  maestro lib install --frozen
"""
UPDATE_EPILOG: Final = """\b
Examples:
  maestro lib update
  maestro lib update team
  maestro lib update team --accept-breaking
"""
VERIFY_EPILOG: Final = """\b
Examples:
  maestro lib verify
  maestro lib verify --format json
"""
LIST_EPILOG: Final = """\b
Examples:
  maestro lib list
  maestro lib list --format json
"""
_DIGITS: Final = 12
_ACCEPT = click.option(
    "--accept-breaking", is_flag=True, help="Take versions whose contracts break without a new major version."
)


@click.group("lib", epilog=EPILOG, short_help="Add, lock, install and check shared libraries.")
def command() -> None:
    """Add, lock, install, update, verify and list the shared libraries of this project."""


@command.command("add", epilog=ADD_EPILOG, short_help="Add a library, lock it and install it.")
@click.argument("source", metavar="SOURCE")
@format_option("text", "json")
@click.pass_context
def add(context: click.Context, *, source: str, output_format: str) -> int:
    """Add the library at SOURCE, a folder or git address, to maestro.yaml; then lock and install it."""
    from maestro_dsl.app import add_library

    own = session(context)
    name, result = add_library(source, Path.cwd(), environ=own.environ)
    return _told(own, result, output_format, f"blueprint: {name}/…   (in a plan file)", name=name)


@command.command("lock", epilog=LOCK_EPILOG, short_help="Write maestro.lock.")
@_ACCEPT
@format_option("text", "json")
@click.pass_context
def lock(context: click.Context, *, accept_breaking: bool, output_format: str) -> int:
    """Write maestro.lock: one version of each library, its commit and its digest."""
    from maestro_dsl.app import lock_libraries

    own = session(context)
    result: LockResult = lock_libraries(Path.cwd(), environ=own.environ, accept_breaking=accept_breaking)
    return _told(own, result, output_format, "maestro lib install")


@command.command("install", epilog=INSTALL_EPILOG, short_help="Install what maestro.lock pins.")
@click.option("--frozen", is_flag=True, help="Refuse a lock that is out of date (exit 7); for CI.")
@format_option("text", "json")
@click.pass_context
def install(context: click.Context, *, frozen: bool, output_format: str) -> int:
    """Install what maestro.lock pins into .maestro/libraries, checked byte by byte."""
    from maestro_dsl.app import install_libraries

    own = session(context)
    result: LockResult = install_libraries(Path.cwd(), environ=own.environ, frozen=frozen)
    return _told(own, result, output_format, "maestro lint")


@command.command("update", epilog=UPDATE_EPILOG, short_help="Move libraries to the newest versions that fit.")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@_ACCEPT
@format_option("text", "json")
@click.pass_context
def update(
    context: click.Context, *, names: tuple[str, ...], accept_breaking: bool, output_format: str
) -> int:
    """Move all libraries, or those called NAME, to the newest versions that fit, and install them."""
    from maestro_dsl.app import lock_libraries

    own = session(context)
    result: LockResult = lock_libraries(
        Path.cwd(),
        environ=own.environ,
        update=names or None,
        accept_breaking=accept_breaking,
        with_install=True,
    )
    return _told(own, result, output_format, "maestro lint")


@command.command(
    "verify", epilog=VERIFY_EPILOG, short_help="Check that lock and files of every library agree."
)
@format_option("text", "json")
@click.pass_context
def verify(context: click.Context, *, output_format: str) -> int:
    """Check that maestro.yaml, maestro.lock and the files of every library agree; exit 7 where not."""
    from maestro_dsl.app import verify_libraries

    own = session(context)
    result: LockResult = verify_libraries(Path.cwd())
    if output_format != "json":
        own.say(f"{plural(len(result.libraries), 'library')} as maestro.lock says")
    return _told(own, result, output_format, "maestro lint")


@command.command("list", epilog=LIST_EPILOG, short_help="List the libraries and how they stand.")
@format_option("text", "json")
@click.pass_context
def list_(context: click.Context, *, output_format: str) -> None:
    """List the libraries of this project, what pins them and how they stand."""
    from maestro_dsl.app import list_libraries

    own = session(context)
    found: Sequence[LibraryInfo] = list_libraries(Path.cwd())
    if output_format == "json":
        print_document({"libraries": [to_json(item) for item in found]})
        return
    if not found:
        own.say("no libraries; core is built in")
        own.next("maestro lib add SOURCE")
        return
    print_text("\n".join(table([_row(item) for item in found], indent=0, width=200)))
    for item in found:
        if item.detail:
            own.say(safe(item.detail))
    own.next(_cure(found))


def _told(own: Session, result: LockResult, output_format: str, following: str, **more: str) -> int:
    """Print what locking or installing came to and return the exit code."""
    if output_format == "json":
        print_document({**more, **_json(result)})
        return int(result.is_refused)
    for change in result.changes:
        own.say(f"{_verb(change.before, change.after)} {safe(change.name)}: {safe(change.source)}")
    for item in result.breaks:
        own.say(f"{safe(item.library)} {item.before} to {item.after} breaks contract {safe(item.contract)}:")
        for sentence in item.changes:
            own.say(f"  {safe(sentence)}")
    if result.is_refused:
        own.say("nothing was changed: these contracts break without a new major version")
        own.next("ask for the old version in maestro.yaml, or: maestro lib update --accept-breaking")
        return 1
    for name in result.installed:
        own.say(f"installed {safe(name)}")
    if not result.changes and not result.installed:
        own.say("nothing to change")
    own.next(following)
    return 0


def _json(result: LockResult) -> dict[str, Any]:
    told = ("libraries", "changes", "breaks", "installed", "is_written", "is_refused")
    return {key: to_json(getattr(result, key)) for key in told}


def _verb(before: str | None, after: str | None) -> str:
    if before is None:
        return f"locked {after}"
    if after is None:
        return f"dropped {before}"
    return f"{before} to {after}" if before != after else f"relocked {after}"


def _row(item: LibraryInfo) -> tuple[str, ...]:
    commit = "" if item.commit is None else item.commit[:_DIGITS]
    asked = "" if item.stated is not None else f"required by {', '.join(item.required_by)}"
    return (
        safe(item.name),
        item.version or "-",
        item.state,
        commit or "-",
        safe(item.source or item.stated or "-"),
        safe(asked),
    )


def _cure(found: Sequence[LibraryInfo]) -> str:
    states = {item.state for item in found}
    if states & {"not locked", "out of date"}:
        return "maestro lib lock"
    return "maestro lib install" if states & {"broken", "not installed"} else "maestro lib verify"
