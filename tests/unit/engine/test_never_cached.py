"""What was made when something was off is used by its own run at most, and never by a later one."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from maestro_dsl.codec import canonical
from maestro_dsl.compiler.plan import RetryPolicy, SafetyPolicy, SizeLimits
from maestro_dsl.engine.events import FileRef
from maestro_dsl.engine.interpreter import run
from maestro_dsl.engine.keys import forecast
from maestro_dsl.engine.ports.attempts import AttemptResult
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.errors import EnvironmentFailure
from maestro_dsl.lang.model import GiveUp
from maestro_dsl.testing import MemoryPublisher, ScriptedAction, Step, World, failing, run_plan, run_virtual

ONCE = {
    "retry": RetryPolicy(max_attempts=1, max_transport_attempts=1),
    "safety": SafetyPolicy(max_attempts=1),
}


def one(make_plan, **more):
    return make_plan({"n": []}, **{**ONCE, **more})


@pytest.mark.parametrize(
    ("step", "more", "state"),
    [
        (Step(seconds=50), {"attempt_timeout_s": 5.0}, "gave_up"),
        (Step(seconds=50), {"timeout_s": 5.0}, "gave_up"),
        (failing(Failure.TIMEOUT), {}, "gave_up"),
        (Step(error=EnvironmentFailure("cannot write /state: the disk is full")), {}, "failed"),
        (Step(error=OSError(28, "No space left on device")), {}, "failed"),
        (failing(Failure.LOW_QUALITY, usable=True), {"give_up": GiveUp.ACCEPT_DEGRADED}, "degraded"),
    ],
    ids=["attempt too slow", "node too slow", "provider too slow", "full disk", "no space", "degraded"],
)
def test_what_went_wrong_is_made_anew(make_plan, step, more, state):
    world = World(action=ScriptedAction(default=step))
    plan = one(make_plan, **more)
    assert run_plan(plan, world).node_state("n") == state
    assert world.store.results == {}


def test_a_success_after_a_failure_is_kept(make_plan):
    steps = {"n": [failing(Failure.INVALID), Step()]}
    world = World(action=ScriptedAction(steps))
    plan = one(make_plan, retry=RetryPolicy(max_attempts=2))
    assert run_plan(plan, world).node_state("n") == "succeeded"
    assert [item.node for item in world.store.results.values()] == ["n"]


def test_what_could_not_be_put_in_place_is_not_kept(make_plan):
    class Full(MemoryPublisher):
        def publish(self, *_args):
            raise EnvironmentFailure("cannot write /out: the disk is full")

    made = Step(result=AttemptResult(files=(FileRef(path="a", digest="d" * 64, size=1),)))
    world = World(action=ScriptedAction(default=made), publisher=Full())
    assert run_plan(one(make_plan, writes=("*",)), world).node_state("n") == "failed"
    assert world.store.results == {}


def test_a_result_with_a_larger_file_than_is_allowed_by_now_is_made_anew(make_plan):
    plan, world = make_plan({"n": [], "m": ["n"]}), World()
    big = FileRef(path="dev/a.txt", digest=world.artifacts.put(b"12345"), size=5)
    made = Step(result=AttemptResult(files=(big,)))
    world = replace(world, action=ScriptedAction({"n": [made], "m": [Step()]}))
    run_plan(plan, world)
    lower = replace(plan, sizes=SizeLimits(max_artifact_bytes=4))
    said = "its stored dev/a.txt has 5 bytes; limits.max_artifact allows 4"
    assert [(item.cached, item.reason) for item in forecast(lower, world.store)] == [
        (False, said),
        (False, "known after n"),
    ]
    again = replace(world, action=ScriptedAction({"n": [failing(Failure.INVALID)] * 9}))
    node = run_plan(lower, again, run_id="second").nodes["n"]
    assert (node.state, node.why) == ("gave_up", said)
    state = run_plan(plan, world, run_id="third")
    assert {record.state for record in state.nodes.values()} == {"cached"}


@pytest.mark.parametrize("same", [True, False])
def test_what_was_made_from_something_that_changed_meanwhile_is_not_kept(make_plan, same):
    world, plan = World(), one(make_plan)
    world.store.plans["run"] = canonical(plan.semantic())

    async def main():
        runtime = replace(world.runtime(asyncio.get_running_loop()), unchanged=lambda _: same)
        return await run(plan, run_id="run", runtime=runtime)

    assert run_virtual(main()).node_state("n") == "succeeded"
    assert bool(world.store.results) is same
