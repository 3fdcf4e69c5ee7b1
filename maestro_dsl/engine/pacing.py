"""Waiting that a stop can end: sleeps and signals of one run. Holds no policy."""

from __future__ import annotations

import asyncio


class Halted(Exception):  # noqa: N818 - not a fault: the run stops between two tries
    """Nothing new may start in this run; the node goes back as it is."""


class Signal:
    """Wakes everyone who waits for something to change, in the order in which they began to wait."""

    def __init__(self) -> None:
        self._waiters: dict[asyncio.Future[None], None] = {}

    def fire(self) -> None:
        """Wake all who wait now."""
        waiters, self._waiters = self._waiters, {}
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self, timeout_s: float | None = None) -> None:
        """Return after the next `fire`, or after `timeout_s` seconds."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters[waiter] = None
        try:
            async with asyncio.timeout(timeout_s):
                await waiter
        except TimeoutError:
            return
        finally:
            self._waiters.pop(waiter, None)


class Pacer:
    """The brakes of a run."""

    def __init__(self) -> None:
        self.halted = False
        self.settled = Signal()
        self.answered = Signal()
        self._asleep = Signal()

    def halt(self) -> None:
        """Let nothing new start and wake everyone who waits."""
        self.halted = True
        for signal in (self.settled, self.answered, self._asleep):
            signal.fire()

    def release(self) -> None:
        """Let new things start again."""
        self.halted = False

    def check(self) -> None:
        """Return where something new may start.

        Raises:
            Halted: it may not.
        """
        if self.halted:
            raise Halted

    async def sleep(self, seconds: float) -> None:
        """Wait so long.

        Raises:
            Halted: the run is stopped meanwhile.
        """
        self.check()
        if seconds > 0:
            await self._asleep.wait(seconds)
            self.check()
