import itertools

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maestro_dsl.compiler.compile import compile_workspace
from maestro_dsl.compiler.dag import critical_path, waves
from maestro_dsl.compiler.order import ancestors, find_cycle, topological
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
    found = waves(graph)
    level = {node: number for number, wave in enumerate(found) for node in wave}
    assert level.keys() == graph.keys()
    for node, needed in graph.items():
        assert level[node] == max((level[source] + 1 for source in needed), default=0)
    order = topological(graph)
    assert set(order) == set(graph)
    assert all(order.index(source) < order.index(node) for node in graph for source in graph[node])


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

    length, path = critical_path(graph, durations)
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
