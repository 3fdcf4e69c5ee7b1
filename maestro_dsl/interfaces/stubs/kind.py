"""Interfaces of code and data as `interfaces.registry` sees them: parsed, emitted, checked in files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

from maestro_dsl.errors import UsageError
from maestro_dsl.interfaces.stubs.parse import parse
from maestro_dsl.interfaces.verification import unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from maestro_dsl.interfaces.asgi import CallRecord
    from maestro_dsl.interfaces.options import ServeOptions
    from maestro_dsl.interfaces.stubs.model import Interface
    from maestro_dsl.interfaces.verification import VerificationResult
    from maestro_dsl.lang.model import Json

SPEC_TYPES: Final = frozenset({"json_schema", "python", "typescript"})

__all__ = [
    "SPEC_TYPES",
    "check_files",
    "emit",
    "operations",
    "outside",
    "parse",
    "replay",
    "serve",
    "verify",
]

_NOTHING = "it is an interface of code or data: there is nothing to serve and no address to ask"


def operations(model: Interface) -> tuple[str, ...]:
    """Return the methods of all services, "Service.method"; none of data."""
    return tuple(f"{service.name}.{method.name}" for service in model.services for method in service.methods)


def outside(call: Mapping[str, Json], files: Mapping[str, str]) -> tuple[str, tuple[str, int] | None]:
    """Return that nothing of this kind is called over HTTP."""
    del files
    return f"{call.get('method')} {call.get('path')}: {_NOTHING}", None


def emit(
    model: Interface,
    contract_id: str,
    spec_bytes: bytes,
    spec_name: str,
    *,
    options: ServeOptions | None = None,  # noqa: ARG001 - the protocol's
) -> Mapping[str, str | bytes]:
    """Return the stubs of `model` by path."""
    from maestro_dsl.interfaces.stubs import emit as home

    return home.emit(model, contract_id, spec_bytes, spec_name)


def serve(
    model: Interface,
    *,
    seed: int | str,
    record: Callable[[CallRecord], None] | None,
    name: str,
    options: ServeOptions | None = None,
) -> NoReturn:
    """Refuse: there is nothing to serve.

    Raises:
        UsageError: always.
    """
    del model, seed, record, options
    raise UsageError(f"{name}: {_NOTHING}", hint="write its stubs with: maestro mock emit")


async def verify(model: Interface, base_url: str, *, contract_id: str, seed: int = 0) -> VerificationResult:
    """Return that an address shows nothing; `check_files` judges files."""
    del model, base_url, seed
    return unreachable(contract_id, _NOTHING)


async def replay(
    model: Interface,
    base_url: str,
    calls: Sequence[Mapping[str, Json]],
    *,
    contract_id: str,
    consumer_files: Mapping[str, str],
) -> VerificationResult:
    """Return that an address shows nothing."""
    del model, base_url, calls, consumer_files
    return unreachable(contract_id, _NOTHING)


def check_files(model: Interface, files: Mapping[str, str], *, contract_id: str) -> VerificationResult:
    """Return how the files of a deliverable keep `model`."""
    from maestro_dsl.interfaces.stubs import check as home

    return home.check_files(model, files, contract_id=contract_id)
