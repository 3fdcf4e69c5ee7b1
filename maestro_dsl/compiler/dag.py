"""The graph of a plan as networkx knows it, its waves and critical path; nothing else here imports networkx.

networkx takes a quarter of a second to load, so that only commands that need waves import this module. The
graph is filled in one go, and waves and critical path are each one walk over it; tests hold all three to what
networkx makes of the same nodes edge by edge, `topological_generations` and `dag_longest_path_length`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    _DiGraph = nx.DiGraph[str]
else:
    _DiGraph = nx.DiGraph


class Dag(_DiGraph):
    """A directed graph of addresses: an edge leads from what is needed to who needs it."""

    if TYPE_CHECKING:  # the tables that networkx documents in its own classes, and types-networkx leaves out
        _node: dict[str, dict[str, object]]
        _pred: dict[str, dict[str, dict[str, object]]]
        _succ: dict[str, dict[str, dict[str, object]]]

    @classmethod
    def of(cls, sources: Mapping[str, Collection[str]]) -> Dag:
        """Return the graph of `sources`, which maps each node to the nodes it needs."""
        graph = cls()
        before, after = graph._pred, graph._succ
        graph._node.update({name: {} for name in sources})
        after.update({name: {} for name in sources})
        for name, needed in sources.items():
            into: dict[str, dict[str, object]] = {}
            before[name] = into
            for source in needed:
                into[source] = after[source][name] = {}
        return graph

    def waves(self, order: Iterable[str] | None = None) -> tuple[tuple[str, ...], ...]:
        """Return the nodes in levels: each node stands in the first wave after all that it needs.

        Inside a wave the nodes stand as they do in the graph, which has no cycles. `order` names all of them,
        each after what it needs, where the caller knows that already.
        """
        before = self._pred
        level: dict[str, int] = {}
        for node in order if order is not None else nx.topological_sort(self):
            lowest = 0
            for source in before[node]:
                if level[source] >= lowest:
                    lowest = level[source] + 1
            level[node] = lowest
        found: list[list[str]] = [[] for _ in range(max(level.values(), default=-1) + 1)]
        for node in self._node:
            found[level[node]].append(node)
        return tuple(map(tuple, found))


def critical_path(graph: Dag, durations_s: Mapping[str, float]) -> tuple[float, tuple[str, ...]]:
    """Return the length in seconds of the longest way through the graph, and its nodes in order.

    A node without a duration counts 0 here; callers say that its length is unknown. Ties go to the node that
    stands first in `graph`.
    """
    finish: dict[str, float] = {}
    before: dict[str, str | None] = {}
    place = {node: number for number, node in enumerate(graph)}
    for node in nx.topological_sort(graph):
        latest = max(graph.predecessors(node), key=lambda item: (finish[item], -place[item]), default=None)
        before[node] = latest
        finish[node] = durations_s.get(node, 0.0) + (finish[latest] if latest is not None else 0.0)
    if not finish:
        return 0.0, ()
    last: str | None = max(finish, key=lambda item: (finish[item], -place[item]))
    length = finish[last] if last is not None else 0.0
    path: list[str] = []
    while last is not None:
        path.append(last)
        last = before[last]
    return length, tuple(reversed(path))
