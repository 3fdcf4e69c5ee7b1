"""`maestro explain`: what a key of the language means."""

from __future__ import annotations

import sys
from typing import Any

import click

from maestro_dsl.cli.context import print_document, print_text, session
from maestro_dsl.cli.options import format_option
from maestro_dsl.codec import to_json

EPILOG = """\b
Examples:
  maestro explain
  maestro explain plan
  maestro explain plan.policies.retry
  maestro explain timeout --format json
"""


@click.command("explain", epilog=EPILOG, short_help="Explain a key of the language.")
@click.argument("path", metavar="[PATH]", required=False)
@format_option("text", "json")
@click.pass_context
def command(context: click.Context, *, path: str | None, output_format: str) -> None:
    """Say what the key at PATH means, such as plan.policies.retry; without one, list the kinds of document.

    A key without its place is looked for everywhere. Names that you choose stand for any: plan.team.NAME.use.
    """
    from maestro_dsl.lang.explain import explain, overview
    from maestro_dsl.reporters import explain as reporter

    found = explain(path) if path is not None else overview()
    if output_format == "json":
        items: list[Any] = [to_json(item) for item in found]
        print_document({"keys": items})
        return
    own = session(context)
    style = own.style(sys.stdout)
    if path is None:
        print_text(reporter.kinds(found, style))
        own.next("maestro explain plan")
        return
    print_text("\n".join(reporter.page(item, style) for item in found))
    inner = next((f"{item.path}.{item.keys[0].path}" for item in found if item.keys), None)
    own.next(f"maestro explain {inner.partition(' ')[0]}" if inner is not None else "maestro lint")
