"""Time limits of many tasks at once, at the price of one timer for all limits of the same length.

A run sets two limits for every node, and nearly all of them are lifted long before they are due. Limits of
one length fall due in the order in which they were set, so only the oldest of each length needs a timer.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


class Deadlines:
    """The limits of one run, all on the loop that runs when this is made."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.pending: dict[float, dict[Limit, None]] = {}
        """Limits in force by their length, the oldest first; a length that is here has a timer."""
        self._timers: dict[float, asyncio.TimerHandle] = {}
        self.limit: Callable[[float], Limit] = partial(Limit, self)
        """Returns a context that cancels what runs in it after so many seconds, and raises `TimeoutError`."""

    def close(self) -> None:
        """Stop all timers."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self.pending.clear()

    def begin(self, limit: Limit) -> dict[Limit, None]:
        """Set the timer for limits of this length, and return the place for them."""
        self._arm(limit)
        pending = self.pending[limit.seconds] = {}
        return pending

    def _arm(self, limit: Limit) -> None:
        self._timers[limit.seconds] = self.loop.call_at(limit.due, self._look, limit.seconds)

    def _look(self, seconds: float) -> None:
        now, pending = self.loop.time(), self.pending[seconds]
        while pending:
            oldest = next(iter(pending))
            if oldest.due > now:
                self._arm(oldest)
                return
            del pending[oldest]
            oldest.expire()
        del self.pending[seconds], self._timers[seconds]


class Limit:
    """One use of a limit; behaves as `asyncio.timeout` does."""

    __slots__ = ("_cancelling", "_deadlines", "_expired", "_pending", "_task", "due", "seconds")

    def __init__(self, deadlines: Deadlines, seconds: float) -> None:
        self._deadlines = deadlines
        self.seconds = seconds

    def __enter__(self) -> Self:
        deadlines, seconds = self._deadlines, self.seconds
        loop = deadlines.loop
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("a time limit needs a task")
        self._task, self._cancelling, self._expired = task, task.cancelling(), False
        self.due = loop.time() + seconds
        pending = deadlines.pending.get(seconds)
        if pending is None:
            pending = deadlines.begin(self)
        pending[self] = None
        self._pending = pending
        return self

    def expire(self) -> None:
        """Cancel the task inside."""
        self._expired = True
        self._task.cancel()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._expired:
            self._pending.pop(self, None)  # its timer finds out by itself
        elif self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            # Nobody else cancelled the task meanwhile: the cancellation was ours alone.
            raise TimeoutError from error
