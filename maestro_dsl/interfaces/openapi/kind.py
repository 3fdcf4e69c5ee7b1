"""OpenAPI as `interfaces.registry` sees it: parse, emit, serve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.interfaces.openapi.emit import emit
from maestro_dsl.interfaces.openapi.parse import parse
from maestro_dsl.interfaces.openapi.serve import mock_app

if TYPE_CHECKING:
    from collections.abc import Callable

    from maestro_dsl.interfaces.openapi.model import Api
    from maestro_dsl.interfaces.openapi.serve import Asgi, CallRecord

__all__ = ["emit", "parse", "serve"]


def serve(model: Api, *, seed: int | str = 0, record: Callable[[CallRecord], None] | None = None) -> Asgi:
    """Return the mock of `model` as an ASGI application with its own memory."""
    return mock_app(model, seed=seed, record=record)
