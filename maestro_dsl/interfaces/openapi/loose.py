"""Operations that belong to no resource: each is called once with good values, as far as known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.interfaces.openapi.entities import Entities, expect_success
from maestro_dsl.interfaces.openapi.identities import can_be_asked
from maestro_dsl.interfaces.openapi.probe import NOT_FOUND, NoBody, Sent, declared, label, value_of
from maestro_dsl.interfaces.openapi.questions import ask_wrongly

if TYPE_CHECKING:
    from maestro_dsl.interfaces.openapi.model import Operation

_UNTESTED = frozenset({"OPTIONS", "HEAD", "TRACE"})


async def call_loose(entities: Entities, operation: Operation) -> None:
    """Call an operation that no journey has called; what it answers is counted."""
    probe = entities.probe
    if operation.id in probe.good or label(operation) in probe.sheet.missing or operation.method in _UNTESTED:
        return
    if "#" in operation.path:
        probe.sheet.note(f"{label(operation)} could not be told from the path without its fragment")
        return
    body = await entities.body(operation)
    if operation.body is not None and operation.body.required and isinstance(body, NoBody):
        probe.sheet.note(f"{label(operation)} could not be called: no body of its kind can be made")
        return
    values, certain = await entities.path_values(operation.path)
    for parameter in operation.parameters_in("path"):  # operations of one path may describe it differently
        if not can_be_asked(probe.api, parameter, values.get(parameter.name)):
            values[parameter.name] = value_of(probe.api, parameter, probe.seed)
            certain = False
    sent = await probe.send(operation, values, body=body)
    if sent is None:
        return
    if sent.answer.status == NOT_FOUND and await _says_unknown_item(entities, sent, certain=certain):
        probe.judge(sent)
        probe.sheet.note(
            f"{label(operation)} could not be judged: no item for its path is known", operation=operation.id
        )
        probe.sheet.recommend(f"give an example of an existing item for {label(operation)}")
        return
    if await expect_success(probe, sent, certain=certain):
        await ask_wrongly(entities, operation, values, body)


async def _says_unknown_item(entities: Entities, sent: Sent, *, certain: bool) -> bool:
    """Return whether a 404 speaks of an item (declared, not the answer to an unknown path)."""
    if declared(sent.operation, NOT_FOUND) is None:
        return False
    named = "{" in sent.operation.path or sent.operation.body is not None
    return named and not (certain and await entities.probe.is_unknown_route(sent))
