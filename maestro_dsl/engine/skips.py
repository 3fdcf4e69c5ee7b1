"""Ends the nodes that can never start, and those that they take with them, each with its chain of causes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.engine.closing import skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from maestro_dsl.engine.graph import PlanIndex
    from maestro_dsl.engine.state import RunState
    from maestro_dsl.engine.writer import Writer


class Skips:
    """The skipped nodes of one run; each is written once."""

    def __init__(
        self,
        *,
        index: PlanIndex,
        state: RunState,
        writer: Writer,
        finished: Callable[[str], tuple[str, ...]],
    ) -> None:
        self._index = index
        self._state = state
        self._writer = writer
        self._finished = finished
        self._known: set[str] = set()

    def writing(self, addresses: Sequence[str]) -> Coroutine[object, None, None] | None:
        """Return the work of ending nodes that cannot start, or None where all are being ended already."""
        fresh = self._fresh(addresses) if addresses else None
        return self._write(fresh) if fresh else None

    def _fresh(self, addresses: Sequence[str]) -> list[str]:
        fresh = [item for item in dict.fromkeys(addresses) if item not in self._known]
        self._known.update(fresh)
        return fresh

    async def _write(self, addresses: Sequence[str]) -> None:
        while addresses:
            await self._writer.commit(*(skipped(self._index, self._state, item) for item in addresses))
            addresses = self._fresh([item for address in addresses for item in self._finished(address)])
