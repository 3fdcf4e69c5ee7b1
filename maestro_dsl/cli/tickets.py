"""`maestro tickets`: what asks people for help, and whether it has reached them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from maestro_dsl.cli.context import Session, print_document, print_text, session
from maestro_dsl.cli.options import format_option, state_dir_option
from maestro_dsl.codec import to_json
from maestro_dsl.reporters.text import cut, plural, safe, table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from maestro_dsl.app.values import TicketList
    from maestro_dsl.engine.tickets import Ticket

EPILOG = """\b
Examples:
  maestro tickets
  maestro tickets list --pending
"""
SHOW_EPILOG = """\b
Examples:
  maestro tickets show 3f9a01
"""
DELIVER_EPILOG = """\b
Examples:
  maestro tickets deliver
  maestro tickets deliver 3f9a01
"""
DROP_EPILOG = """\b
Examples:
  maestro tickets drop 3f9a01
"""
_WAITING = frozenset({"pending", "sending"})


@click.group("tickets", epilog=EPILOG, short_help="List and deliver tickets.", invoke_without_command=True)
@click.option("--pending", is_flag=True, help="List only those that have not arrived.")
@state_dir_option
@format_option("text", "json")
@click.pass_context
def command(
    context: click.Context, *, pending: bool, state_dir: Path | None, output_format: str
) -> int | None:
    """List, show, deliver and drop the tickets that runs made for nodes that failed for good.

    Where they go is stated below `tickets` in maestro.yaml. Without a command: list.
    """
    if context.invoked_subcommand is None:
        code: int = context.invoke(
            list_command, pending=pending, state_dir=state_dir, output_format=output_format
        )
        return code
    stated = {"pending": pending, "state_dir": state_dir, "output_format": output_format}
    context.default_map = {context.invoked_subcommand: stated}  # what stands before a command holds for it
    return None


@command.command("list", epilog=EPILOG)
@click.option("--pending", is_flag=True, help="Only those that have not arrived.")
@state_dir_option
@format_option("text", "json")
@click.pass_context
def list_command(context: click.Context, *, pending: bool, state_dir: Path | None, output_format: str) -> int:
    """List tickets, oldest first, with where they are or why they wait."""
    from maestro_dsl.app import list_tickets

    own = session(context)
    found: TicketList = list_tickets(environ=own.environ, state_dir=state_dir)
    shown = [item for item in found.tickets if not pending or item.status.value in _WAITING]
    if output_format == "json":
        document = {"state_dir": str(found.state_dir), "tickets": [_json(item) for item in shown]}
        print_document(document)
        return 0
    if found.tickets and not shown:
        own.say(f"nothing waits; {plural(len(found.tickets), 'ticket')} arrived or given up")
        own.next("maestro tickets")
        return 0
    if not shown:
        own.say(f"no tickets in {found.state_dir}; maestro.yaml states below `tickets` where they go")
        own.next("maestro runs")
        return 0
    print_text("\n".join(_table(shown)))
    waits = any(item.status.value in _WAITING for item in shown)
    own.next("maestro tickets deliver" if waits else f"maestro tickets show {shown[-1].key}")
    return 0


@command.command("show", epilog=SHOW_EPILOG)
@click.argument("key", metavar="TICKET")
@state_dir_option
@format_option("text", "json")
@click.pass_context
def show(context: click.Context, *, key: str, state_dir: Path | None, output_format: str) -> int:
    """Show the whole text of TICKET (its key or the beginning of it)."""
    from maestro_dsl.app import show_ticket

    own = session(context)
    ticket: Ticket = show_ticket(key, environ=own.environ, state_dir=state_dir)
    if output_format == "json":
        print_document({"ticket": _json(ticket)})
        return 0
    print_text(
        f"{ticket.key}  {_where(ticket)}\n\n{safe(ticket.title)}\n\n{safe(ticket.text, multiline=True)}"
    )
    own.next(
        f"maestro tickets deliver {ticket.key}" if ticket.status.value in _WAITING else "maestro tickets"
    )
    return 0


@command.command("deliver", epilog=DELIVER_EPILOG, short_help="Deliver now what waits.")
@click.argument("keys", metavar="[TICKET]...", nargs=-1)
@state_dir_option
@format_option("text", "json")
@click.pass_context
def deliver(
    context: click.Context, *, keys: tuple[str, ...], state_dir: Path | None, output_format: str
) -> int:
    """Deliver now what waits (all of it where no TICKET is named); exit 1 where something still waits."""
    from maestro_dsl.app import deliver_tickets

    own = session(context)
    found: TicketList = deliver_tickets(keys, environ=own.environ, state_dir=state_dir)
    left = [item for item in found.tickets if item.status.value in _WAITING]
    if output_format == "json":
        print_document({"tickets": [_json(item) for item in found.tickets]})
    else:
        _say_delivered(own, found.tickets, len(left))
    return 1 if left else 0


def _say_delivered(own: Session, tickets: Sequence[Ticket], left: int) -> None:
    if tickets:
        print_text("\n".join(_table(tickets)))
    else:
        own.say("nothing waits")
    own.next("maestro tickets list --pending" if left else "maestro tickets")


@command.command("drop", epilog=DROP_EPILOG)
@click.argument("key", metavar="TICKET")
@state_dir_option
@format_option("text", "json")
@click.pass_context
def drop(context: click.Context, *, key: str, state_dir: Path | None, output_format: str) -> int:
    """Give up TICKET, which waits; it is kept in the list as dropped."""
    from maestro_dsl.app import drop_ticket

    own = session(context)
    ticket: Ticket = drop_ticket(key, environ=own.environ, state_dir=state_dir)
    if output_format == "json":
        print_document({"ticket": _json(ticket)})
        return 0
    print_text(f"{ticket.key}  {_where(ticket)}")
    own.next("maestro tickets")
    return 0


def _table(tickets: Sequence[Ticket]) -> list[str]:
    rows = [("ticket", "run", "node", "made", "state")]
    for item in tickets:
        made = time.strftime("%Y-%m-%d %H:%M", time.localtime(item.made_at))
        rows.append((item.key[:12], item.run_id[:13], safe(item.node), made, _where(item)))
    return table(rows, indent=0, width=200)


def _where(ticket: Ticket) -> str:
    state = ticket.status.value
    if ticket.reference:
        return safe(f"{state}: {ticket.reference} {ticket.url}".strip())
    tried = f" after {ticket.tries} tries" if ticket.tries > 1 else ""
    return f"{state}{tried}: {cut(safe(ticket.error), 90)}" if ticket.error else state


def _json(ticket: Ticket) -> dict[str, Any]:
    data: dict[str, Any] = to_json(ticket)
    return data
