"""`maestro mock`: emit or serve mocks of interfaces."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from maestro_dsl.cli.context import Session, print_json, print_text, session
from maestro_dsl.cli.options import PATH, format_option
from maestro_dsl.codec import to_json
from maestro_dsl.errors import UsageError
from maestro_dsl.reporters.text import FORMAT_VERSION, plural, safe, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from maestro_dsl.app.values import EmitResult, ServedMock

EMIT_EPILOG = """\b
Examples:
  maestro mock emit api.yaml --output mocks
  maestro mock emit plan.yaml --output build
"""
SERVE_EPILOG = """\b
Examples:
  maestro mock serve api.yaml
  maestro mock serve plan.yaml --port 4010
  maestro mock serve a.yaml b.yaml --port 0 --format json
"""


@click.group("mock", short_help="Emit or serve mocks.")
def command() -> None:
    """Emit or serve mocks of interfaces: OpenAPI documents, contracts, or all contracts of a plan."""


@command.command("emit", epilog=EMIT_EPILOG)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=PATH)
@click.option("--output", type=PATH, required=True, metavar="DIR", help="Where the files go.")
@click.option("--force", is_flag=True, help="Write over files that differ.")
@format_option("text", "json")
@click.pass_context
def emit(
    context: click.Context, *, files: tuple[Path, ...], output: Path, force: bool, output_format: str
) -> None:
    """Write an Express server, the spec and a README for each interface."""
    from maestro_dsl.app import mock_emit

    own = session(context)
    made: EmitResult = mock_emit(files, output=output, environ=own.environ, force=force)
    if not made.files:
        reasons = "; ".join(f"{subject}: {reason}" for subject, reason in made.skipped)
        raise UsageError("there is no mock to emit", hint=reasons or "name a file with an interface")
    if output_format == "json":
        skipped = [{"subject": subject, "reason": reason} for subject, reason in made.skipped]
        document = {"folder": str(made.folder), "files": list(made.files), "skipped": skipped}
        print_json({"format_version": FORMAT_VERSION, **document})
        return
    print_text(f"{plural(len(made.files), 'file')} written to {safe(str(output))}")
    for name in made.files:
        print_text(f"  {safe(name)}")
    for subject, reason in made.skipped:
        print_text(f"  left out {safe(subject)}: {safe(reason)}")
    own.next(f"maestro mock serve {' '.join(str(file) for file in files)}")


@command.command("serve", epilog=SERVE_EPILOG)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=PATH)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0 = a free one.")
@click.option("--seed", type=int, default=0, show_default=True, help="Other seed, other sample data.")
@format_option("text", "json")
@click.pass_context
def serve(
    context: click.Context, *, files: tuple[Path, ...], host: str, port: int, seed: int, output_format: str
) -> None:
    """Serve mocks until Ctrl-C; prints their addresses, then one line a request on standard error."""
    asyncio.run(_serve(session(context), files, host=host, port=port, seed=seed, output_format=output_format))


async def _serve(
    own: Session, files: tuple[Path, ...], *, host: str, port: int, seed: int, output_format: str
) -> None:
    from maestro_dsl.app import mock_serve

    def ready(mocks: tuple[ServedMock, ...]) -> None:
        if output_format == "json":
            print_json({"format_version": FORMAT_VERSION, "mocks": [to_json(mock) for mock in mocks]})
            return
        for mock in mocks:
            print_text(f"{safe(mock.name)}: {mock.url}")
            rows = [tuple(operation.split(" ", 1)) for operation in map(safe, mock.operations)]
            print_text("\n".join(table(rows)))
        own.say("Ctrl-C stops")

    def on_call(name: str, call: Mapping[str, object]) -> None:
        faults = call.get("violations")
        listed = "; ".join(map(str, faults)) if isinstance(faults, (list, tuple)) else ""
        line = f"{name}: {call.get('method')} {call.get('path')} {call.get('status')}"
        own.say(safe(f"{line}  outside the contract: {listed}" if listed else line))

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError, ValueError):
            loop.add_signal_handler(number, stop.set)
    await mock_serve(
        files, host=host, port=port, seed=seed, environ=own.environ, ready=ready, on_call=on_call, stop=stop
    )
