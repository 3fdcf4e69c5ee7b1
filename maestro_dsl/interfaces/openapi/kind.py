"""OpenAPI as `interfaces.registry` sees it: parse, emit, serve, verify a provider, replay a consumer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.interfaces.openapi.emit import emit
from maestro_dsl.interfaces.openapi.parse import parse
from maestro_dsl.interfaces.openapi.replay import replay_calls as replay
from maestro_dsl.interfaces.openapi.serve import mock_app
from maestro_dsl.interfaces.openapi.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from maestro_dsl.interfaces.openapi.model import Api
    from maestro_dsl.interfaces.openapi.serve import Asgi, CallRecord

__all__ = ["emit", "operations", "parse", "replay", "serve", "verify"]


def serve(
    model: Api,
    *,
    seed: int | str = 0,
    record: Callable[[CallRecord], None] | None = None,
    name: str = "mock",
) -> Asgi:
    """Return the mock of `model` as an ASGI application with its own memory."""
    return mock_app(model, seed=seed, record=record, name=name)


def operations(model: Api) -> tuple[str, ...]:
    """Return the operations of `model` by id, in the order of the document."""
    return tuple(operation.id for operation in model.operations)
