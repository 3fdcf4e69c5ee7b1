from __future__ import annotations

from dataclasses import replace

import pytest

from maestro_dsl.codec import canonical, digest
from maestro_dsl.compiler.plan import KeyPart
from maestro_dsl.engine.graph import PlanIndex
from maestro_dsl.engine.keys import InterfaceHistory, changed_pointers, explain, forecast, key_parts
from maestro_dsl.engine.ports.attempts import AttemptResult
from maestro_dsl.engine.ports.storage import CachedResult
from maestro_dsl.testing import MemoryArtifacts, ScriptedAction, Step, World, run_plan


def stored(**parts):
    return CachedResult(
        key="k",
        node="a",
        parts={name.replace("__", ":"): value for name, value in parts.items()},
        result_digest="r",
        files=(),
        state="succeeded",
        score=None,
        outputs={},
        tokens=0,
        nano_usd=0,
    )


def parts_of(index, address, known):
    node = index.nodes[address]
    return key_parts(node, index.inputs(node), index, known)


@pytest.mark.parametrize(
    ("parts", "last", "expected"),
    [
        ({"prompt": "1"}, None, "never run"),
        ({"prompt": "2"}, stored(prompt="1"), "prompt changed"),
        ({"interface:api": "2"}, stored(interface__api="1"), "interface api changed"),
        ({"result:build[api]": "2"}, {"result:build[api]": "1"}, "result of build[api] changed"),
        ({"prompt": "1", "policy": "1"}, stored(prompt="1"), "policy added"),
        ({}, stored(prompt="1"), "prompt removed"),
        ({"prompt": "1"}, stored(prompt="1"), "its stored result is not complete any more"),
        (
            {"prompt": "2", "interface:api": "2", "persona": "2", "model": "2", "result:x": "2"},
            {"prompt": "1", "interface:api": "1", "persona": "1", "model": "1", "result:x": "1"},
            "interface api changed; model changed; persona changed; and 2 more",
        ),
    ],
)
def test_reasons(parts, last, expected):
    known = replace(stored(), parts=last) if isinstance(last, dict) else last
    assert explain(parts, known) == expected


def test_a_change_in_an_interface_is_named():
    old = {"info": {"title": "T"}, "paths": {"/tasks": {"get": {"summary": "List", "tags": [1, 2]}}}}
    new = {
        "info": {"title": "T"},
        "paths": {"/tasks": {"get": {"summary": "All", "tags": [1, 3]}, "put": {}}},
    }
    assert changed_pointers(old, new) == (
        "paths./tasks.get.summary, paths./tasks.get.tags.1, paths./tasks.put added"
    )
    artifacts = MemoryArtifacts()
    artifacts.put(canonical(old))
    history = InterfaceHistory(artifacts, {"api": new})
    parts = {"interface:api": digest(new)}
    reason = explain(parts, replace(stored(), parts={"interface:api": digest(old)}), history.detail)
    assert reason.startswith("interface api changed: paths./tasks.get.summary, ")
    history.remember()
    assert artifacts.has(digest(new))


def test_a_mock_edge_contributes_the_interface_alone(team_plan):
    index = PlanIndex(team_plan)
    parts = parts_of(index, "build[web]", lambda address: f"digest of {address}")
    assert parts == {"prompt": "build[web]", "interface:api": "i" * 64}


def test_a_recheck_depends_on_both_sides(team_plan):
    index = PlanIndex(team_plan)
    parts = parts_of(index, "recheck[api/build[web]]", lambda address: address)
    assert sorted(parts) == ["prompt", "result:build[api]", "result:build[web]", "result:verify[api]"]


def test_time_cost_and_logs_do_not_change_what_depends_on_a_result(make_plan):
    plan = make_plan({"a": [], "b": ["a"]})
    keys = set()
    for seconds, note in ((1.0, "x"), (7.0, "y")):
        step = Step(seconds=seconds, result=AttemptResult(notes=(note,), nano_usd=int(seconds)))
        keys.add(run_plan(plan, World(action=ScriptedAction({"a": [step]}))).nodes["b"].key)
    assert len(keys) == 1


def test_a_forecast_says_what_would_run_and_why(make_plan):
    plan = make_plan({"a": [], "b": ["a"], "c": []})
    world = World()
    assert [(item.address, item.cached, item.reason) for item in forecast(plan, world.store)] == [
        ("a", False, "never run"),
        ("c", False, "never run"),
        ("b", False, "known after a"),
    ]
    run_plan(plan, world)
    assert all(item.cached for item in forecast(plan, world.store))
    changed = replace(
        plan,
        nodes=tuple(
            replace(n, key_parts=(replace(n.key_parts[0], digest="new"),)) if n.address == "c" else n
            for n in plan.nodes
        ),
    )
    assert [(item.address, item.reason) for item in forecast(changed, world.store) if not item.cached] == [
        ("c", "prompt changed")
    ]


def test_only_what_changed_and_what_depends_on_it_runs_again(make_plan):
    plan = make_plan({"a": [], "b": ["a"], "c": []})
    world = World(action=ScriptedAction({"a": [Step(result=AttemptResult(outputs={"x": 1}))]}))
    run_plan(plan, world)
    nodes = tuple(
        replace(n, key_parts=(replace(n.key_parts[0], digest="new"),)) if n.address == "a" else n
        for n in plan.nodes
    )
    again = ScriptedAction({"a": [Step(result=AttemptResult(outputs={"x": 2}))]})
    state = run_plan(replace(plan, nodes=nodes), replace(world, action=again), run_id="second")
    assert {address: record.state.value for address, record in state.nodes.items()} == {
        "a": "succeeded",
        "b": "succeeded",
        "c": "cached",
    }
    assert (state.nodes["a"].why, state.nodes["b"].why) == ("prompt changed", "result of a changed")


def test_a_change_is_told_against_what_stood_last_reused_or_not(make_plan):
    plan, world = make_plan({"a": []}), World()

    def run_with(place, prompt, policy):
        parts = (KeyPart(name="prompt", digest=prompt), KeyPart(name="policy", digest=policy))
        changed = replace(plan, nodes=(replace(plan.nodes[0], key_parts=parts),))
        record = run_plan(changed, world, run_id=f"run{place}").nodes["a"]
        return record.state.value, record.why

    settings = [("1", "1"), ("2", "2"), ("1", "1"), ("1", "2")]
    assert [run_with(place, *item) for place, item in enumerate(settings)] == [
        ("succeeded", "never run"),
        ("succeeded", "policy changed; prompt changed"),
        ("cached", ""),
        ("succeeded", "policy changed"),
    ]
