"""`maestro rule`: what a rule finds, why it matters, an example with its output, and the better way."""

from __future__ import annotations

from typing import Any

import click

from maestro_dsl.cli.context import print_document, print_text, session
from maestro_dsl.cli.options import format_option
from maestro_dsl.codec import to_json
from maestro_dsl.errors import UsageError
from maestro_dsl.reporters.text import safe, table

EPILOG = """\b
Examples:
  maestro rule
  maestro rule RUN001
  maestro rule unknown-key
  maestro rule --all --format json
"""


@click.command("rule", epilog=EPILOG, short_help="Explain a rule of lint.")
@click.argument("wanted", metavar="[CODE|NAME]", required=False)
@click.option("--all", "every", is_flag=True, help="Every page, one after the other.")
@format_option("text", "json")
@click.pass_context
def command(context: click.Context, *, wanted: str | None, every: bool, output_format: str) -> None:
    """Explain one rule by its code or name; without one, list them all."""
    from maestro_dsl.app.rulebook import all_rules, find_rule

    if wanted is not None and every:
        raise UsageError("a rule and --all exclude each other", hint="leave one of them out")
    rules = (find_rule(wanted),) if wanted is not None else all_rules()
    if output_format == "json":
        items: list[Any] = [to_json(rule) for rule in rules]
        print_document({"rules": items})
        return
    own = session(context)
    if wanted is None and not every:
        rows = [(rule.code, rule.name, rule.severity, _short_fix(rule.fix), rule.summary) for rule in rules]
        print_text("\n".join(table(rows, indent=0)))
        own.next(f"maestro rule {rules[0].code}")
        return
    print_text("\n\n".join(safe(rule.page.rstrip("\n"), multiline=True) for rule in rules))
    own.next("maestro lint")


def _short_fix(fix: str) -> str:
    return {"safe": "--fix", "needs a look": "--unsafe-fixes"}.get(fix, "")
