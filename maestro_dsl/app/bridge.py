"""The one bridge from callers that are not asynchronous to the core, which is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from maestro_dsl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


def run_sync(work: Coroutine[object, object, T]) -> T:
    """Return what `work` returns: `run_sync(apply(…))`, in a program without an event loop of its own.

    Raises:
        UsageError: an event loop runs here already; `work` is to be awaited instead.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    work.close()
    raise UsageError("run_sync was called inside a running event loop", hint="await the call instead")
