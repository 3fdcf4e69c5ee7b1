import json
from dataclasses import replace
from pathlib import Path

import pytest

from maestro_dsl.codec import to_json
from maestro_dsl.compiler.compile import compile_workspace
from maestro_dsl.compiler.late import bound_params, condition_holds, outputs_by_node
from maestro_dsl.lang.expressions import ExpressionError
from maestro_dsl.lang.model import ContractType, Need, NodeSpec


def compiled(workspace):
    plan, diagnostics = compile_workspace(workspace)
    assert [item.message for item in diagnostics if item.severity == "error"] == []
    return plan


def findings(workspace):
    _, diagnostics = compile_workspace(workspace)
    return [(item.code, item.message) for item in diagnostics]


def edges(plan, address):
    return {edge.source: str(edge.kind) for edge in plan.node(address).edges}


def changed(before, after):
    """Return address → names of the key parts that differ."""
    found = {}
    for node in before.nodes:
        left = {part.name: part.digest for part in node.key_parts}
        right = {part.name: part.digest for part in after.node(node.address).key_parts}
        names = {name for name in left.keys() | right.keys() if left.get(name) != right.get(name)}
        if names:
            found[node.address] = names
    return found


def test_the_plan_of_a_team_is_as_in_its_golden_file(make_full_stack, golden):
    data = to_json(replace(compiled(make_full_stack()), blobs={}))
    golden("compiler/full_stack.json", json.dumps(data, indent=1, sort_keys=True) + "\n")


def test_a_mock_lets_the_consumer_start_and_brings_a_recheck(make_full_stack):
    plan = compiled(make_full_stack())
    assert edges(plan, "build[web_app]") == {"mock[backend_api]": "mock"}
    assert edges(plan, "recheck[backend_api/build[web_app]]") == {
        "build[web_app]": "hard",
        "integrate[backend_api]": "hard",
    }
    assert plan.node("build[web_app]").consumes_mock == ("backend_api",)


def test_a_deliverable_against_the_real_thing_waits_for_the_providers(make_full_stack):
    node = compiled(make_full_stack()).node("build[acceptance]")
    assert [edge.source for edge in node.edges] == ["build[backend_api]", "build[web_app]"]
    assert (node.consumes_mock, node.consumes_real) == ((), ("backend_api", "web_app"))


def test_without_a_mock_node_consumers_wait_for_the_provider(make_workspace, make_contract):
    build = NodeSpec(id="build", action="fulfil", foreach="contracts", as_name="contract")
    contracts = (make_contract("api", "maker", ["user"], spec=True), make_contract("page", "user"))
    plan = compiled(make_workspace(contracts, (build,)))
    assert edges(plan, "build[page]") == {"build[api]": "hard"}
    assert [node.address for node in plan.nodes] == ["build[api]", "build[page]"]


def test_verification_is_added_where_the_blueprint_has_none_and_reports_wait_for_it(
    make_workspace, make_contract
):
    nodes = (
        NodeSpec(id="mock", action="mock", foreach="contracts", as_name="contract"),
        NodeSpec(id="build", action="fulfil", foreach="contracts", as_name="contract"),
        NodeSpec(id="report", action="report", needs=(Need(node="build", states=("any",)),)),
    )
    contracts = (make_contract("api", "maker", ["user"], spec=True), make_contract("page", "user"))
    plan = compiled(make_workspace(contracts, nodes))
    assert edges(plan, "verify[api]") == {"build[api]": "hard"}
    report = plan.node("report")
    assert {edge.source for edge in report.edges} == {
        "build[api]",
        "build[page]",
        "verify[api]",
        "recheck[api/build[page]]",
    }
    assert all(edge.states == ("any",) for edge in report.edges)


def test_an_instance_that_is_left_out_passes_its_needs_on(make_workspace):
    nodes = (
        NodeSpec(id="a", action="command"),
        NodeSpec(id="b", action="command", needs=(Need(node="a"),), when="1 > 2"),
        NodeSpec(id="c", action="command", needs=(Need(node="b"),)),
    )
    plan = compiled(make_workspace((), nodes))
    assert [node.address for node in plan.nodes] == ["a", "c"]
    assert edges(plan, "c") == {"a": "hard"}


def test_equal_sources_join_by_key_and_others_wait_for_all(make_workspace):
    inputs = {"keys": ["x", "y"]}
    schemas = {"keys": {"type": "array", "items": {"type": "string"}}}
    nodes = (
        NodeSpec(id="a", action="command", foreach="inputs.keys"),
        NodeSpec(id="b", action="command", foreach="inputs.keys", needs=(Need(node="a"),)),
        NodeSpec(id="c", action="command", foreach="inputs.keys", needs=(Need(node="a", join="all"),)),
        NodeSpec(id="d", action="command", needs=(Need(node="b"),)),
    )
    plan = compiled(make_workspace((), nodes, inputs=inputs, input_schemas=schemas))
    assert set(edges(plan, "b[x]")) == {"a[x]"}
    assert set(edges(plan, "c[x]")) == {"a[x]", "a[y]"}
    assert set(edges(plan, "d")) == {"b[x]", "b[y]"}


def test_what_reads_outputs_stays_for_the_run_and_is_bound_once(make_workspace):
    nodes = (
        NodeSpec(id="a", action="command"),
        NodeSpec(
            id="b",
            action="render",
            needs=(Need(node="a"),),
            when="nodes.a.outputs.exit_code == inputs.wanted",
            params={"path": "{{ inputs.name }}.txt", "text": "got {{ nodes.a.outputs.stdout }}"},
        ),
    )
    schemas = {"wanted": {"type": "integer"}, "name": {"type": "string"}}
    plan = compiled(make_workspace((), nodes, inputs={"wanted": 0, "name": "{{ x }}"}, input_schemas=schemas))
    node = plan.node("b")
    assert (node.params["path"], node.late_params) == ("{{ x }}.txt", ("text",))
    outputs = outputs_by_node({"a": (None, {"exit_code": 0, "stdout": "{{ y }}"})}, {"a": "a"})
    assert condition_holds(node, outputs)
    assert bound_params(node, outputs) == {"path": "{{ x }}.txt", "text": "got {{ y }}"}
    with pytest.raises(ExpressionError, match="a is not defined"):
        condition_holds(node, {})


