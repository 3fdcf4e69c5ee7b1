"""The real clock, identifiers and chance; everything else takes them as arguments."""

from __future__ import annotations

import getpass
import random
import time
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class SystemClock:
    """The machine's clocks, in seconds."""

    def now(self) -> float:
        """Return seconds since the Unix epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds of a clock that never goes back."""
        return time.monotonic()


def pause(seconds: float) -> None:
    """Let time pass."""
    time.sleep(seconds)


def user() -> str:
    """Return who asks, as the operating system knows them; empty where it does not."""
    with suppress(OSError, KeyError, ImportError):
        return getpass.getuser()
    return ""


class SystemIds:
    """Random UUIDs."""

    def new(self) -> str:
        """Return a fresh UUID, version 4."""
        return str(uuid.uuid4())


class EnvironmentSecrets:
    """Secrets in environment variables, looked up when they are used."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def get(self, name: str) -> str | None:
        """Return the variable's value, or None where it is not set."""
        return self._environ.get(name)


class SystemRand:
    """Chance for jitter."""

    def __init__(self) -> None:
        self._random = random.Random()  # noqa: S311 - spreads waits, protects nothing

    def uniform(self, low: float, high: float) -> float:
        """Return a float between `low` and `high`."""
        return self._random.uniform(low, high)
