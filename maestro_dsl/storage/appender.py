"""Who waits for the journal's disk: the loop while its appends are quick, a thread where they are not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor, Future

QUICK_S: Final = 0.004
"""How long an append may keep the loop, on the average of the last few."""
PAUSE: Final = 16
"""How many appends a thread makes before the loop tries again whether the disk is quick."""
_WEIGHT: Final = 0.25


class DiskAppender:
    """An `Appender` that goes by how long the loop's own appends took.

    What a thread's take says nothing about the disk: most of it is the wait for the interpreter.
    """

    def __init__(self, executor: Executor, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._executor = executor
        self._monotonic = monotonic
        self._mean_s = 0.0
        self._left = 0
        """How many more appends the thread makes."""

    @property
    def is_quick(self) -> bool:
        """Whether the loop had better make the next append."""
        return not self._left

    def here(self, append: Callable[[], None]) -> None:
        """Append while the loop waits."""
        began = self._monotonic()
        append()
        self._mean_s += _WEIGHT * (self._monotonic() - began - self._mean_s)
        if self._mean_s > QUICK_S:
            self._mean_s, self._left = 0.0, PAUSE

    def submit(self, append: Callable[[], None]) -> Future[None]:
        """Append in the thread."""
        self._left = max(0, self._left - 1)
        return self._executor.submit(append)
