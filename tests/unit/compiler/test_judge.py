"""What lint asks of the graph is what the graph says."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maestro_dsl.compiler.expand import expand, judge
from maestro_dsl.lang.model import Need, NodeSpec

NAMES = ("a", "b", "c", "d", "e")
NODES = st.fixed_dictionaries(
    {
        "needs": st.lists(st.sampled_from(NAMES), unique=True, max_size=2),
        "action": st.sampled_from(["command", "render", "report"]),
        "foreach": st.sampled_from([None, "range(2)", "contracts"]),
        "when": st.sampled_from([None, "1 > 2", "nodes.a.exit_code == 0"]),
        "path": st.sampled_from(["same", "{{ key }}", "own"]),
    }
)


def spec(name, said):
    """Return a node."""
    params = {"path": said["path"], "text": "t"} if said["action"] == "render" else {"run": ["x"]}
    return NodeSpec(
        id=name,
        action=said["action"],
        needs=tuple(Need(node=need) for need in said["needs"]),
        foreach=said["foreach"],
        when=said["when"],
        persona="maker",
        params=params,
    )


def same(workspace) -> bool:
    """Return whether both give the same instances and findings."""
    expansion, found = expand(workspace)
    instances, judged = judge(workspace)
    return instances == expansion.instances and list(judged.items) == list(found.items)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.lists(NODES, min_size=1, max_size=5), st.booleans())
def test_instances_and_findings_are_those_of_the_graph(make_workspace, make_contract, said, is_consumed):
    contracts = [make_contract("api", "maker", ["maker"] if is_consumed else [])]
    nodes = [spec(name, one) for name, one in zip(NAMES, said, strict=False)]
    assert same(make_workspace(contracts, nodes))


@pytest.mark.parametrize("name", ["make_full_stack", "make_workspace"])
def test_those_of_the_reference_too(request, name):
    assert same(request.getfixturevalue(name)())
