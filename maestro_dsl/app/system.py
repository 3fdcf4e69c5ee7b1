"""The real clock, identifiers and chance; everything else takes them as arguments."""

from __future__ import annotations

import random
import time
import uuid


class SystemClock:
    """The machine's clocks, in seconds."""

    def now(self) -> float:
        """Return seconds since the Unix epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds of a clock that never goes back."""
        return time.monotonic()


class SystemIds:
    """Random UUIDs."""

    def new(self) -> str:
        """Return a fresh UUID, version 4."""
        return str(uuid.uuid4())


class SystemRand:
    """Chance for jitter."""

    def __init__(self) -> None:
        self._random = random.Random()  # noqa: S311 - spreads waits, protects nothing

    def uniform(self, low: float, high: float) -> float:
        """Return a float between `low` and `high`."""
        return self._random.uniform(low, high)
