"""Protocols for time, identity, chance and secrets: standard-library types only, no implementation.

The core never reads a clock, a random generator or the environment itself; these are handed in by
`maestro_dsl.app`, and by the virtual-time loop in tests.
"""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Wall and monotonic time, both in seconds."""

    def now(self) -> float:
        """Return seconds since the Unix epoch."""

    def monotonic(self) -> float:
        """Return seconds of a clock that never goes back."""


class Ids(Protocol):
    """Source of identifiers that are unique across machines."""

    def new(self) -> str:
        """Return a fresh UUID in canonical text form."""


class Rand(Protocol):
    """Source of chance for jitter; never used where a result depends on it."""

    def uniform(self, low: float, high: float) -> float:
        """Return a float between `low` and `high`, both included."""


class Secrets(Protocol):
    """Resolves secret references at the moment of use."""

    def get(self, name: str) -> str | None:
        """Return the secret's value, or None where it is not set."""
