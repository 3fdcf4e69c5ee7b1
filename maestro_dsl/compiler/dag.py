"""Waves and critical path of a graph, through networkx; nothing else of the compiler imports it.

networkx takes a quarter of a second to load, so that only commands that need waves import this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


def waves(sources: Mapping[str, Collection[str]]) -> tuple[tuple[str, ...], ...]:
    """Return the nodes in levels: each node stands in the first wave after all that it needs.

    Inside a wave the order of `sources` holds; it maps each node to the nodes it needs, without cycles.
    """
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(sources)
    graph.add_edges_from((source, node) for node, needed in sources.items() for source in needed)
    place = {node: number for number, node in enumerate(sources)}
    return tuple(
        tuple(sorted(generation, key=place.__getitem__)) for generation in nx.topological_generations(graph)
    )


def critical_path(
    sources: Mapping[str, Collection[str]], durations_s: Mapping[str, float]
) -> tuple[float, tuple[str, ...]]:
    """Return the length in seconds of the longest way through the graph, and its nodes in order.

    A node without a duration counts 0 here; callers say that its length is unknown. Ties go to the node that
    stands first in `sources`.
    """
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(sources)
    graph.add_edges_from((source, node) for node, needed in sources.items() for source in needed)
    finish: dict[str, float] = {}
    before: dict[str, str | None] = {}
    place = {node: number for number, node in enumerate(sources)}
    for node in nx.topological_sort(graph):
        latest = max(sources[node], key=lambda item: (finish[item], -place[item]), default=None)
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
