"""Sample values for the types and methods of an interface, valid and equal for the same seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maestro_dsl.interfaces.openapi.sample import sample
from maestro_dsl.interfaces.openapi.validate import is_valid

if TYPE_CHECKING:
    from maestro_dsl.interfaces.stubs.model import Interface
    from maestro_dsl.lang.model import Json

_SAMPLES = 3


def values(interface: Interface, seed: int | str = 0) -> dict[str, list[Json]]:
    """Return up to three valid values by "Type" and "Service.method"; none where nothing can be valid."""
    api = interface.api
    found: dict[str, list[Json]] = {}
    for name, schema in interface.types.items():
        found[name] = _valid(api, schema, f"{seed}|{name}", name)
    for service in interface.services:
        for method in service.methods:
            key = f"{service.name}.{method.name}"
            found[key] = _valid(api, dict(method.returns), f"{seed}|{key}", method.name)
    return found


def _valid(api: Any, schema: Any, seed: str, name: str) -> list[Json]:
    wanted = schema if schema != {} else True
    made = (sample(api, wanted, seed=f"{seed}|{turn}", name=name) for turn in range(_SAMPLES))
    return [value for value in made if is_valid(api, wanted, value)]
