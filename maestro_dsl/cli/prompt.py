"""`maestro prompt`: the messages of one node, before anything is sent."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from maestro_dsl.cli.compiled import compiled
from maestro_dsl.cli.context import print_document, print_text, session
from maestro_dsl.cli.options import format_option, plan_argument
from maestro_dsl.codec import to_json
from maestro_dsl.errors import UsageError
from maestro_dsl.reporters.text import safe

if TYPE_CHECKING:
    from pathlib import Path

    from maestro_dsl.compiler.plan import CompiledPlan, PlanNode

EPILOG = """\b
Examples:
  maestro prompt plan.yaml 'build[backend_api]'
  maestro prompt plan.yaml 'build[web_app]' --format json
"""


@click.command("prompt", epilog=EPILOG, short_help="Print a node's messages.")
@plan_argument
@click.argument("address", metavar="NODE")
@format_option("text", "json")
@click.pass_context
def command(context: click.Context, *, plan_file: Path, address: str, output_format: str) -> None:
    """Print the exact messages that NODE of FILE would send on its first attempt."""
    plan = compiled(plan_file, session(context))
    node = _find(plan, address)
    prompt = node.prompt
    if prompt is None:
        raise UsageError(
            f'"{node.address}" is a {node.action} node and sends no messages',
            hint=f"nodes that do: {_speaking(plan)}",
        )
    persona = plan.persona(node.persona_id) if node.persona_id else None
    if output_format == "json":
        print_document(
            {
                "node": node.address,
                "persona": node.persona_id,
                "model": None if persona is None else to_json(persona.model),
                "settings": None if persona is None else to_json(persona.settings),
                "messages": [
                    {"role": "system", "text": prompt.system},
                    {"role": "user", "text": prompt.user},
                ],
            }
        )
        return
    print_text(
        f"--- system\n{safe(prompt.system, multiline=True)}\n--- user\n{safe(prompt.user, multiline=True)}"
    )


def _find(plan: CompiledPlan, address: str) -> PlanNode:
    known = {node.address: node for node in plan.nodes}
    if address in known:
        return known[address]
    near = get_close_matches(address, known, n=1, cutoff=0.5)
    guess = f' - did you mean "{near[0]}"?' if near else ""
    raise UsageError(f'the plan has no node "{safe(address)}"{guess}', hint=f"nodes: {', '.join(known)}")


def _speaking(plan: CompiledPlan) -> str:
    return ", ".join(node.address for node in plan.nodes if node.prompt is not None) or "none"
