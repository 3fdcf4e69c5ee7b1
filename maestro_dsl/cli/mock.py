"""`maestro mock`: emit or serve mocks of interfaces."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from maestro_dsl.cli.context import Session, print_document, print_text, session
from maestro_dsl.cli.options import PATH, format_option
from maestro_dsl.codec import to_json
from maestro_dsl.errors import UsageError
from maestro_dsl.reporters.text import plural, safe, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from maestro_dsl.app.values import EmitResult, ServedMock
    from maestro_dsl.interfaces.openapi.drift import DriftReport

EMIT_EPILOG = """\b
Examples:
  maestro mock emit api.yaml --output mocks
  maestro mock emit plan.yaml --output build
"""
SERVE_EPILOG = """\b
Examples:
  maestro mock serve api.yaml
  maestro mock serve schema.graphql
  maestro mock serve plan.yaml --port 4010
  maestro mock serve a.yaml b.yaml --one-port --port 4010
  maestro mock serve api.yaml --latency 50-200ms --error-rate 0.1 --log calls.jsonl
  maestro mock serve api.yaml --proxy http://127.0.0.1:8000
"""


@click.group("mock", short_help="Emit or serve mocks.")
def command() -> None:
    """Emit or serve mocks: OpenAPI documents, GraphQL schemas, contracts, or all contracts of a plan."""


@command.command("emit", epilog=EMIT_EPILOG, short_help="Write a server for each interface.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=PATH)
@click.option("--output", type=PATH, required=True, metavar="DIR", help="Where the files go.")
@click.option("--force", is_flag=True, help="Write over files that differ.")
@format_option("text", "json")
@click.pass_context
def emit(
    context: click.Context, *, files: tuple[Path, ...], output: Path, force: bool, output_format: str
) -> None:
    """Write a server (Express for REST, Apollo for GraphQL), the spec and a README for each interface."""
    from maestro_dsl.app import mock_emit

    own = session(context)
    made: EmitResult = mock_emit(files, output=output, environ=own.environ, force=force)
    if not made.files:
        reasons = "; ".join(f"{subject}: {reason}" for subject, reason in made.skipped)
        raise UsageError("there is no mock to emit", hint=reasons or "name a file with an interface")
    if output_format == "json":
        skipped = [{"subject": subject, "reason": reason} for subject, reason in made.skipped]
        document = {"folder": str(made.folder), "files": list(made.files), "skipped": skipped}
        print_document(document)
        return
    print_text(f"{plural(len(made.files), 'file')} written to {safe(str(output))}")
    for name in made.files:
        print_text(f"  {safe(name)}")
    for subject, reason in made.skipped:
        print_text(f"  left out {safe(subject)}: {safe(reason)}")
    own.next(f"maestro mock serve {' '.join(str(file) for file in files)}")


@command.command("serve", epilog=SERVE_EPILOG, short_help="Serve mocks until Ctrl-C.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=PATH)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0 = a free one.")
@click.option("--one-port", is_flag=True, help="All mocks on one port, each below /NAME.")
@click.option("--seed", type=int, default=0, show_default=True, help="Other seed, other sample data.")
@click.option("--dynamic", is_flag=True, help="Make values even where the contract has examples.")
@click.option("--latency", metavar="TIME", help="Wait before each answer: 50ms, or a range 50-200ms.")
@click.option("--error-rate", type=click.FloatRange(0, 1), metavar="0-1", help="Share of requests that fail.")
@click.option(
    "--timeout-rate", type=click.FloatRange(0, 1), metavar="0-1", help="Share of requests left waiting."
)
@click.option(
    "--callback-host",
    "callback_hosts",
    multiple=True,
    metavar="HOST",
    help="Send callbacks there too, not only to this machine; may be repeated.",
)
@click.option(
    "--credential",
    "credentials",
    multiple=True,
    metavar="TEXT",
    help="Take only this key, token or user:password; may be repeated; * takes anything.",
)
@click.option("--log", type=PATH, metavar="FILE", help="Add one JSON line a request to this file.")
@click.option(
    "--proxy", metavar="URL", help="Pass requests on to a real provider and report where it differs; exit 1."
)
@format_option("text", "json")
@click.pass_context
def serve(context: click.Context, /, *, files: tuple[Path, ...], output_format: str, **options: Any) -> int:
    """Serve mocks until Ctrl-C; prints their addresses, then one line a request on standard error."""
    return asyncio.run(_serve(session(context), files, options, output_format))


async def _serve(
    own: Session, files: tuple[Path, ...], options: Mapping[str, Any], output_format: str
) -> int:
    from maestro_dsl.app import mock_serve
    from maestro_dsl.app.serving import Listeners, ServeSettings

    settings = ServeSettings(
        has_one_port=options["one_port"],
        is_dynamic=options["dynamic"],
        **{name: value for name, value in options.items() if name not in {"one_port", "dynamic"}},
    )

    def ready(mocks: tuple[ServedMock, ...]) -> None:
        if output_format == "json":
            print_document({"mocks": [to_json(mock) for mock in mocks]})
            return
        for mock in mocks:
            print_text(f"{safe(mock.name)}: {mock.url}")
            rows = [tuple(operation.split(" ", 1)) for operation in map(safe, mock.operations)]
            print_text("\n".join(table(rows)))
        own.say("Ctrl-C stops")

    def on_call(name: str, call: Mapping[str, object]) -> None:
        line = f"{name}: {call.get('method')} {call.get('path')} {call.get('status')}"
        outside, drift = _listed(call.get("violations")), _listed(call.get("drift"))
        line += f"  outside the contract: {outside}" if outside else ""
        own.say(safe(line + (f"  drift: {drift}" if drift else "")))

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError, ValueError):
            loop.add_signal_handler(number, stop.set)
    listeners = Listeners(ready=ready, on_call=on_call, on_notice=lambda line: own.say(safe(line)))
    reports = await mock_serve(files, settings, listeners, environ=own.environ, stop=stop)
    for report in reports:
        if output_format == "json":
            print_document(to_json(report))
        else:
            print_text(_drift(report))
    return 1 if any(report.drift for report in reports) else 0


def _listed(texts: object) -> str:
    return "; ".join(map(str, texts)) if isinstance(texts, (list, tuple)) else ""


def _drift(report: DriftReport) -> str:
    seen = len(report.operations_seen)
    of = seen + len(report.operations_unseen)
    head = f"{safe(report.name)} at {safe(report.url)}: {plural(len(report.drift), 'difference')}"
    lines = [f"{head} in {plural(report.requests, 'request')}; {seen} of {plural(of, 'operation')} seen"]
    lines += [
        f"  {item.kind}: {safe(item.operation or 'no operation')} {safe(item.message)} "
        f"({plural(item.count, 'time')}, first {item.method} {safe(item.path)})"
        for item in report.drift
    ]
    if report.unanswered:
        lines.append(f"  {plural(report.unanswered, 'request')} got no answer")
    if report.lenient:
        lines.append(f"  {plural(report.lenient, 'bad request')} taken all the same")
    return "\n".join(lines)
