"""Order, cycles and ancestors of a graph given as `address → sources`; plain algorithms, no library.

Ties keep the order of declaration, so that equal plans give equal results.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from maestro_dsl.lang.model import NodeSpec


def topological(sources: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """Return the nodes, each after its sources; nodes on a cycle and behind one are left out."""
    missing = {node: len(needed) for node, needed in sources.items()}
    dependants: dict[str, list[str]] = {node: [] for node in sources}
    for node, needed in sources.items():
        for source in needed:
            dependants[source].append(node)
    queue = deque(node for node, count in missing.items() if not count)
    found: list[str] = []
    while queue:
        node = queue.popleft()
        found.append(node)
        for dependant in dependants[node]:
            missing[dependant] -= 1
            if not missing[dependant]:
                queue.append(dependant)
    return tuple(found)


def in_order(sources: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """Return what `topological` does, or the nodes as they stand where each stands after its sources."""
    seen: set[str] = set()
    for node, needed in sources.items():
        if needed and not seen.issuperset(needed):
            return topological(sources)
        seen.add(node)
    return tuple(sources)


def stand_in_order(nodes: Mapping[str, NodeSpec]) -> bool:
    """Return whether each node of a blueprint stands after those of its needs that there are."""
    seen: set[str] = set()
    for name, spec in nodes.items():
        for need in spec.needs:
            if need.node not in seen and need.node in nodes:
                return False
        seen.add(name)
    return True


def find_cycle(sources: Mapping[str, Collection[str]], among: Iterable[str]) -> tuple[str, ...]:
    """Return one cycle among the nodes that `topological` left out, first node repeated at the end."""
    left = set(among)
    node = next((item for item in sources if item in left), None)
    path: list[str] = []
    place: dict[str, int] = {}
    while node is not None:  # every node left has a source that is left, so this walk meets itself
        if node in place:
            return (*path[place[node] :], node)
        place[node] = len(path)
        path.append(node)
        node = next((source for source in sources[node] if source in left), None)
    return ()


def ancestors(
    sources: Mapping[str, Collection[str]], order: Iterable[str]
) -> tuple[dict[str, int], dict[str, int]]:
    """Return the bit of each node, and for each node the set of bits of all it needs, also through others."""
    bits: dict[str, int] = {}
    above: dict[str, int] = {}
    for number, node in enumerate(order):
        bits[node] = 1 << number
        found = 0
        for source in sources[node]:
            found |= above[source] | bits[source]
        above[node] = found
    return bits, above
