"""Which module knows which kind of interface: one literal table, one Protocol.

A new kind is a folder, a module with these three functions and one line here. INTERFACE (deliverables only)
has no specification and so no mock; it is absent on purpose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from maestro_dsl.interfaces.openapi import kind as openapi
from maestro_dsl.lang.model import ContractType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from maestro_dsl.diagnostics import Diagnostics
    from maestro_dsl.interfaces.openapi.serve import Asgi, CallRecord


class InterfaceKind(Protocol):
    """What can be done with one kind of interface; `parse` gives the model that the others take."""

    def parse(self, content: bytes, file: str) -> tuple[object | None, Diagnostics]:
        """Return the model of a specification, or None and why there is none."""

    def emit(
        self, model: object, contract_id: str, spec_bytes: bytes, spec_name: str
    ) -> Mapping[str, str | bytes]:
        """Return the files of the mock by path."""

    def serve(self, model: object, *, seed: int | str, record: Callable[[CallRecord], None] | None) -> Asgi:
        """Return the mock as an ASGI application with its own memory."""


KINDS: Mapping[ContractType, InterfaceKind] = {
    ContractType.REST_API: cast("InterfaceKind", openapi),
}


def kind_of(contract_type: ContractType) -> InterfaceKind | None:
    """Return what knows this kind of interface, None where no mock is possible."""
    return KINDS.get(contract_type)
