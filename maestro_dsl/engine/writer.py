"""The single writer of a run: what is ready at the same time shares one append.

An event is folded, stored and shown in this order within one call, and whoever posted it goes on only then.
Content that events name by digest is handed over first (`hold`) and is durable before they are.
The append is made on the loop itself: it is one short transaction for many nodes, and a thread would cost
more than it hides.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from maestro_dsl.codec import digest_bytes
from maestro_dsl.engine.events import Body, Event
from maestro_dsl.engine.state import RunState, apply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maestro_dsl.engine.ports import ArtifactStore, CachedResult, EventSink, Store
    from maestro_dsl.ports import Clock

_log = logging.getLogger(__name__)


class Writer:
    """Group commit of events into the store, then into the sinks."""

    def __init__(
        self,
        *,
        store: Store,
        artifacts: ArtifactStore,
        clock: Clock,
        state: RunState,
        run_id: str,
        plan_id: str,
        epoch: int,
    ) -> None:
        self._store = store
        self._artifacts = artifacts
        self._clock = clock
        self._state = state
        self._run_id = run_id
        self._plan_id = plan_id
        self._epoch = epoch
        self._sinks: tuple[EventSink, ...] = ()
        self._blamed: set[int] = set()
        self._bodies: list[Body] = []
        self._results: list[CachedResult] = []
        self._held: list[bytes] = []
        self._known: set[str] = set()
        self._waiters: list[asyncio.Future[None]] = []
        self._scheduled = False
        self.broken: BaseException | None = None

    def subscribe(self, sinks: Sequence[EventSink]) -> None:
        """Show every event from now on to `sinks`, after it is durable."""
        self._sinks = tuple(sinks)

    def hold(self, content: bytes) -> str:
        """Take content and return its digest; it is durable before any event that is posted afterwards."""
        digest = digest_bytes(content)
        if digest not in self._known:
            self._known.add(digest)
            self._held.append(content)
        return digest

    def post(self, *bodies: Body, result: CachedResult | None = None) -> None:
        """Hand over events without waiting; they stand before anything posted later."""
        if self.broken is not None:
            raise self.broken
        self._bodies.extend(bodies)
        if result is not None:
            self._results.append(result)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush_soon)

    async def commit(self, *bodies: Body, result: CachedResult | None = None) -> None:
        """Hand over events and return once they are durable, folded and shown.

        Raises:
            StateError: another process took the run over.
            IntegrityError: an event cannot follow the others; nothing of its group was stored.
        """
        self.post(*bodies, result=result)
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter

    def flush(self) -> None:
        """Store everything posted so far, now."""
        self._scheduled = False
        waiters, self._waiters = self._waiters, []
        try:
            self._write()
        except BaseException as error:
            self.broken = error
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_exception(error)
            raise
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _flush_soon(self) -> None:
        if not self._scheduled or self.broken is not None:
            return
        try:
            self.flush()
        except Exception:  # noqa: BLE001 - every waiter has it, and `broken` keeps it for the interpreter
            _log.debug("the journal refused a group of events", exc_info=True)

    def _write(self) -> None:
        bodies, self._bodies = self._bodies, []
        results, self._results = self._results, []
        if not bodies:
            return
        now, seq, run_id = self._clock.now(), self._state.seq, self._run_id
        events = [
            Event(run_id=run_id, seq=seq + place, at=now, body=body) for place, body in enumerate(bodies, 1)
        ]
        # Folding first means that an impossible event never reaches the journal. Nobody can look at the state
        # before the append below: this function does not yield to the loop.
        for event in events:
            apply(self._state, event)
        if self._held:
            held, self._held = self._held, []
            self._artifacts.put_all(held)
        self._store.append(events, self._epoch, results, self._plan_id)
        for sink in self._sinks:
            self._show(sink, events)

    def _show(self, sink: EventSink, events: Sequence[Event]) -> None:
        for event in events:
            try:
                sink.on_event(event)
            except Exception:  # noqa: BLE001 - a subscriber's bug must not stop the run
                if id(sink) not in self._blamed:  # said once: it will fail like this at every event
                    self._blamed.add(id(sink))
                    _log.exception("%s failed at an event; the run goes on", type(sink).__name__)
