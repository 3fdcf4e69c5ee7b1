"""`maestro contract`: compare two versions of an interface, show one, search in many."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from maestro_dsl import __version__
from maestro_dsl.cli.context import print_document, print_json, print_text, session
from maestro_dsl.cli.options import PATH, format_option
from maestro_dsl.reporters.text import safe, table

if TYPE_CHECKING:
    from maestro_dsl.app.contracts import ContractDiff
    from maestro_dsl.app.interfaces import OperationInfo, ShownInterface

DIFF_EPILOG = """\b
Examples:
  maestro contract diff old.yaml new.yaml
  maestro contract diff main:api.yaml api.yaml
  maestro contract diff --format markdown v1.graphql v2.graphql
  maestro contract diff --fail-on dangerous --format sarif old.yaml new.yaml
"""
SHOW_EPILOG = """\b
Examples:
  maestro contract show api.yaml
  maestro contract show contracts/backend_api.contract.yaml --format json
"""
SEARCH_EPILOG = """\b
Examples:
  maestro contract search payment
  maestro contract search "GET /pets" specs/ --format json
"""
_NEVER: Final = "none"
_MOST_WARNINGS: Final = 5


@click.group("contract", short_help="Compare, show and search interfaces.")
def command() -> None:
    """Compare two versions of an interface, show one, or search in many."""


@command.command("diff", epilog=DIFF_EPILOG, short_help="Tell what breaks between two versions.")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option(
    "--fail-on",
    type=click.Choice(["breaking", "dangerous", "safe", _NEVER]),
    default="breaking",
    show_default=True,
    help="The mildest change that makes the exit code 1.",
)
@format_option("text", "json", "markdown", "sarif", "github")
@click.pass_context
def diff(context: click.Context, *, old: str, new: str, fail_on: str, output_format: str) -> int:
    """Tell what changed from OLD to NEW: files, or REVISION:FILE of the git repository around here."""
    from maestro_dsl.app import contract_diff
    from maestro_dsl.interfaces.changes import RANK, Level
    from maestro_dsl.reporters import comparison as shown

    found: ContractDiff = contract_diff(old, new, today=datetime.now(UTC).date())
    own = session(context)
    compared = found.comparison
    names = (found.old, found.new)
    if output_format == "json":
        print_json(shown.json_document(compared, names, needed=found.needed_bump, is_bumped=found.is_bumped))
    elif output_format == "sarif":
        print_json(shown.sarif_document(compared.changes, __version__))
    elif output_format == "markdown":
        print_text(shown.markdown(compared, names, found.needed_bump))
    elif output_format == "github":
        print_text(shown.github(compared.changes)) if compared.changes else None
    else:
        if compared.changes:
            print_text(shown.text(compared.changes, own.style(sys.stdout)))
        own.say(shown.summary(compared, found.needed_bump, own.style(sys.stderr)))
        own.say(_versions(found))
        for warning in tuple(found.warnings)[:_MOST_WARNINGS]:
            own.say(safe(f"left out: {warning.message}"))
    own.next(_next(found))
    worst = compared.worst
    return int(fail_on != _NEVER and worst is not None and RANK[worst] <= RANK[Level(fail_on)])


def _versions(found: ContractDiff) -> str:
    compared = found.comparison
    if compared.old_version is None and compared.new_version is None:
        return "neither states a version"
    stated = f"version {safe(str(compared.old_version))} to {safe(str(compared.new_version))}"
    if found.needed_bump == "major" and found.is_bumped is False:
        return f"{stated}: not enough for a breaking change"
    return stated


def _next(found: ContractDiff) -> str:
    if found.needed_bump == "major":
        return "keep the old form beside the new one, or raise the major version"
    return f"maestro mock serve {found.new}" if ":" not in found.new else "maestro lint"


@command.command("show", epilog=SHOW_EPILOG, short_help="List the operations of one file.")
@click.argument("file", metavar="FILE", type=PATH)
@format_option("text", "json")
@click.pass_context
def show(context: click.Context, *, file: Path, output_format: str) -> None:
    """List the operations of FILE: a spec, a contract, or all contracts of a plan."""
    from maestro_dsl.app import show_interface

    own = session(context)
    found: tuple[ShownInterface, ...] = show_interface(file, environ=own.environ)
    if output_format == "json":
        _print_json(found)
        return
    _print(found)
    own.next(f"maestro mock serve {file}")


@command.command("search", epilog=SEARCH_EPILOG, short_help="Find operations in many files.")
@click.argument("text", metavar="TEXT")
@click.argument("paths", metavar="[PATHS]...", nargs=-1, type=PATH)
@format_option("text", "json")
@click.pass_context
def search(context: click.Context, *, text: str, paths: tuple[Path, ...], output_format: str) -> int:
    """List operations whose method, path, id, summary or title holds all words of TEXT."""
    from maestro_dsl.app import search_interfaces

    own = session(context)
    found: tuple[ShownInterface, ...] = search_interfaces(text, paths or (Path(),), environ=own.environ)
    if output_format == "json":
        _print_json(found)
        return 0 if found else 1
    if not found:
        own.say("no operation fits")
        return 1
    _print(found)
    own.next(f"maestro contract show {found[0].file}")
    return 0


def _print_json(found: tuple[ShownInterface, ...]) -> None:
    from maestro_dsl.codec import to_json

    print_document({"interfaces": [to_json(item) for item in found]})


def _print(found: tuple[ShownInterface, ...]) -> None:
    for item in found:
        title = f"{item.title} {item.version}".strip()
        print_text(f"{safe(item.name)}: {safe(title)} ({safe(item.file)})")
        print_text("\n".join(table([_row(operation) for operation in item.operations])))


def _row(operation: OperationInfo) -> tuple[str, ...]:
    return (
        operation.method,
        safe(operation.path),
        safe(operation.operation_id or "-"),
        safe(" ".join(operation.statuses) or "-"),
        safe(" or ".join(operation.security) or "open"),
        "deprecated" if operation.deprecated else "",
    )
