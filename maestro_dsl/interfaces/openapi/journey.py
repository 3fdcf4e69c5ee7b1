"""The life of one item of a resource: create, read, list, replace, patch, delete, and bad requests.

Each step is judged by itself (see `probe`) and against the steps before it: what was sent must be there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from maestro_dsl.interfaces.openapi import shapes
from maestro_dsl.interfaces.openapi.entities import (
    Entities,
    Entity,
    expect_success,
    items_of,
    unknown_id,
)
from maestro_dsl.interfaces.openapi.probe import NOT_FOUND, NOT_IMPLEMENTED, Prober, declared, label
from maestro_dsl.interfaces.openapi.questions import ask_list, ask_wrongly, refused
from maestro_dsl.interfaces.openapi.resources import Resource
from maestro_dsl.interfaces.openapi.variants import changed, kept, same

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.interfaces.openapi.model import Operation
    from maestro_dsl.lang.model import Json

_GONE = frozenset({404, 410})
_PAGE_SIZES = ("limit", "per_page", "perPage", "page_size", "pageSize", "size", "first", "top")


@dataclass(slots=True)
class Journey:
    """Walks through one resource; everything it finds is counted on the probe's sheet."""

    entities: Entities
    resource: Resource

    @property
    def probe(self) -> Prober:
        """The way to the provider."""
        return self.entities.probe

    async def walk(self) -> None:
        """Make every step that the resource has operations for."""
        resource = self.resource
        maker = resource.create or (resource.replace if resource.is_upserted else None)
        if maker is None:
            await self._look_only()
            return
        make = self.entities.put if resource.create is None else self.entities.create
        first, second = await make(resource), await make(resource)
        if first is None or second is None:
            return
        self._shows(maker, first, first.shown, first.sent, "does not answer with")
        same_id = f"gives two items the same id {first.identity}"
        self._state(maker, first.identity != second.identity, same_id)
        await self._read(first, first.sent)
        await self._listed(first, present=True)
        await self._listed(second, present=True)
        await ask_list(self.entities, resource, first)
        await ask_wrongly(self.entities, maker, first.values, dict(first.sent))
        first = await self._update(resource.replace, first, whole=True)
        first = await self._update(resource.patch, first, whole=False)
        await self._unknown(first)
        await self._delete(first, second)

    async def _look_only(self) -> None:
        entity = await self.entities.alive(self.resource)
        if entity is not None and self.resource.read is not None:
            await self._read(entity, {})

    async def _read(self, entity: Entity, expected: Mapping[str, Json]) -> None:
        operation = self.resource.read
        if operation is None:
            return
        sent = await self.probe.send(operation, entity.values)
        if not await expect_success(self.probe, sent) or sent is None:
            return
        self._same_id(operation, entity, sent.data)
        self._shows(operation, entity, sent.data, expected, "lost")

    def _same_id(self, operation: Operation, entity: Entity, data: Any) -> None:
        name = self.resource.id_property
        if name is not None and isinstance(data, dict) and name in data:
            good = str(data[name]) == str(entity.identity)
            self._state(operation, good, f"answers {name} {data[name]} for the item {entity.identity}")

    def _shows(
        self, operation: Operation, entity: Entity, data: Any, expected: Mapping[str, Json], verb: str
    ) -> None:
        """Check that an answer shows every expected value that its schema has a place for."""
        response = operation.success
        if not isinstance(data, dict) or response is None or response.json is None:
            return
        for name in sorted(kept(self.probe.api, response.json.schema, expected)):
            wanted, got = expected[name], data.get(name)
            text = f'{verb} "{name}" of item {entity.identity}: sent {wanted!r}, got {got!r}'
            self._state(operation, same(wanted, got), text)

    def _state(self, operation: Operation, passed: bool, text: str) -> None:
        message = f"{label(operation)} {text}"
        self.probe.sheet.check("state", passed, message, operation=operation.id)

    async def _listed(self, entity: Entity, *, present: bool) -> None:
        operation, name = self.resource.list, self.resource.id_property
        if operation is None or name is None or label(operation) in self.probe.sheet.missing:
            return
        size = next((item for item in operation.parameters_in("query") if item.name in _PAGE_SIZES), None)
        largest = None if size is None else shapes.keyword(self.probe.api, size.schema, "maximum") or 100
        query: dict[str, Json] = {} if size is None else {size.name: largest}
        sent = await self.probe.send(operation, entity.values, query=query)
        if not await expect_success(self.probe, sent) or sent is None:
            return
        if any(item.required for item in operation.parameters_in("query")):
            return  # what must be asked for may leave the item out
        items = items_of(self.resource, sent.data)
        found = any(str(item.get(name)) == str(entity.identity) for item in items)
        if not found and present and isinstance(largest, int) and len(items) >= largest:
            self.probe.sheet.note(f"{label(operation)}: the new item may be on another page")
            return
        verb = "does not list" if present else "still lists the deleted"
        self._state(operation, found == present, f"{verb} item {entity.identity}")

    async def _update(self, operation: Operation | None, entity: Entity, *, whole: bool) -> Entity:
        media = operation.body.json if operation is not None and operation.body is not None else None
        if operation is None or media is None or media.schema is None:
            return entity
        api, schema = self.probe.api, media.schema
        known = shapes.properties(api, schema)
        base = await self.entities.body(operation, self.resource.schema) if whole else {}
        if not isinstance(base, dict):
            return entity
        body = {**base, **{name: value for name, value in entity.sent.items() if name in known}}
        changes = changed(api, schema, body, shown=self.resource.schema, turn=7)
        own = {self.resource.id_property, *self.resource.parents.values()}
        changes = {
            name: value
            for name, value in changes.items()
            if name not in own and self.entities.referred(name) is None  # identities stay what they are
        }
        body = {**body, **changes} if whole else changes
        if not body:
            return entity
        sent = await self.probe.send(operation, entity.values, body=body)
        if not await expect_success(self.probe, sent) or sent is None:
            return entity
        self._same_id(operation, entity, sent.data)
        self._shows(operation, entity, sent.data, body, "does not answer with the new")
        # a whole replacement may reset what it does not name; a patch may not
        after = replace(entity, sent=body if whole else {**entity.sent, **body})
        await self._kept_update(operation, after, body)
        await ask_wrongly(self.entities, operation, entity.values, body)
        return after

    async def _kept_update(self, operation: Operation, entity: Entity, body: Mapping[str, Json]) -> None:
        """Read again: the change must be there, and blamed on the update where it is not."""
        read = self.resource.read
        if read is None or label(read) in self.probe.sheet.missing:
            return
        sent = await self.probe.send(read, entity.values)
        if sent is None or not sent.ok:
            text = f"makes item {entity.identity} unreadable"
            self._state(operation, False, text)
            return
        self.probe.judge(sent)
        response = read.success
        if not isinstance(sent.data, dict) or response is None or response.json is None:
            return
        for name in sorted(kept(self.probe.api, response.json.schema, entity.sent)):
            verb = "does not keep" if name in body else "changes, without being asked,"
            wanted, got = entity.sent[name], sent.data.get(name)
            text = f'{verb} "{name}" of item {entity.identity}: sent {wanted!r}, read {got!r}'
            self._state(operation, same(wanted, got), text)

    async def _unknown(self, entity: Entity) -> None:
        """Ask for an item that does not exist, with every operation that declares how it says so."""
        resource = self.resource
        values = {**entity.values, resource.id_parameter.name: unknown_id(self.probe, entity)}
        for operation in (resource.read, resource.replace, resource.patch, resource.delete):
            if operation is None or "404" not in operation.responses:
                continue
            if label(operation) in self.probe.sheet.missing:
                continue
            body = await self.entities.body(operation)
            sent = await self.probe.send(operation, values, body=body)
            if sent is None or sent.answer.status in NOT_IMPLEMENTED:
                continue
            refused(self.entities, sent, "an id that does not exist")
            text = f"{label(operation)} answers {sent.answer.status}, not 404, to an id that does not exist"
            good = sent.answer.status == NOT_FOUND
            self.probe.sheet.check("errors", good, text, operation=operation.id)

    async def _delete(self, entity: Entity, other: Entity) -> None:
        operation, read = self.resource.delete, self.resource.read
        if operation is None:
            return
        sent = await self.probe.send(operation, entity.values)
        if not await expect_success(self.probe, sent):
            return
        if read is not None and label(read) not in self.probe.sheet.missing:
            again = await self.probe.send(read, entity.values)
            if again is not None:
                gone = again.answer.status in _GONE
                self._state(operation, gone, f"leaves item {entity.identity} readable")
                if gone and declared(read, again.answer.status) is not None:
                    self.probe.judge(again)
            await self._still_there(operation, read, other)
        await self._listed(entity, present=False)

    async def _still_there(self, operation: Operation, read: Operation, other: Entity) -> None:
        sent = await self.probe.send(read, other.values)
        if sent is not None:
            text = f"removes item {other.identity} too, which was not asked for"
            self._state(operation, sent.answer.status not in _GONE, text)
