"""The port of everybody who watches a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from maestro_dsl.engine.events import Event


class EventSink(Protocol):
    """A subscriber: reporters, metrics, tickets, audit. It may not raise and may not block."""

    def on_event(self, event: Event) -> None:
        """See one event after it is durable."""
