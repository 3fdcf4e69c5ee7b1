"""GraphQL as `interfaces.registry` sees it: parse, emit, serve, verify a provider, replay a consumer.

Every function loads its modules on first use, since graphql-core takes its time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from maestro_dsl.diagnostics import Diagnostics
    from maestro_dsl.interfaces.asgi import Asgi, CallRecord
    from maestro_dsl.interfaces.graphql.model import GraphApi
    from maestro_dsl.interfaces.options import ServeOptions
    from maestro_dsl.interfaces.verification import VerificationResult
    from maestro_dsl.lang.model import Json

SPEC_TYPES: Final = frozenset({"graphql"})

__all__ = ["SPEC_TYPES", "emit", "operations", "outside", "parse", "replay", "serve", "verify"]


def parse(content: bytes, file: str) -> tuple[GraphApi | None, Diagnostics]:
    """Return the schema that `content` describes, or None and why there is none."""
    from maestro_dsl.interfaces.graphql import parse as home

    return home.parse(content, file)


def operations(model: GraphApi) -> tuple[str, ...]:
    """Return what can be asked, e.g. "query film", in the order of the schema."""
    return model.operations


def outside(call: Mapping[str, Json], files: Mapping[str, str]) -> tuple[str, tuple[str, int] | None]:
    """Return how a recorded call is no query of the contract, and file and line that most likely make it."""
    from maestro_dsl.interfaces.graphql.locate import find_query, query_of

    told = call.get("violations")
    faults = tuple(map(str, told)) if isinstance(told, (list, tuple)) else ()
    query = query_of(call)
    message = faults[0] if faults else f"{call.get('method')} {call.get('path')} is no GraphQL request"
    return message, find_query(query, faults, files) if query else None


def emit(
    model: GraphApi,
    contract_id: str,
    spec_bytes: bytes,
    spec_name: str,
    *,
    seed: int | str = 0,
    options: ServeOptions | None = None,
) -> Mapping[str, str | bytes]:
    """Return the files of the mock of `model` by path."""
    from maestro_dsl.interfaces.graphql import emit as home
    from maestro_dsl.interfaces.options import NO_OPTIONS

    return home.emit(model, contract_id, spec_bytes, spec_name, seed=seed, options=options or NO_OPTIONS)


def serve(
    model: GraphApi,
    *,
    seed: int | str = 0,
    record: Callable[[CallRecord], None] | None = None,
    name: str = "mock",
    options: ServeOptions | None = None,
) -> Asgi:
    """Return the mock of `model` as an ASGI application with its own memory."""
    from maestro_dsl.interfaces.graphql.serve import mock_app
    from maestro_dsl.interfaces.options import NO_OPTIONS

    return mock_app(model, seed=seed, record=record, name=name, options=options or NO_OPTIONS)


async def verify(model: GraphApi, base_url: str, *, contract_id: str, seed: int = 0) -> VerificationResult:
    """Return what the provider at `base_url` keeps of `model`."""
    from maestro_dsl.interfaces.graphql import verify as home

    return await home.verify(model, base_url, contract_id=contract_id, seed=seed)


async def replay(
    model: GraphApi,
    base_url: str,
    calls: Sequence[Mapping[str, Json]],
    *,
    contract_id: str,
    consumer_files: Mapping[str, str],
) -> VerificationResult:
    """Return how a consumer's recorded calls fit the provider at `base_url`."""
    from maestro_dsl.interfaces.graphql.replay import replay_calls

    return await replay_calls(model, base_url, calls, contract_id=contract_id, consumer_files=consumer_files)
