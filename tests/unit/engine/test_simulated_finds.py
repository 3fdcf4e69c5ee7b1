"""What the simulation found, told as the shortest story of each find."""

from __future__ import annotations

import pytest

from maestro_dsl.compiler.plan import RetryPolicy, SafetyPolicy
from maestro_dsl.engine.events import (
    AttemptFinished,
    AttemptStarted,
    Event,
    FileRef,
    ModelResponded,
    NodeDecided,
    NodeWaiting,
    RunResumed,
    RunStarted,
    Usage,
)
from maestro_dsl.engine.ports.attempts import AttemptResult
from maestro_dsl.engine.runtime import RunOptions
from maestro_dsl.engine.state import fold
from maestro_dsl.errors import DiskFailure
from maestro_dsl.lang.model import GiveUp
from maestro_dsl.testing import MemoryPublisher, ScriptedAction, Step, World, restarted, run_plan

ONCE = {"retry": RetryPolicy(max_attempts=1, jitter=0.0), "safety": SafetyPolicy(max_attempts=1)}


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [
        ("skip", "skipped", "skipped by me"),
        ("reject", "failed", "rejected by me"),
        ("approve", "failed", "rejected by me"),
    ],
)
def test_a_node_whose_time_ran_out_in_a_try_can_be_answered(make_plan, answer, state, reason):
    plan = make_plan({"slow": []}, timeout_s=10.0, give_up=GiveUp.ASK, **ONCE)
    world = World(action=ScriptedAction(default=Step(seconds=50)))
    waits = run_plan(plan, world)
    assert waits.nodes["slow"].waiting is not None
    said = NodeDecided(node="slow", decision=answer, by="me")
    ended = run_plan(plan, restarted(world), resume=True, options=RunOptions(decisions=(said,)))
    assert (ended.nodes["slow"].state, ended.nodes["slow"].final.reason) == (state, reason)


def log(*bodies):
    return [Event(run_id="r", seq=seq, at=float(seq), body=body) for seq, body in enumerate(bodies, 1)]


def test_an_answer_paid_by_a_try_that_died_stays_paid_when_a_person_asks_for_another():
    start = {"node": "n", "attempt": 1, "key": "k", "reserved_tokens": 150}
    usage = Usage(input_tokens=92)
    state = fold(
        log(
            RunStarted(plan_id="p", plan_digest="d", output="o", tool_version="1"),
            AttemptStarted(round=1, fence=1, **start),
            ModelResponded(
                node="n", attempt=1, request_digest="q", response_digest="a", usage=usage, nano_usd=9
            ),
            RunResumed(epoch=2, interrupted=("n",)),
            NodeWaiting(node="n", question="rerun or skip?"),
            NodeDecided(node="n", decision="rerun"),
            AttemptStarted(round=2, fence=2, **start),
            AttemptFinished(
                node="n", attempt=1, round=2, fence=2, failure=None, usage=Usage(input_tokens=10), nano_usd=1
            ),
        )
    )
    record = state.nodes["n"]
    assert (state.tokens, state.nano_usd) == (102, 10)
    assert (record.tokens_spent, record.nano_usd_spent) == (102, 10)


class FullDisk(MemoryPublisher):
    """An output folder with room only once somebody has made some."""

    full = True

    def publish(self, node, key, files):
        if self.full:
            raise DiskFailure("cannot write build: the disk is full", hint="free some space")
        super().publish(node, key, files)


def test_a_full_disk_while_publishing_stops_the_run_and_nothing_is_made_twice(make_plan):
    file = FileRef(path="a", digest="d" * 64, size=1)
    made = Step(result=AttemptResult(files=(file,)))
    world = World(action=ScriptedAction(default=made), publisher=FullDisk())
    plan = make_plan({"n": []}, writes=("a",), **ONCE)
    with pytest.raises(DiskFailure):
        run_plan(plan, world)
    world.publisher.full = False
    ended = run_plan(plan, restarted(world), resume=True)
    assert (ended.status, world.publisher.files) == ("completed", {"a": ("n", "d" * 64)})
    assert len(world.action.specs) == 1


def test_a_full_disk_in_a_try_stops_the_run_and_is_neither_failure_nor_death(make_plan):
    full = Step(error=DiskFailure("cannot write objects: the disk is full"))
    world = World(action=ScriptedAction({"n": [full, full, full, full, Step()]}))
    plan = make_plan({"n": []}, **ONCE)
    for tries in range(4):
        with pytest.raises(DiskFailure):
            run_plan(plan, world, resume=tries > 0)
        world = restarted(world)
    ended = run_plan(plan, world, resume=True)
    assert (ended.status, ended.nodes["n"].crashes) == ("completed", 0)
