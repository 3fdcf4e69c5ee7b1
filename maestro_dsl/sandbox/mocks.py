"""Mocks for `services`: what it asks of whoever serves them, and the one that serves interfaces here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from maestro_dsl.errors import UnrecoverableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from maestro_dsl.compiler.plan import CompiledContract
    from maestro_dsl.lang.model import Json


class MockServed(Protocol):
    """A mock that answers at `url` until it is stopped."""

    @property
    def url(self) -> str:
        """Where it answers."""

    async def stop(self) -> None:
        """End it; its port is free afterwards."""


class MockServer(Protocol):
    """Serves mocks, each with a memory of its own."""

    async def serve(
        self,
        contract: CompiledContract,
        spec: bytes,
        host: str,
        port: int,
        record: Callable[[Mapping[str, Json]], None],
    ) -> MockServed:
        """Serve the interface `spec`; `port` 0 takes a free one. Each request is recorded.

        Raises:
            EnvironmentFailure: the port is in use.
            UnrecoverableError: nothing of the interface can be served.
        """


class InterfaceMocks:
    """Serves mocks of every kind of interface that has one, inside this process; implements `MockServer`."""

    async def serve(
        self,
        contract: CompiledContract,
        spec: bytes,
        host: str,
        port: int,
        record: Callable[[Mapping[str, Json]], None],
    ) -> MockServed:
        """Serve the interface in a fresh application; see `MockServer.serve`."""
        from maestro_dsl.interfaces.options import options_of
        from maestro_dsl.interfaces.registry import kind_of
        from maestro_dsl.net.server import serve

        stated = contract.contract.interface_spec
        kind = kind_of(contract.contract.type)
        if kind is None:
            named = contract.contract.type.value
            raise UnrecoverableError(f'"{contract.id}": no mock of type {named} can be served')
        model, problems = kind.parse(spec, stated.spec_file if stated is not None else contract.id)
        if model is None:
            raise UnrecoverableError(next(iter(problems)).message)
        # the digest of the content, so that comments change no answer
        seed = contract.interface_digest or contract.id
        options = options_of(contract.contract.mock_options)
        app = kind.serve(model, seed=seed, record=record, name=contract.id, options=options)
        return await serve(app, host, port)
