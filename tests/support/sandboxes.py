"""Which sandbox may run here what a model wrote: bubblewrap, else Landlock with a network of its own."""

from __future__ import annotations

import asyncio

import pytest

from maestro_dsl.sandbox import landlock
from maestro_dsl.sandbox.levels import unavailable

_REASONS = asyncio.run(unavailable())
_LANDLOCK = _REASONS["landlock"] or landlock.kernel().namespaces
ISOLATING = "bubblewrap" if _REASONS["bubblewrap"] is None or _LANDLOCK is not None else "landlock"
"""The level that `auto` takes for what a model wrote."""
MISSING = _REASONS["bubblewrap"] if ISOLATING == "bubblewrap" else None
needs_isolation = pytest.mark.skipif(
    MISSING is not None, reason=f"no model's code may run here: {_REASONS['bubblewrap']}; {_LANDLOCK}"
)
