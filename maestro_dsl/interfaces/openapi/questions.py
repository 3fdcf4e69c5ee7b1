"""Questions whose answer shows that a provider looks at more than the body: pages, filters, who asks.

Each is asked where the description promises something to be held: a parameter that pages or filters a list, a
requirement of credentials, a parameter that must be there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.interfaces.openapi import shapes
from maestro_dsl.interfaces.openapi.entities import Entities, Entity, items_of
from maestro_dsl.interfaces.openapi.probe import NoBody, Sent, label
from maestro_dsl.interfaces.openapi.validate import errors
from maestro_dsl.interfaces.openapi.variants import broken

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from maestro_dsl.interfaces.openapi.model import Operation, Parameter, Schema
    from maestro_dsl.interfaces.openapi.resources import Resource
    from maestro_dsl.lang.model import Json

REFUSALS: Final = ("400", "422", "4XX")
_LIMITS: Final = frozenset({"limit", "per_page", "perPage", "page_size", "pageSize", "top", "$top"})
_OFFSETS: Final = frozenset({"offset", "skip", "$skip"})
_FAR: Final = 100_000
_NOBODY: Final = "maestro-nobody"
_CLIENT_ERROR: Final = 4
_UNTOLD: Final = frozenset({"OPTIONS", "HEAD", "TRACE"})
_REFUSED: Final = frozenset({401, 403})
_DATED: Final = frozenset({"date", "date-time", "time"})


async def ask_list(entities: Entities, resource: Resource, known: Entity) -> None:
    """Ask the resource's list for one page and for items with one value; two items exist at least."""
    operation = resource.list
    if operation is None or resource.create is None or label(operation) in entities.probe.sheet.missing:
        return
    owned = shapes.properties(entities.probe.api, resource.schema)
    for parameter in operation.parameters_in("query"):
        if parameter.name in _LIMITS and parameter.name not in owned and _allows(entities, parameter, 1):
            await _page(entities, resource, known, parameter, 1, most=1)
        elif parameter.name in _OFFSETS and _allows(entities, parameter, _FAR):
            await _page(entities, resource, known, parameter, _FAR, most=0)
        elif parameter.name in owned:
            for value in _filter_values(entities, parameter, owned[parameter.name], known):
                await _filter(entities, resource, known, parameter, value)


def _allows(entities: Entities, parameter: Parameter, value: Json) -> bool:
    return not errors(entities.probe.api, parameter.schema, value, "request")


async def _asked(
    entities: Entities, resource: Resource, known: Entity, query: Mapping[str, Json]
) -> list[dict[str, Json]] | None:
    """Return the items that the list shows; None where it did not answer as a list."""
    if resource.list is None:
        return None
    sent = await entities.probe.send(resource.list, known.values, query=query)
    if sent is None or not sent.ok or not entities.probe.judge(sent):
        return None
    return items_of(resource, sent.data)


async def _page(
    entities: Entities, resource: Resource, known: Entity, parameter: Parameter, value: int, *, most: int
) -> None:
    items = await _asked(entities, resource, known, {parameter.name: value})
    if items is not None and resource.list is not None:
        text = f"{label(resource.list)} answers {len(items)} items to {parameter.name}={value}"
        entities.probe.sheet.check("query", len(items) <= most, text, operation=resource.list.id)


def _filter_values(entities: Entities, parameter: Parameter, owned: Schema, known: Entity) -> Iterator[Json]:
    """Yield a value that an item has, and one that none should have, where the parameter allows them."""
    api = entities.probe.api
    kind = shapes.type_of(api, owned)
    if kind not in {"string", "integer", "boolean"} or shapes.keyword(api, owned, "format") in _DATED:
        return
    if shapes.type_of(api, parameter.schema) != kind:
        return
    had = known.shown.get(parameter.name, known.sent.get(parameter.name))
    options: list[Json] = [] if had is None else [had]
    choices = shapes.keyword(api, owned, "enum")
    if isinstance(choices, list):
        options += [choice for choice in choices if choice != had][:1]
    elif kind == "boolean":
        options = [True, False]
    else:
        options += [_NOBODY] if kind == "string" else [987_654_321]
    yield from (option for option in options if _allows(entities, parameter, option))


