"""What `services` asks of whoever serves the mock of an interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

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