def test_cycles_print_the_whole_path(make_workspace, make_contract):
    nodes = (
        NodeSpec(id="a", action="command", needs=(Need(node="c"),)),
        NodeSpec(id="b", action="command", needs=(Need(node="a"),)),
        NodeSpec(id="c", action="command", needs=(Need(node="b"),)),
    )
    assert findings(make_workspace((), nodes)) == [("GRF001", "dependency cycle: a needs c needs b needs a")]
    contracts = (make_contract("left", "one", ["two"]), make_contract("right", "two", ["one"]))
    assert findings(make_workspace(contracts)) == [
        ("GRF001", "dependency cycle: build[left] needs build[right] needs build[left]")
    ]


def test_nodes_that_may_run_together_cannot_write_one_file(make_workspace, make_contract):
    contracts = (
        make_contract("left", "one", artifacts=["**/*.py"]),
        make_contract("right", "one", artifacts=["src/a.*"]),
    )
    message = (
        "build[right] and build[left] may run together, and both may write "
        "what one/**/*.py and one/src/a.* have in common"
    )
    assert findings(make_workspace(contracts)) == [("GRF006", message)]


def test_limits_on_fan_out_and_nodes(make_workspace):
    schemas = {"keys": {"type": "array", "items": {"type": "string"}}}
    nodes = (NodeSpec(id="a", action="command", foreach="inputs.keys"),)
    keys = {"keys": [f"k{i}" for i in range(10_001)]}
    assert findings(make_workspace((), nodes, inputs=keys, input_schemas=schemas)) == [
        ("GRF005", "foreach gives 10,001 instances; the limit is 10,000")
    ]


def test_providers_must_be_in_the_team(make_workspace, make_contract):
    base = make_workspace((make_contract("api", "maker", ["maker"]),))
    assert findings(base)[0] == ("CTR002", "maker provides api and cannot be its consumer too")
    plan = replace(base.plan, value=replace(base.plan.value, team={}))
    nobody = replace(base, team={}, plan=plan)
    assert ("CTR002", "api is provided by maker, who is not in the team") in findings(nobody)


def test_an_invalid_interface_is_an_error(make_workspace, make_contract):
    contracts = (make_contract("api", "maker", spec=True, type=ContractType.REST_API),)
    found = findings(make_workspace(contracts, spec="swagger: '2.0'\npaths: {}\n"))
    assert [code for code, _ in found] == ["CTR001"]


def test_a_prompt_that_does_not_render_is_named(make_full_stack):
    _, found = compile_workspace(make_full_stack(prompts={"frontend": "\n{{ 'x' * 9 }}"}))
    (item,) = found
    assert (item.code, item.span.file, item.span.line) == ("PER003", "frontend.md.j2", 2)
    assert item.message == "this prompt cannot be written: the operator * takes numbers only"
    assert item.related[0].message == "the persona's prompt"


# ---- digest and keys


def test_the_digest_does_not_know_the_machine_the_output_or_the_concurrency(make_full_stack):
    here = compiled(make_full_stack(root=Path("/a")))
    there = compiled(make_full_stack(root=Path("/elsewhere/b"), output="other"))
    assert here.digest == there.digest
    assert changed(here, there) == {}


def test_comments_and_format_of_a_spec_change_no_key(make_full_stack):
    from maestro_dsl.lang.source import load

    base = make_full_stack()
    before = compiled(base)
    text = "# a comment\n" + base.contracts["backend_api"].spec.text.replace("title: Tasks", "title:   Tasks")
    resolved = replace(base.contracts["backend_api"], spec_bytes=text.encode(), spec=load(text, "api.yaml"))
    after = compiled(replace(base, contracts={**base.contracts, "backend_api": resolved}))
    assert changed(before, after) == {}
    assert before.digest == after.digest


def test_a_described_spec_changes_the_interface_of_those_who_use_it(make_full_stack):
    base = make_full_stack()
    spec = base.contracts["backend_api"].spec.text.replace("all tasks", "each task")
    found = changed(compiled(base), compiled(make_full_stack(spec=spec)))
    assert all("interface:backend_api" in names for names in found.values())
    assert "integrate[web_app]" not in found


def test_a_prompt_change_touches_its_own_node_only(make_full_stack):
    found = changed(compiled(make_full_stack()), compiled(make_full_stack(prompts={"frontend": "Be brief."})))
    assert found == {"build[web_app]": {"prompt"}}


def test_the_mock_port_changes_nothing(make_full_stack):
    base = make_full_stack()
    before = compiled(base)
    resolved = base.contracts["backend_api"]
    value = replace(resolved.document.value, mock_endpoint="http://localhost:4000")
    moved = replace(resolved, document=replace(resolved.document, value=value))
    after = compiled(replace(base, contracts={**base.contracts, "backend_api": moved}))
    assert (changed(before, after), before.digest) == ({}, after.digest)


def test_prompts_hold_the_address_as_a_literal_and_foreign_text_as_data(make_full_stack):
    prompt = compiled(make_full_stack()).node("build[web_app]").prompt
    assert "${MAESTRO_URL_BACKEND_API}" in prompt.user
    assert "localhost" not in prompt.user
    assert "<<<DATA" in prompt.user
