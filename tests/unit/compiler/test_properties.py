import itertools

import networkx as nx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maestro_dsl.compiler.compile import compile_workspace
from maestro_dsl.compiler.dag import Dag, critical_path
from maestro_dsl.compiler.order import ancestors, find_cycle, in_order, stand_in_order, topological
from maestro_dsl.lang.model import Need, NodeSpec


@st.composite
def graphs(draw, *, acyclic=True):
    size = draw(st.integers(1, 12))
    names = [f"n{i}" for i in draw(st.permutations(range(size)))]
    found = {}
    for index, name in enumerate(names):
        choice = names[:index] if acyclic else names
        found[name] = draw(st.lists(st.sampled_from(choice), unique=True, max_size=4)) if choice else []
    order = draw(st.permutations(names))
    return {name: found[name] for name in order}


@given(graphs())
def test_waves_respect_needs_and_lose_nothing(graph):
    found = Dag.of(graph).waves()
    level = {node: number for number, wave in enumerate(found) for node in wave}
    assert level.keys() == graph.keys()
    for node, needed in graph.items():
        assert level[node] == max((level[source] + 1 for source in needed), default=0)
    order = topological(graph)
    assert set(order) == set(graph)
    assert all(order.index(source) < order.index(node) for node in graph for source in graph[node])


def edge_by_edge(graph):
    """Return the graph as networkx makes it of nodes and edges one by one."""
    made = nx.DiGraph()
    made.add_nodes_from(graph)
    made.add_edges_from((source, node) for node, needed in graph.items() for source in needed)
    return made


@given(graphs())
def test_the_graph_and_its_waves_are_those_of_networkx(graph):
    whole, wanted = Dag.of(graph), edge_by_edge(graph)
    assert (whole.adj, whole.pred, list(whole.nodes)) == (wanted.adj, wanted.pred, list(wanted.nodes))
    generations = [sorted(level, key=list(graph).index) for level in nx.topological_generations(wanted)]
    for order in (None, topological(graph), in_order(graph), list(nx.topological_sort(wanted))):
        assert [list(wave) for wave in whole.waves(order)] == generations
    whole.add_edge("new", next(iter(graph)), weight=1)
    assert nx.is_directed_acyclic_graph(whole)


@given(graphs(), st.lists(st.integers(0, 9), min_size=12, max_size=12))
def test_the_critical_path_is_as_long_as_the_longest_path_of_networkx(graph, lengths):
    durations = {node: float(length) for node, length in zip(sorted(graph), lengths, strict=False)}
    weighted = nx.DiGraph()
    weighted.add_weighted_edges_from(((node, "in"), (node, "out"), durations[node]) for node in graph)
    weighted.add_weighted_edges_from(
        ((source, "out"), (node, "in"), 0.0) for node, needed in graph.items() for source in needed
    )
    assert critical_path(Dag.of(graph), durations)[0] == nx.dag_longest_path_length(weighted)


@given(graphs(acyclic=False))
def test_an_order_is_given_back_where_it_is_one(graph):
    found = in_order(graph)
    assert set(found) == set(topological(graph))
    place = {node: number for number, node in enumerate(found)}
    assert all(place[source] < place[node] for node in found for source in graph[node])
    declared = list(graph)
    if all(source in declared[:number] for number, node in enumerate(declared) for source in graph[node]):
        assert list(found) == declared


@given(graphs(acyclic=False))
def test_nodes_stand_in_order_where_each_comes_after_its_needs(graph):
    absent = Need(node="absent")
    nodes = {
        name: NodeSpec(id=name, action="report", needs=(absent, *(Need(node=need) for need in needs)))
        for name, needs in graph.items()
    }
    declared = list(graph)
    in_place = [source in declared[:number] for number, node in enumerate(declared) for source in graph[node]]
    assert stand_in_order(nodes) == all(in_place)


@given(graphs())
def test_ancestors_are_all_that_is_needed(graph):
    bits, above = ancestors(graph, topological(graph))

    def slow(node):
        return set(graph[node]).union(*(slow(source) for source in graph[node]))

    for node in graph:
        assert {other for other in graph if above[node] & bits[other]} == slow(node)


@given(graphs(acyclic=False))
def test_a_cycle_is_found_exactly_where_one_is(graph):
    left = set(graph) - set(topological(graph))
    path = find_cycle(graph, left)
    assert bool(path) == bool(left)
    for node, source in itertools.pairwise(path):
        assert source in graph[node]
    assert not path or path[0] == path[-1]


@given(graphs(), st.lists(st.integers(0, 9), min_size=12, max_size=12))
def test_the_critical_path_is_the_longest_way(graph, lengths):
    durations = {node: float(length) for node, length in zip(sorted(graph), lengths, strict=False)}

    def finish(node):
        return durations[node] + max((finish(source) for source in graph[node]), default=0.0)

    length, path = critical_path(Dag.of(graph), durations)
    assert length == max(map(finish, graph)) == sum(durations[node] for node in path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graphs())
def test_any_blueprint_without_cycles_compiles_to_its_own_graph(make_workspace, graph):
    nodes = [
        NodeSpec(id=name, action="command", needs=tuple(Need(node=item) for item in needed))
        for name, needed in graph.items()
    ]
    plan, _ = compile_workspace(make_workspace((), nodes))
    assert {node.address: {edge.source for edge in node.edges} for node in plan.nodes} == {
        name: set(needed) for name, needed in graph.items()
    }
    again, _ = compile_workspace(make_workspace((), nodes))
    assert plan.digest == again.digest
