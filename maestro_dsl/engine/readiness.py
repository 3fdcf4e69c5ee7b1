"""Which nodes may start now: needs, waves and limits. Pure; time and tasks live in the interpreter.

`ReadyQueue` is incremental: an event costs as much as the edges it touches. `ready` answers the same question
for any plan and state from nothing, by building a queue and asking it.
"""

from __future__ import annotations

import heapq
from collections import Counter
from typing import TYPE_CHECKING, Final

from maestro_dsl.engine.graph import PlanIndex
from maestro_dsl.engine.policy import give_up
from maestro_dsl.engine.state import NodeRecord, NodeState, RunState
from maestro_dsl.lang.model import Schedule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maestro_dsl.compiler.plan import CompiledPlan, Execution

SUSPECTS_AT_ONCE: Final = 4


def ready(plan: CompiledPlan, state: RunState, execution: Execution | None = None) -> tuple[str, ...]:
    """Return the nodes that may start now, in plan order; nodes in flight hold their places."""
    queue = ReadyQueue(PlanIndex(plan), state, execution or plan.execution)
    for address, record in state.nodes.items():
        if record.in_flight is not None:
            queue.hold(address)
    return tuple(iter(queue.take, None))


class ReadyQueue:
    """Nodes whose needs are met, handed out in plan order within the limits."""

    def __init__(self, index: PlanIndex, state: RunState, execution: Execution) -> None:
        self._index = index
        self._state = state
        self._execution = execution
        self._most = execution.max_concurrency
        self._names = tuple(index.nodes)
        self._missing: list[int | None] = [None] * len(self._names)
        """At each place in the plan how many needs of its node are not met; None = it has ended."""
        self._heap: list[int] = []
        self._parked: dict[str, list[int]] = {}
        self._busy: Counter[str] = Counter()
        self._running: set[str] = set()
        self._wave_of = index.wave if execution.schedule is Schedule.WAVES else {}
        """Empty where nobody waits for a wave."""
        self._wave = 0
        self._left = [0] * max(1, len(index.plan.waves))
        self._held: dict[int, list[int]] = {}
        self._suspects = frozenset(
            item.address for item in state.nodes.values() if give_up.is_suspect(item.crashes)
        )
        """Nodes that get a process of their own; few at once, for each costs a whole program."""
        self._limited: dict[str, tuple[tuple[str, int], ...]] = {}
        """Nodes that share limits with others, and those limits by name."""
        self._doomed: list[str] = []
        self._fill()

    def _fill(self) -> None:
        records, missing, waves = self._state.nodes, self._missing, self._wave_of
        for place, node in enumerate(self._index.nodes.values()):
            address, is_doomed = node.address, False
            record = records.get(address)
            if record is not None and record.final is not None:
                continue
            if waves:
                self._left[waves.get(address, 0)] += 1
            if node.persona_id is not None or address in self._suspects:
                self._limited[address] = tuple(self._limits(address))
            left = len(node.edges)
            if left and records:
                met = [self._index.accepts(edge, records.get(edge.source)) for edge in node.edges]
                left, is_doomed = left - met.count(True), False in met
            missing[place] = left
            if is_doomed:
                self._doomed.append(address)
            elif not left and _may_start(record):
                self._push(place)
        if waves:
            self._next_wave()

    def _push(self, place: int) -> None:
        if self._wave_of and (wave := self._wave_of.get(self._names[place], 0)) > self._wave:
            self._held.setdefault(wave, []).append(place)
        else:
            heapq.heappush(self._heap, place)

    def _next_wave(self) -> None:
        while self._wave + 1 < len(self._left) and not self._left[self._wave]:
            self._wave += 1
            for place in self._held.pop(self._wave, ()):
                heapq.heappush(self._heap, place)

    def take(self) -> str | None:
        """Return the next node to start and count it as running, or None where nothing may start."""
        while self._heap and len(self._running) < self._most:
            place = heapq.heappop(self._heap)
            address = self._names[place]
            if address in self._running or self._missing[place] is None:
                continue  # offered twice, or final already
            if address in self._limited:
                limits = self._limited[address]
                full = next((name for name, limit in limits if self._busy[name] >= limit), None)
                if full is not None:
                    self._park(address, place, full)
                    continue
            self.hold(address)
            return address
        return None

    def _park(self, address: str, place: int, full: str) -> None:
        heapq.heappush(self._parked.setdefault(full, []), place)
        for name, limit in self._limited[address]:
            parked = self._parked.get(name)
            if parked and self._busy[name] < limit:  # the free place goes to the next in that line
                heapq.heappush(self._heap, heapq.heappop(parked))

    def hold(self, address: str) -> None:
        """Count a node as running."""
        self._running.add(address)
        for name, _limit in self._limited.get(address, ()):
            self._busy[name] += 1

    def release(self, address: str) -> None:
        """Free the places of a node that stopped; it is not offered again until `offer`."""
        self._running.discard(address)
        for name, _limit in self._limited.get(address, ()):
            self._busy[name] -= 1
            parked = self._parked.get(name)
            if parked:
                heapq.heappush(self._heap, heapq.heappop(parked))

    def offer(self, address: str) -> None:
        """Hand a node out again whose needs are met, e.g. after a person's decision."""
        self._push(self._index.position[address])

    def finished(self, address: str) -> tuple[str, ...]:
        """Take note of a final node (in the state already); return the dependants that can never start."""
        if address in self._running:
            self.release(address)
        index, missing, record = self._index, self._missing, self._state.nodes[address]
        place, final = index.position[address], record.final
        state = "" if final is None else final.state
        missing[place] = None
        doomed: list[str] = []
        for dependant, edge in index.dependants[place]:
            left = missing[dependant]
            if left is None:
                continue
            if state in edge.states or index.accepts(edge, record):  # most ask for just this state
                missing[dependant] = left - 1
                if left == 1:
                    self._push(dependant)
            else:
                doomed.append(self._names[dependant])
        if self._wave_of:
            self._left[self._wave_of.get(address, 0)] -= 1
            self._next_wave()
        return tuple(dict.fromkeys(doomed)) if doomed else ()

    def take_doomed(self) -> tuple[str, ...]:
        """Return nodes of the starting state that can never start, once."""
        found, self._doomed = tuple(self._doomed), []
        return found

    @property
    def running(self) -> int:
        """How many nodes hold a place."""
        return len(self._running)

    def _limits(self, address: str) -> Sequence[tuple[str, int]]:
        """Return the limits that the node shares with others, by name."""
        node = self._index.nodes[address]
        found: list[tuple[str, int]] = []
        if node.persona_id is not None:
            found.append((f"persona {node.persona_id}", self._execution.max_per_persona))
        model = self._index.model(node)
        if model is not None:
            found.append((f"provider {model[0]}", self._execution.max_per_provider))
        if address in self._suspects:
            found.append(("suspects", SUSPECTS_AT_ONCE))
        return found


def _may_start(record: NodeRecord | None) -> bool:
    if record is None:
        return True
    if record.state is NodeState.WAITING:
        return record.decision is not None
    return record.in_flight is None
