"""`maestro verify`: a service against its contract."""

from __future__ import annotations

import asyncio
import shlex
import sys
from typing import TYPE_CHECKING, Any

import click

from maestro_dsl.cli.context import print_document, print_text, session
from maestro_dsl.cli.options import PATH, format_option
from maestro_dsl.codec import to_json
from maestro_dsl.errors import UsageError
from maestro_dsl.reporters.text import Style, safe

if TYPE_CHECKING:
    from pathlib import Path

    from maestro_dsl.app.values import VerifyResult

EPILOG = """\b
Examples:
  maestro verify contracts/backend_api.contract.yaml --url http://127.0.0.1:8000
  maestro verify api.yaml --start "python server.py" --cwd build/backend_developer
  maestro verify api.yaml --url http://127.0.0.1:8000 --layers static,replay,property --max-time 120
"""


@click.command("verify", epilog=EPILOG, short_help="Check a service against its contract.")
@click.argument("contract", metavar="CONTRACT", type=PATH)
@click.option("--url", metavar="URL", help="A service that runs already.")
@click.option("--start", metavar="COMMAND", help="Start this; it gets HOST and PORT in its environment.")
@click.option("--cwd", type=PATH, metavar="DIR", help="Folder to start in.")
@click.option("--seed", type=int, default=0, show_default=True, help="Other seed, other requests.")
@click.option(
    "--max-time", type=click.FloatRange(min=1), default=60, show_default=True, metavar="S", help="Seconds."
)
@click.option(
    "--layers",
    default="static,replay",
    show_default=True,
    metavar="LIST",
    help="Some of static, replay, property (needs Schemathesis).",
)
@format_option("text", "json")
@click.pass_context
def command(
    context: click.Context,
    /,
    *,
    contract: Path,
    url: str | None,
    start: str | None,
    output_format: str,
    **options: Any,
) -> int:
    """Check a service against CONTRACT (a contract, OpenAPI or GraphQL file); exit 1 where it is not met."""
    if (url is None) == (start is None):
        raise UsageError(
            "say either where the service is or how it starts", hint="--url URL or --start COMMAND"
        )
    wanted = _layers(options["layers"])
    from maestro_dsl.app import verify

    own = session(context)
    result: VerifyResult = asyncio.run(
        verify(
            contract,
            url=url,
            start=None if start is None else _words(start),
            cwd=options["cwd"],
            seed=options["seed"],
            max_time_s=options["max_time"],
            environ=own.environ,
            layers=wanted,
        )
    )
    if output_format == "json":
        document = {"subject": result.subject, "url": result.url, **to_json(result.verdict)}
        print_document(document)
    else:
        print_text(_text(result, own.style(sys.stdout)))
    return 0 if result.verdict.fulfilled else 1


def _layers(text: str) -> tuple[str, ...]:
    from maestro_dsl.app.verification import LAYERS

    words = tuple(word.strip() for word in text.split(",") if word.strip())
    strange = [word for word in words if word not in LAYERS]
    if strange or not words:
        named = f'"{strange[0]}" is no layer' if strange else "--layers names none"
        raise UsageError(named, hint=f"some of {', '.join(LAYERS)}, with commas between")
    return words


def _indented(message: str) -> str:
    return safe(message, multiline=True).replace("\n", "\n    ")


def _words(command_line: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(command_line))
    except ValueError as error:
        raise UsageError(f"--start cannot be split into words: {error}") from None


def _text(result: VerifyResult, style: Style) -> str:
    verdict = result.verdict
    colour = "green" if verdict.fulfilled else "red"
    words = style(colour, verdict.verdict.replace("_", " "))
    lines = [f"{safe(result.subject)} at {safe(result.url)}: {words}, score {verdict.score:.2f}"]
    lines += [f"  {safe(name)}: {value:.2f}" for name, value in verdict.parts.items()]
    if verdict.missing:
        lines += ["missing", *(f"  {safe(item)}" for item in verdict.missing)]
    if verdict.issues:
        lines.append("issues")
    for issue in verdict.issues:
        operation = f"{safe(issue.operation)}: " if issue.operation else ""
        lines.append(f"  {issue.severity}: {operation}{_indented(issue.message)}")
    if verdict.recommendations:
        lines += ["recommended", *(f"  {safe(item)}" for item in verdict.recommendations)]
    return "\n".join(lines)
