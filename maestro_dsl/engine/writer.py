"""The single writer of a run: what is posted at the same time shares one append.

An event is folded when it is posted, then stored, then shown. Content that events name by digest is handed
over first (`hold`) and is durable before they are.

The fold is ahead of the disk by what has not been stored yet. Nothing comes of that: whatever is decided on
it is posted behind it, and nothing goes out before its own event is durable (`commit` waits for that).

The append is made on the loop where nothing else is wired, as for a journal in memory, or where the appender
says that the disk is quick and no content is large. Else the appender has it and the loop goes on: one group
is under way at a time, and what is posted meanwhile is the next one, or the next ones where it is much.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from maestro_dsl.engine.events import Body, Event
from maestro_dsl.engine.ports.storage import CachedResult
from maestro_dsl.engine.state import RunState, apply
from maestro_dsl.records import maker_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from maestro_dsl.engine.ports.sinks import EventSink
    from maestro_dsl.engine.ports.storage import Appender, ArtifactStore, Store
    from maestro_dsl.ports import Clock

GROUP_EVENTS: Final = 48
"""How many events make a group for the appender full: the first of many need not wait for the last."""
_log = logging.getLogger(__name__)
_event = maker_of(Event, "run_id", "seq", "at", "body")


@dataclass(slots=True, kw_only=True)
class _Group:
    """What shares one append, and who waits for it."""

    events: list[Event] = field(default_factory=list)
    results: list[CachedResult] = field(default_factory=list)
    held: list[bytes] = field(default_factory=list)
    is_large: bool = False
    """Whether some of what is held becomes files of its own, which takes a disk much longer."""
    waiters: list[asyncio.Future[None]] = field(default_factory=list)
    stored: Future[None] | None = None


class Writer:
    """Group commit of events into the store, then into the sinks."""

    def __init__(  # noqa: PLR0913 - wired in one place
        self,
        *,
        store: Store,
        artifacts: ArtifactStore,
        clock: Clock,
        state: RunState,
        run_id: str,
        plan_id: str,
        epoch: int,
        appender: Appender | None = None,
        inline_bytes: int = 0,
    ) -> None:
        self._store = store
        self._artifacts = artifacts
        self._clock = clock
        self._state = state
        self._run_id = run_id
        self._plan_id = plan_id
        self._epoch = epoch
        self._appender = appender
        self._inline_bytes = inline_bytes
        self._sinks: tuple[EventSink, ...] = ()
        self._blamed: set[int] = set()
        self._known: set[str] = set()
        self._unstored: set[str] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._next = _Group()
        self._full: deque[_Group] = deque()
        self._scheduled = False
        self._under_way: _Group | None = None
        self._on_break: Callable[[BaseException], None] = lambda _: None
        self.broken: BaseException | None = None

    def on_break(self, tell: Callable[[BaseException], None]) -> None:
        """Have `tell` called once when nothing can be stored any more: perhaps nobody waits."""
        self._on_break = tell

    def subscribe(self, sinks: Sequence[EventSink]) -> None:
        """Show every event from now on to `sinks`, after it is durable."""
        self._sinks = tuple(sinks)

    def hold(self, digest: str, content: bytes) -> str:
        """Take content and return its digest; it is durable before any event that is posted afterwards."""
        if digest not in self._known:
            self._known.add(digest)
            self._next.held.append(content)
            self._next.is_large |= len(content) > self._inline_bytes
        return digest

    def post(self, *bodies: Body, result: CachedResult | None = None) -> None:
        """Hand over events without waiting; they are folded now and stand before anything posted later.

        Raises:
            IntegrityError: an event cannot follow the others; nothing more is stored.
        """
        if self.broken is not None:
            raise self.broken
        if len(self._next.events) >= GROUP_EVENTS and not self._is_quick:
            self._full.append(self._next)
            self._next = _Group()
        run_id, state, group, now = self._run_id, self._state, self._next, self._clock.now()
        try:
            for body in bodies:
                event = _event(run_id, state.seq + 1, now, body)
                apply(state, event)
                group.events.append(event)
        except BaseException as error:
            self._break(error, self._take_waiters())
            raise
        if result is not None:
            group.results.append(result)
            self._unstored.add(result.key)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush_soon)

    def commit(self, *bodies: Body, result: CachedResult | None = None) -> asyncio.Future[None]:
        """Hand over events; what is returned is done once they, and all before them, are durable and shown.

        Raises:
            StateError: another process took the run over.
            IntegrityError: an event cannot follow the others; nothing more is stored.
        """
        self.post(*bodies, result=result)
        if self._loop is None:  # asked once: Python 3.11 asks for the number of the process each time
            self._loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._next.waiters.append(waiter)
        return waiter

    def is_on_its_way(self, key: str) -> bool:
        """Return whether a result of this content key has been posted and cannot be looked up yet."""
        return key in self._unstored

    def flush(self) -> None:
        """Store everything posted so far, now; the loop waits for the disk."""
        if self.broken is not None:
            return
        while self._under_way is not None and self._under_way.stored is not None:
            wait([self._under_way.stored])
            self._settle(self._under_way)
            if self.broken is not None:
                raise self.broken
        while self._full or self._scheduled:
            group = self._take()
            try:
                self._append_here(group)
            except BaseException as error:
                self._break(error, [*group.waiters, *self._take_waiters()])
                raise
            self._acknowledge(group)

    @property
    def _is_quick(self) -> bool:
        """Whether the loop makes the next append."""
        return self._appender is None or self._appender.is_quick

    def _append_here(self, group: _Group) -> None:
        if self._appender is None:
            self._append(group)
        else:
            self._appender.here(partial(self._append, group))

    def _flush_soon(self) -> None:
        if not self._scheduled or self.broken is not None or self._under_way is not None:
            return  # the group under way is followed by what waits here
        try:
            if self._appender is None or (self._appender.is_quick and not self._next.is_large):
                self.flush()
            else:
                self._begin(self._appender)
        except Exception:  # noqa: BLE001 - every waiter has it, and `broken` keeps it for the interpreter
            _log.debug("the journal refused a group of events", exc_info=True)

    def _begin(self, appender: Appender) -> None:
        """Hand a group to the appender; `_settle` is called on the loop when it is stored."""
        group = self._under_way = self._take()
        for event in group.events:
            event.text()  # made here: the other thread would have to wait for the interpreter
        loop = asyncio.get_running_loop()

        def stored(_: Future[None]) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(self._settle, group)

        group.stored = appender.submit(partial(self._append, group))
        group.stored.add_done_callback(stored)

    def _settle(self, group: _Group) -> None:
        """Acknowledge a group that the appender stored, once, and begin the next one."""
        if self._under_way is not group or group.stored is None:
            return
        self._under_way = None
        error = group.stored.exception()
        if error is not None:
            self._break(error, [*group.waiters, *self._take_waiters()])
            return
        if self._full and not self._is_quick:  # nothing can be added to that one, so it need not wait
            self._flush_soon()
        self._acknowledge(group)
        if self._scheduled:  # behind those who go on now: what they post belongs to the same group
            asyncio.get_running_loop().call_soon(self._flush_soon)

    def _take(self) -> _Group:
        """Return what is to be stored next; content that no event names yet stays for the group after it."""
        if self._full:
            return self._full.popleft()
        group, self._next, self._scheduled = self._next, _Group(), False
        if not group.events:
            self._next.held, group.held = group.held, []
            self._next.is_large, group.is_large = group.is_large, False
        return group

    def _take_waiters(self) -> list[asyncio.Future[None]]:
        """Return all who wait for what has not been handed over; none of it is stored any more."""
        groups = [*self._full, self._next]
        self._full.clear()
        self._next, self._scheduled = _Group(), False
        return [waiter for group in groups for waiter in group.waiters]

    def _append(self, group: _Group) -> None:
        """Make a group durable, contents before the events that name them."""
        if not group.events:
            return
        large = [content for content in group.held if len(content) > self._inline_bytes]
        small = [content for content in group.held if len(content) <= self._inline_bytes]
        if large:
            self._artifacts.put_all(large)
        self._store.append(group.events, self._epoch, group.results, self._plan_id, small)

    def _acknowledge(self, group: _Group) -> None:
        self._unstored.difference_update([result.key for result in group.results])
        for sink in self._sinks:
            self._show(sink, group.events)
        for waiter in group.waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _break(self, error: BaseException, waiters: Sequence[asyncio.Future[None]]) -> None:
        self.broken = error
        for waiter in waiters:
            if not waiter.done():
                waiter.set_exception(error)
        self._on_break(error)

    def _show(self, sink: EventSink, events: Sequence[Event]) -> None:
        for event in events:
            try:
                sink.on_event(event)
            except Exception:  # noqa: BLE001 - a subscriber's bug must not stop the run
                if id(sink) not in self._blamed:  # said once: it will fail like this at every event
                    self._blamed.add(id(sink))
                    _log.exception("%s failed at an event; the run goes on", type(sink).__name__)
