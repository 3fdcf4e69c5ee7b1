"""The tasks of one run: who is at work, who failed, and when nobody is left. Knows no nodes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from maestro_dsl.engine.pacing import Halted

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


class Crew:
    """Starts tasks and hears of their ends."""

    def __init__(self, *, failed: Callable[[BaseException], None], ended: Callable[[], None]) -> None:
        self._failed = failed
        self._ended = ended
        self._tasks: dict[asyncio.Task[None], None] = {}
        """In the order in which they were started: a set would cancel them in another order each time."""

    @property
    def is_idle(self) -> bool:
        """True where no task is at work."""
        return not self._tasks

    def start(self, work: Coroutine[object, None, None]) -> asyncio.Task[None]:
        """Start a task; when it has ended, `failed` is called where it did, then `ended`."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks[task] = None
        task.add_done_callback(self._left)
        return task

    def cancel(self) -> None:
        """Cancel all tasks, and do not wait."""
        for task in self._tasks:
            task.cancel()

    async def dismiss(self) -> None:
        """Cancel all tasks and return when all have ended."""
        self.cancel()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _left(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, Halted):
            self._failed(error)
        self._ended()
