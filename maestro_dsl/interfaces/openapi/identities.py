"""Which identities the items of a mock have: allowed by the property that shows them and by the address.

The two are often described apart: a number in the item, a user's e-mail address in the path. An item whose
identity the path does not allow could never be asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.interfaces.chance import uuid
from maestro_dsl.interfaces.openapi import shapes
from maestro_dsl.interfaces.openapi.forms import coerce
from maestro_dsl.interfaces.openapi.sample import sample
from maestro_dsl.interfaces.openapi.validate import is_valid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from maestro_dsl.interfaces.openapi.model import Api, Parameter, Schema
    from maestro_dsl.interfaces.openapi.resources import Resource
    from maestro_dsl.lang.model import Json

_IDS = 64


class Identities:
    """The identities of one `resource` whose items show them in a property of schema `shown`."""

    def __init__(self, api: Api, resource: Resource, shown: Schema, seed: str) -> None:
        self._api = api
        self._shown = shown
        self._parameter = resource.id_parameter
        self._seed = f"{seed}|{resource.item_path}|id"

    def fits(self, value: Json) -> bool:
        """Return whether an item may have this identity, and may be asked for by it."""
        return can_be_asked(self._api, self._parameter, value) and is_valid(self._api, self._shown, value)

    def kind(self) -> tuple[str, tuple[str, ...]]:
        """Return how identities are made: "integer", "digits", "uuid", or "pool" and what is in it."""
        if self.fits(1) and self.fits(100_000):
            return "integer", ()
        wants_uuid = "uuid" in (shapes.keyword(self._api, part, "format") for part in self._schemas())
        if self.fits("100001") and not wants_uuid:
            return "digits", ()
        if self.fits(uuid("1")) and self.fits(uuid("2")):
            return "uuid", ()
        made = [value for value in self._made(self._shown, "id") if isinstance(value, str)]
        fitting = [value for value in made if self.fits(value)]
        if not fitting:
            asked = self._made(self._parameter.schema, self._parameter.name)
            fitting = [value for value in asked if isinstance(value, str) and self.fits(value)]
        return "pool", tuple(dict.fromkeys(fitting or made))

    def documented(self) -> Json:
        """Return the identity that the document shows as its example in the address, if there is one."""
        schema = self._parameter.schema
        listed = shapes.keyword(self._api, schema, "examples")
        found = [
            *self._parameter.examples.values(),
            shapes.keyword(self._api, schema, "example"),
            *(listed if isinstance(listed, list) else ()),
        ]
        ways = (way for value in found if value is not None for way in (value, str(value)))
        return next((way for way in ways if self.fits(way)), None)

    def _schemas(self) -> tuple[Schema, Schema]:
        return self._shown, self._parameter.schema

    def _made(self, schema: Schema, name: str) -> Iterator[Json]:
        return (sample(self._api, schema, seed=f"{self._seed}|{turn}", name=name) for turn in range(_IDS))


def can_be_asked(api: Api, parameter: Parameter, value: Json) -> bool:
    """Return whether an address may hold this value in the place of its `parameter`."""
    if isinstance(value, (dict, list)) or value in (None, ""):
        return False
    return is_valid(api, parameter.schema, coerce(api, parameter.schema, str(value)), "request")


def next_id(kind: str, ids: tuple[str, ...], count: int, name: str) -> int | str:
    """Return the identity of the `count`th item (from 1) of what is called `name`."""
    if kind == "integer":
        return count
    if kind == "digits":
        return str(count)
    if kind == "uuid" or not ids:
        return uuid(f"{name}|{count}")
    return ids[(count - 1) % len(ids)]
