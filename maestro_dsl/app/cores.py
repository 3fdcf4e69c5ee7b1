"""How many processors there are for this process; a module of its own, because `lint` asks at every start."""

from __future__ import annotations

import os


def available_cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