async def _filter(
    entities: Entities, resource: Resource, known: Entity, parameter: Parameter, value: Json
) -> None:
    items = await _asked(entities, resource, known, {parameter.name: value})
    if items is None or resource.list is None:
        return
    wrong = [item[parameter.name] for item in items if not _is_like(item.get(parameter.name), value)]
    text = (
        f"{label(resource.list)} answers an item whose {parameter.name} is {wrong[:1]} to "
        f"{parameter.name}={value}"
    )
    entities.probe.sheet.check("query", not wrong, text, operation=resource.list.id)


def _is_like(held: Any, wanted: Json) -> bool:
    """Return whether an item may be in the answer: equal, or a text in which the wanted one stands."""
    if held is None or isinstance(held, (dict, list)):
        return True
    return str(wanted).lower() in str(held).lower()


async def ask_as_stranger(entities: Entities, operation: Operation) -> None:
    """Repeat a request that worked without credentials, where the operation wants some."""
    probe = entities.probe
    needed = [option.schemes for option in operation.security]
    is_open = not needed or any(not schemes for schemes in needed)
    if is_open or operation.id not in probe.good or operation.method in _UNTOLD:
        return
    if any(scheme.kind == "mutualTLS" for schemes in needed for scheme in schemes):
        return
    sent = await _again(entities, operation, is_stranger=True)
    if sent is None:
        return
    if sent.ok:
        text = f"{label(operation)} answers {sent.answer.status} without credentials"
        probe.sheet.check("security", False, text, operation=operation.id)
    elif sent.answer.status in _REFUSED:
        probe.sheet.check("security", True, "", operation=operation.id)


async def ask_incompletely(entities: Entities, operation: Operation) -> None:
    """Repeat a request that worked without one parameter that must be there, where refusals are declared."""
    probe = entities.probe
    if operation.id not in probe.good or not any(key in operation.responses for key in REFUSALS):
        return
    for parameter in operation.parameters_in("query"):
        if parameter.required and not parameter.allow_empty:
            sent = await _again(entities, operation, without=parameter.name)
            if sent is not None:
                refused(entities, sent, f"a request without the query parameter {parameter.name}")


async def _again(
    entities: Entities, operation: Operation, *, is_stranger: bool = False, without: str | None = None
) -> Sent | None:
    body = await entities.body(operation)
    if operation.body is not None and operation.body.required and isinstance(body, NoBody):
        return None
    values, _ = await entities.path_values(operation.path)
    return await entities.probe.send(operation, values, body=body, is_stranger=is_stranger, without=without)


async def ask_wrongly(
    entities: Entities, operation: Operation, values: Mapping[str, Json], body: Json | NoBody
) -> None:
    """Send bodies that the schema forbids, where the operation declares how it refuses them."""
    media = operation.body.json if operation.body is not None else None
    if media is None or media.schema is None or not any(key in operation.responses for key in REFUSALS):
        return
    api = entities.probe.api
    if isinstance(body, dict):
        wrong: list[tuple[str, Json]] = [(item.what, item.body) for item in broken(api, media.schema, body)]
    elif isinstance(body, list) and body and isinstance(body[0], dict):
        inner = shapes.items(api, media.schema)
        found = broken(api, True if inner is None else inner, body[0])
        wrong = [(f"with a first item {item.what}", [item.body, *body[1:]]) for item in found]
    elif isinstance(body, (str, int, float)):
        others: tuple[Json, ...] = ({"not": "this"}, "maestro-no-such-value")
        wrong = [(f"that is {other!r}", other) for other in others]
    else:
        return
    for what, data in wrong:
        if errors(api, media.schema, data, "request"):
            sent = await entities.probe.send(operation, values, body=data)
            if sent is not None:
                refused(entities, sent, f"a body {what}")


def refused(entities: Entities, sent: Sent, what: str) -> None:
    """Count whether a request that must be refused was refused, and as declared."""
    operation, status = sent.operation, sent.answer.status
    text = f"{label(operation)} answers {status} to {what}"
    good = status // 100 == _CLIENT_ERROR
    if entities.probe.sheet.check("errors", good, text, operation=operation.id):
        entities.probe.judge(sent)
