"""Which module knows which kind of interface: one literal table, one Protocol.

A new kind is a folder, a module with these functions and one line here. What has no address (INTERFACE) is
emitted and checked in files, and stands in `FILES_ONLY`, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

from maestro_dsl.interfaces.graphql import kind as graphql
from maestro_dsl.interfaces.openapi import kind as openapi
from maestro_dsl.interfaces.stubs import kind as stubs
from maestro_dsl.lang.model import ContractType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from maestro_dsl.diagnostics import Diagnostics
    from maestro_dsl.interfaces.asgi import Asgi, CallRecord
    from maestro_dsl.interfaces.options import ServeOptions
    from maestro_dsl.interfaces.verification import VerificationResult
    from maestro_dsl.lang.model import Json


class InterfaceKind(Protocol):
    """What can be done with one kind of interface; `parse` gives the model that the others take."""

    SPEC_TYPES: frozenset[str]
    """The types of `interface_spec` that this kind reads."""

    def parse(self, content: bytes, file: str) -> tuple[object | None, Diagnostics]:
        """Return the model of a specification, or None and why there is none."""

    def emit(
        self,
        model: object,
        contract_id: str,
        spec_bytes: bytes,
        spec_name: str,
        *,
        options: ServeOptions | None = None,
    ) -> Mapping[str, str | bytes]:
        """Return the files of the mock by path; `options` are its latency and faults."""

    def serve(
        self,
        model: object,
        *,
        seed: int | str,
        record: Callable[[CallRecord], None] | None,
        name: str,
        options: ServeOptions | None = None,
    ) -> Asgi:
        """Return the mock as an ASGI application with its own memory, latency and faults."""

    def operations(self, model: object) -> tuple[str, ...]:
        """Return the names of what can be called."""

    async def verify(
        self, model: object, base_url: str, *, contract_id: str, seed: int = 0
    ) -> VerificationResult:
        """Return what the provider at `base_url` keeps of the specification."""

    async def replay(
        self,
        model: object,
        base_url: str,
        calls: Sequence[Mapping[str, Json]],
        *,
        contract_id: str,
        consumer_files: Mapping[str, str],
    ) -> VerificationResult:
        """Return how a consumer's recorded calls fit the provider at `base_url`."""

    def outside(
        self, call: Mapping[str, Json], files: Mapping[str, str]
    ) -> tuple[str, tuple[str, int] | None]:
        """Return how a recorded call is outside the specification, and file and line that likely make it."""


class FilesKind(Protocol):
    """A kind of interface that is kept by files, not at an address."""

    def check_files(self, model: Any, files: Mapping[str, str], *, contract_id: str) -> VerificationResult:
        """Return how the texts of a deliverable, by path, keep the specification; nothing of them is run."""


KINDS: Mapping[ContractType, InterfaceKind] = {
    ContractType.REST_API: cast("InterfaceKind", openapi),
    ContractType.GRAPHQL: cast("InterfaceKind", graphql),
    ContractType.INTERFACE: cast("InterfaceKind", stubs),
}
FILES_ONLY: Mapping[ContractType, FilesKind] = {
    ContractType.INTERFACE: stubs,
}
"""Kinds that nothing is served of: what keeps them shows in the files of a deliverable."""


def kind_of(contract_type: ContractType) -> InterfaceKind | None:
    """Return what knows this kind of interface, None where no mock is possible."""
    return KINDS.get(contract_type)


def is_served(contract_type: ContractType) -> bool:
    """Return whether an interface of this kind has an address: a mock to serve, a provider to ask."""
    return contract_type not in FILES_ONLY
