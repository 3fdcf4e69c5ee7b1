"""`maestro cache`: the results that later runs reuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from maestro_dsl.cli.context import Session, print_document, print_text, session
from maestro_dsl.cli.options import format_option, state_dir_option
from maestro_dsl.codec import to_json
from maestro_dsl.errors import UsageError
from maestro_dsl.money import money_text
from maestro_dsl.reporters.text import duration, plural, safe, table, tokens

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from maestro_dsl.app.stored import CacheList, StoredResult

EPILOG = """\b
Examples:
  maestro cache ls
  maestro cache ls --contract backend_api
  maestro cache rm 3f9a01 --yes
  maestro cache stats
"""
LS_EPILOG = """\b
Examples:
  maestro cache ls
  maestro cache ls --node 'build[web_app]' --sort size
"""
RM_EPILOG = """\b
Examples:
  maestro cache rm 3f9a01
  maestro cache rm --older-than 30d --yes
  maestro cache rm --all --yes
"""
STATS_EPILOG = """\b
Examples:
  maestro cache stats --format json
"""


@click.group("cache", epilog=EPILOG, short_help="List and remove stored results.")
def command() -> None:
    """List and remove the results that later runs reuse where nothing that they depend on has changed."""


@command.command("ls", epilog=LS_EPILOG, short_help="List stored results.")
@click.option("--node", metavar="NODE", help="Only of this node.")
@click.option("--contract", metavar="CONTRACT", help="Only about this contract.")
@click.option("--sort", type=click.Choice(["age", "size", "node"]), default="age", show_default=True)
@state_dir_option
@format_option("text", "json")
@click.pass_context
def ls(
    context: click.Context,
    *,
    node: str | None,
    contract: str | None,
    sort: str,
    state_dir: Path | None,
    output_format: str,
) -> None:
    """List stored results with their node, age, size, what they cost and how often runs reused them."""
    from maestro_dsl.app import list_cache

    own = session(context)
    found: CacheList = list_cache(environ=own.environ, state_dir=state_dir)
    shown = [x for x in found.results if node in {None, x.node} and contract in {None, x.contract}]
    if sort != "age":
        shown.sort(key=lambda item: -item.size if sort == "size" else 0)
        shown.sort(key=lambda item: item.node if sort == "node" else "")
    _print(own, shown, found, output_format)
    own.next(
        "maestro cache stats" if shown else "maestro cache ls" if found.results else "maestro apply FILE"
    )


@command.command("rm", epilog=RM_EPILOG, short_help="Remove stored results; their nodes run again.")
@click.argument("keys", metavar="[KEY]...", nargs=-1)
@click.option("--older-than", metavar="AGE", help='Those made longer ago, e.g. "30d".')
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@state_dir_option
@format_option("text", "json")
@click.pass_context
def rm(
    context: click.Context,
    *,
    keys: tuple[str, ...],
    older_than: str | None,
    everything: bool,
    yes: bool,
    state_dir: Path | None,
    output_format: str,
) -> None:
    """Remove stored results by KEY (the beginning is enough), by age, or all; their nodes run again."""
    from maestro_dsl.app import remove_cache
    from maestro_dsl.lang.units import parse_duration

    own = session(context)
    if (bool(keys), older_than is not None, everything).count(True) != 1:
        raise UsageError(
            "say which results: KEY, --older-than AGE or --all", hint="maestro cache ls lists them"
        )
    try:
        age = None if older_than is None else parse_duration(older_than)
    except ValueError as error:
        raise UsageError(f"--older-than: {error}", hint="--older-than 30d") from None

    def remove(*, dry_run: bool) -> CacheList:
        found: CacheList = remove_cache(
            keys=keys,
            older_than_s=age,
            everything=everything,
            environ=own.environ,
            state_dir=state_dir,
            dry_run=dry_run,
        )
        return found

    count = len(remove(dry_run=True).results)
    if count and not yes:
        confirm(own, f"Remove {plural(count, 'stored result')}?", "maestro cache rm … --yes")
    _print(own, remove(dry_run=False).results, None, output_format)
    own.say(f"removed {plural(count, 'stored result')}; maestro state gc frees the space")
    own.next("maestro state gc")


@command.command("stats", epilog=STATS_EPILOG, short_help="Say how much is stored and what reuse saved.")
@state_dir_option
@format_option("text", "json")
@click.pass_context
def stats(context: click.Context, *, state_dir: Path | None, output_format: str) -> None:
    """Say how much is stored, and what reuse saved in the runs that are kept: tokens, money, time."""
    from maestro_dsl.app import list_cache

    own = session(context)
    found: CacheList = list_cache(environ=own.environ, state_dir=state_dir)
    figures = {
        "results": len(found.results),
        "bytes": sum(item.size for item in found.results),
        "hits": found.hits,
        "saved_tokens": found.saved_tokens,
        "saved_nano_usd": found.saved_nano_usd,
        "saved_s": round(found.saved_s, 3),
    }
    if output_format == "json":
        print_document({"state_dir": str(found.state_dir), **figures})
    else:
        rows = [
            ("stored", plural(len(found.results), "result"), size(int(figures["bytes"]))),
            ("reused", f"{found.hits} times", ""),
            ("saved", f"{tokens(found.saved_tokens)} tokens", money_text(found.saved_nano_usd)),
            ("", f"{duration(found.saved_s)} of work", ""),
        ]
        print_text("\n".join(table(rows, indent=0)))
    own.next("maestro cache ls")


def confirm(own: Session, question: str, command_line: str) -> None:
    """Ask; raise `UsageError` where nobody can answer, `click.Abort` where the answer is no."""
    if not own.interactive:
        raise UsageError("nobody can be asked; --yes is missing", hint=command_line)
    click.confirm(question, err=True, abort=True)


def size(count: int) -> str:
    """Return bytes for people."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} B"


def _print(own: Session, shown: Sequence[StoredResult], found: CacheList | None, output_format: str) -> None:
    if output_format == "json":
        print_document({"results": [to_json(item) for item in shown]})
        return
    if not shown:
        of_these = " of these" if found is not None and found.results else ""
        own.say(f"no stored results{of_these}" + ("" if found is None else f" in {found.state_dir}"))
        return
    head = ("key", "node", "contract", "age", "files", "size", "tokens", "cost", "reused")
    rows = [head, *map(_row, shown)]
    print_text("\n".join(table(rows, indent=0, right=(3, 4, 5, 6, 7, 8), width=200)))


def _row(item: StoredResult) -> tuple[str, ...]:
    return (
        item.key[:12],
        safe(item.node),
        safe(item.contract) or "-",
        duration(item.age_s),
        str(item.files),
        size(item.size),
        tokens(item.tokens),
        money_text(item.nano_usd),
        str(item.hits),
    )
