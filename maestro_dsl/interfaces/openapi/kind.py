"""OpenAPI as `interfaces.registry` sees it: parse, emit, serve, verify a provider, replay a consumer.

`parse` and `operations` are what `lint` needs; the other functions load their modules on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.interfaces.openapi.parse import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from maestro_dsl.interfaces.asgi import Asgi, CallRecord
    from maestro_dsl.interfaces.openapi.model import Api
    from maestro_dsl.interfaces.options import ServeOptions
    from maestro_dsl.interfaces.verification import VerificationResult
    from maestro_dsl.lang.model import Json

SPEC_TYPES: Final = frozenset({"openapi"})

__all__ = ["SPEC_TYPES", "emit", "operations", "outside", "parse", "replay", "serve", "verify"]


def operations(model: Api) -> tuple[str, ...]:
    """Return the operations of `model` by id, in the order of the document."""
    return tuple(operation.id for operation in model.operations)


def outside(call: Mapping[str, Json], files: Mapping[str, str]) -> tuple[str, tuple[str, int] | None]:
    """Return how a recorded call is outside the description, and file and line that most likely make it."""
    from maestro_dsl.interfaces.openapi.locate import find_call

    method, path = str(call.get("method")), str(call.get("path"))
    place = find_call(method, path, files)
    message = f"{method} {path} is no operation of the contract {call.get('contract')}"
    return message, None if place is None else (place.file, place.line)


def emit(
    model: Api,
    contract_id: str,
    spec_bytes: bytes,
    spec_name: str,
    *,
    seed: int | str = 0,
    options: ServeOptions | None = None,
) -> Mapping[str, str | bytes]:
    """Return the files of the mock of `model` by path."""
    from maestro_dsl.interfaces.openapi import emit as home
    from maestro_dsl.interfaces.options import NO_OPTIONS

    return home.emit(model, contract_id, spec_bytes, spec_name, seed=seed, options=options or NO_OPTIONS)


def serve(
    model: Api,
    *,
    seed: int | str = 0,
    record: Callable[[CallRecord], None] | None = None,
    name: str = "mock",
    options: ServeOptions | None = None,
) -> Asgi:
    """Return the mock of `model` as an ASGI application with its own memory."""
    from maestro_dsl.interfaces.openapi.serve import mock_app
    from maestro_dsl.interfaces.options import NO_OPTIONS

    return mock_app(model, seed=seed, record=record, name=name, options=options or NO_OPTIONS)


async def verify(model: Api, base_url: str, *, contract_id: str, seed: int = 0) -> VerificationResult:
    """Return what the provider at `base_url` keeps of `model`."""
    from maestro_dsl.interfaces.openapi import verify as home

    return await home.verify(model, base_url, contract_id=contract_id, seed=seed)


async def replay(
    model: Api,
    base_url: str,
    calls: Sequence[Mapping[str, Json]],
    *,
    contract_id: str,
    consumer_files: Mapping[str, str],
) -> VerificationResult:
    """Return how a consumer's recorded calls fit the provider at `base_url`."""
    from maestro_dsl.interfaces.openapi.replay import replay_calls

    return await replay_calls(model, base_url, calls, contract_id=contract_id, consumer_files=consumer_files)
