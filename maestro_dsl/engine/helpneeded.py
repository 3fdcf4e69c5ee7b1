"""The ticket about a node that failed for good: what a person has to know to look into it.

Composes text only. Secrets cannot be in it: it repeats what the journal holds, and that is written without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.codec import digest
from maestro_dsl.engine.events import AttemptFinished, TicketOpened
from maestro_dsl.engine.tickets import MAX_TEXT_CHARS, MAX_TITLE_CHARS, ticket_key
from maestro_dsl.money import money_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.engine.job import Desk, Job, Outcome
    from maestro_dsl.engine.state import NodeState
    from maestro_dsl.lang.model import Json

_SHOWN_TRIES: Final = 20
_SHOWN_ISSUES: Final = 10


def open_ticket(
    desk: Desk, job: Job, outcome: Outcome, *, state: NodeState, reason: str, target: Mapping[str, Json]
) -> TicketOpened:
    """Return the event that opens the one ticket of a node."""
    plan, node = desk.index.plan, job.node
    title = f"{plan.id}: {node.address} {state.value.replace('_', ' ')}"
    lines = [reason, "", f"Run {desk.run_id} of plan {plan.id}, node {node.address}."]
    if node.contract_id is not None:
        lines.append(f"Contract {node.contract_id}.")
    if job.persona is not None:
        model = "" if job.model is None else f", model {'/'.join(job.model)}"
        lines.append(f"Persona {job.persona.id}{model}.")
    if node.prompt is not None:
        lines.append(f"Prompt digest {digest(node.prompt)}.")
    lines += [*_tries(job, outcome), *_issues(outcome), ""]
    lines.append(f"Look: maestro show {desk.run_id}; maestro logs {desk.run_id}")
    lines.append(f"Try again: maestro retry {desk.run_id} '{node.address}'")
    return TicketOpened(
        node=node.address,
        key=ticket_key(desk.run_id, node.address),
        title=_cut(title, MAX_TITLE_CHARS),
        text=_cut("\n".join(lines), MAX_TEXT_CHARS),
        target=target,
    )


def _tries(job: Job, outcome: Outcome) -> list[str]:
    tries = [*job.record.tries]
    tries += [body for body in outcome.unwritten if isinstance(body, AttemptFinished)]
    if not tries:
        return []
    lines = ["", f"Attempts ({len(tries)}):"]
    for item in tries[-_SHOWN_TRIES:]:
        cost = f"{item.usage.total:,} tokens, {money_text(item.nano_usd)}"
        message = item.message.partition("\n")[0]
        lines.append(
            f"- round {item.round}, attempt {item.attempt}: {item.failure or 'no failure'}"
            f" ({cost}){': ' + message if message else ''}"
        )
    return lines


def _issues(outcome: Outcome) -> list[str]:
    found = outcome.result.issues[:_SHOWN_ISSUES]
    if not found:
        return []
    lines = ["", "Issues of the last attempt:"]
    for item in found:
        place = "" if item.file is None else f" {item.file}{'' if item.line is None else f':{item.line}'}"
        first = item.message.partition("\n")[0]
        lines.append(f"- {item.severity} {item.check}{place}: {first}")
    return lines


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
