"""What is asked of a run from another terminal: the rules, and a run that hears it, in virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from maestro_dsl.compiler.plan import RetryPolicy, SafetyPolicy
from maestro_dsl.engine.commands import Command, CommandKind, Ruling, rule, waiting
from maestro_dsl.engine.events import (
    AlertRaised,
    Event,
    NodeDecided,
    NodeFinished,
    NodeWaiting,
    RunFinished,
    RunPaused,
    RunStarted,
)
from maestro_dsl.engine.ports.attempts import AttemptResult
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.engine.runtime import RunControl
from maestro_dsl.engine.state import fold
from maestro_dsl.errors import IntegrityError, StateError
from maestro_dsl.lang.model import GiveUp
from maestro_dsl.testing import ScriptedAction, Step, World, failing, run_plan

PAUSE = Command(run_id="run", kind=CommandKind.PAUSE, by="ann")
PAUSE_NOW = replace(PAUSE, now=True)
CANCEL = Command(run_id="run", kind=CommandKind.CANCEL, by="ann", note="wrong branch")
ASKING = Step(result=AttemptResult(question="May it go on?"))


def approve(node, decision="approve"):
    return Command(run_id="run", kind=CommandKind.DECIDE, node=node, decision=decision, by="ann")


class Queue:
    """Requests that become visible at their time; keeps what was answered, and when."""

    def __init__(self, *requests):
        self._requests = [
            (at, replace(command, number=place)) for place, (at, command) in enumerate(requests, 1)
        ]
        self.withdrawn = set()
        self.accepted = []
        self.answers = {}

    def next(self, _run_id):
        now = asyncio.get_running_loop().time()
        for at, command in self._requests:
            if at <= now and command.number not in {*self.accepted, *self.withdrawn}:
                return command
        return None

    def accept(self, number):
        if number in self.withdrawn:
            return False
        self.accepted.append(number)
        return True

    def answer(self, number, *, done, text):
        assert number in self.accepted
        self.answers[number] = (round(asyncio.get_running_loop().time(), 1), done, text)


def states(state):
    return {address: record.state.value for address, record in state.nodes.items()}


def events(world, kind=None):
    found = list(world.store.events("run"))
    return found if kind is None else [event.body for event in found if isinstance(event.body, kind)]


# ---- rules -----------------------------------------------------------------------------------------------


def folded(*bodies):
    start = RunStarted(plan_id="p", plan_digest="d", output="o", tool_version="1")
    return fold(
        Event(run_id="run", seq=seq, at=float(seq), body=body) for seq, body in enumerate((start, *bodies), 1)
    )


ASKED = NodeWaiting(node="a", question="?")
ANSWERED = NodeDecided(node="a", decision="approve", by="bob")
HELD = RunPaused(reason="lunch", by="person")
DONE = RunFinished(status="completed", verdict="verified")
CANCELLED = RunFinished(status="cancelled", verdict="could_not_verify")


@pytest.mark.parametrize(
    ("before", "command", "ruling", "text"),
    [
        ((), PAUSE, Ruling.GO, ""),
        ((RunPaused(reason="interrupted", by="signal"),), PAUSE, Ruling.GO, ""),
        ((HELD,), PAUSE, Ruling.ALREADY, "run run is paused already"),
        ((HELD,), PAUSE_NOW, Ruling.ALREADY, "run run is paused already"),
        ((DONE,), PAUSE, Ruling.REFUSED, "run run has ended (completed) and cannot be paused"),
        ((), CANCEL, Ruling.GO, ""),
        ((HELD,), CANCEL, Ruling.GO, ""),
        ((CANCELLED,), CANCEL, Ruling.ALREADY, "run run is cancelled already"),
        ((DONE,), CANCEL, Ruling.REFUSED, "run run has ended (completed) and cannot be cancelled"),
        ((ASKED,), approve("a"), Ruling.GO, ""),
        ((ASKED, ANSWERED), approve("a"), Ruling.ALREADY, "a was answered already: approve"),
        ((ASKED, ANSWERED), approve("a", "reject"), Ruling.REFUSED, "a was answered already: approve"),
        ((ASKED,), approve("b"), Ruling.REFUSED, "b waits for no answer: it is pending"),
        ((CANCELLED,), approve("a"), Ruling.REFUSED, "run run has ended (cancelled) and cannot be answered"),
    ],
)
def test_what_a_request_means_for_a_run_as_it_stands(before, command, ruling, text):
    found = rule(folded(*before), command)
    assert (found.ruling, found.text) == (ruling, text)


def test_a_refused_answer_names_the_nodes_that_do_wait():
    state = folded(ASKED, NodeWaiting(node="c", question="?"))
    assert rule(state, approve("b")).hint == "these wait: a, c"
    assert waiting(state) == ("a", "c")


def test_a_node_that_has_ended_waits_for_nobody():
    assert waiting(folded(ASKED, NodeFinished(node="a", state="failed"))) == ()


# ---- pause -----------------------------------------------------------------------------------------------


def test_a_pause_lets_what_is_at_work_end_and_starts_nothing_new(make_plan):
    queue = Queue((3.0, PAUSE), (5.0, PAUSE))
    world = World(action=ScriptedAction({"a": [Step(seconds=10)]}), commands=queue)
    state = run_plan(make_plan({"a": [], "b": ["a"], "c": []}), world)
    assert (state.status, states(state)) == ("paused", {"a": "succeeded", "c": "succeeded"})
    assert (state.paused.by, state.paused.reason) == ("person", "paused by ann")
    at, done, text = queue.answers[1]
    assert (done, text) == (True, "paused: nothing new starts; 1 at work end first")
    assert at <= 3.2
    assert queue.answers[2][1:] == (True, "run run is paused already")
    done = run_plan(
        make_plan({"a": [], "b": ["a"], "c": []}), replace(world, commands=None, epoch=2), resume=True
    )
    assert (done.status, len(world.action.tries("a"))) == ("completed", 1)


def test_pause_now_ends_what_is_at_work_and_it_runs_again_later(make_plan):
    queue = Queue((3.0, PAUSE_NOW))
    world = World(action=ScriptedAction({"a": [Step(seconds=10)]}), commands=queue)
    plan = make_plan({"a": [], "b": ["a"]})
    state = run_plan(plan, world)
    assert (state.status, states(state)) == ("paused", {"a": "paused"})
    assert state.updated_at - state.started_at < 4
    assert queue.answers[1][1:] == (
        True,
        "paused: nothing new starts; 1 at work are stopped and will run again",
    )
    done = run_plan(plan, replace(world, commands=None, epoch=2), resume=True)
    assert (done.status, done.nodes["a"].crashes, len(world.action.tries("a"))) == ("completed", 0, 2)


def test_a_pause_turned_into_pause_now_ends_what_the_first_let_go_on(make_plan):
    queue = Queue((1.0, PAUSE), (2.0, PAUSE_NOW))
    world = World(action=ScriptedAction({"a": [Step(seconds=100)]}), commands=queue)
    state = run_plan(make_plan({"a": []}), world)
    assert states(state) == {"a": "paused"}
    assert state.updated_at - state.started_at < 3


def test_a_person_s_pause_stands_above_a_signal(make_plan):
    control = RunControl()

    class Stopping:
        def on_event(self, event):
            if isinstance(event.body, RunPaused) and event.body.by == "person":
                asyncio.get_running_loop().call_soon(control.stop)

    world = World(
        action=ScriptedAction({"a": [Step(seconds=10)]}),
        commands=Queue((1.0, PAUSE)),
        sinks=(Stopping(),),
    )
    state = run_plan(make_plan({"a": [], "b": ["a"]}), world, control=control)
    assert (state.paused.by, [body.by for body in events(world, RunPaused)]) == ("person", ["person"])


def test_a_node_between_two_tries_is_paused_at_once(make_plan):
    plan = make_plan({"a": []}, retry=RetryPolicy(max_attempts=3, delay_s=60.0, max_delay_s=60.0, jitter=0.0))
    script = ScriptedAction({"a": [failing(Failure.INVALID), Step()]})
    world = World(action=script, commands=Queue((5.0, PAUSE)))
    state = run_plan(plan, world)
    assert state.updated_at - state.started_at < 6
    done = run_plan(plan, replace(world, commands=None, epoch=2), resume=True)
    assert (done.status, len(script.specs)) == ("completed", 2)


# ---- cancel ----------------------------------------------------------------------------------------------


def test_a_cancel_ends_the_run_and_is_answered_only_when_its_end_is_stored(make_plan):
    queue = Queue((3.0, CANCEL))
    world = World(action=ScriptedAction({"a": [Step(seconds=10)]}), commands=queue)

    def answered(number, *, done, text):
        assert isinstance(events(world)[-1].body, RunFinished)
        Queue.answer(queue, number, done=done, text=text)

    queue.answer = answered
    state = run_plan(make_plan({"a": [], "b": ["a"], "c": []}), world)
    assert (state.status, state.reason) == ("cancelled", "cancelled by ann: wrong branch")
    assert states(state) == {"a": "cancelled", "b": "cancelled", "c": "succeeded"}
    assert queue.answers[1][1:] == (True, "cancelled")
    assert len(world.action.tries("a")) == 1


def test_a_paused_run_that_still_works_can_be_cancelled(make_plan):
    queue = Queue((1.0, PAUSE), (2.0, CANCEL))
    world = World(action=ScriptedAction({"a": [Step(seconds=50)]}), commands=queue)
    state = run_plan(make_plan({"a": []}), world)
    assert (state.status, queue.answers[2][1:]) == ("cancelled", (True, "cancelled"))


def test_a_request_that_was_withdrawn_is_not_done(make_plan):
    queue = Queue((1.0, CANCEL))

    def accept(number):
        queue.withdrawn.add(number)  # its sender was quicker
        return False

    queue.accept = accept
    world = World(action=ScriptedAction({"a": [Step(seconds=5)]}), commands=queue)
    assert (run_plan(make_plan({"a": []}), world).status, queue.answers) == ("completed", {})


# ---- answers ---------------------------------------------------------------------------------------------


def test_a_question_holds_its_branch_only_and_an_answer_lets_it_go_on(make_plan):
    queue = Queue((20.0, approve("ask")))
    script = {"ask": [ASKING], "slow": [Step(seconds=30)], "fast": [Step(seconds=1)]}
    plan = make_plan({"ask": [], "after": ["ask"], "slow": [], "fast": [], "fast2": ["fast"]})
    world = World(action=ScriptedAction(script), commands=queue)
    state = run_plan(plan, world)
    assert (state.status, set(states(state).values())) == ("completed", {"succeeded"})
    assert queue.answers[1][1:] == (True, "ask: approve is written, and the run goes on")
    ended = {node: record.finished_at - state.started_at for node, record in state.nodes.items()}
    assert ended["fast2"] < 2
    assert 20 <= ended["after"] < 21


def test_a_run_with_nothing_but_questions_ends_waiting(make_plan):
    world = World(action=ScriptedAction({"ask": [ASKING]}), commands=Queue())
    state = run_plan(make_plan({"ask": [], "after": ["ask"]}), world)
    assert (state.status, state.paused.by, states(state)) == ("paused", "approval", {"ask": "waiting"})


@pytest.mark.parametrize(
    ("decision", "final", "verdict"),
    [
        ("reject", "failed", "not_fulfilled"),
        ("skip", "skipped", "could_not_verify"),  # what failed and was left out is no success
        ("retry", "succeeded", "verified"),
    ],
)
def test_every_answer_ends_the_node_as_it_says(make_plan, decision, final, verdict):
    once = {"retry": RetryPolicy(max_attempts=1), "safety": SafetyPolicy(max_attempts=1)}
    plan = make_plan({"a": [], "slow": []}, give_up=GiveUp.ASK, **once)
    script = {"a": [failing(Failure.INVALID, "wrong"), Step()], "slow": [Step(seconds=9)]}
    world = World(action=ScriptedAction(script), commands=Queue((3.0, approve("a", decision))))
    state = run_plan(plan, world)
    assert (states(state)["a"], state.verdict) == (final, verdict)


def test_a_wrong_answer_is_refused_in_a_sentence(make_plan):
    queue = Queue((1.0, approve("b")))
    world = World(action=ScriptedAction({"a": [Step(seconds=3)]}), commands=queue)
    run_plan(make_plan({"a": [], "b": ["a"]}), world)
    text = "b waits for no answer: it is pending (no node of this run waits for an answer)"
    assert queue.answers[1][1:] == (False, text)


def test_a_queue_that_cannot_be_read_does_not_end_the_run(make_plan, caplog):
    class Broken(Queue):
        def next(self, _run_id):
            raise StateError("the database stays locked")

    world = World(action=ScriptedAction({"a": [Step(seconds=1)]}), commands=Broken())
    assert run_plan(make_plan({"a": []}), world).status == "completed"
    assert "the database stays locked" in caplog.text


def test_a_request_that_damage_hides_is_told_once_and_the_run_goes_on(make_plan):
    class Damaged(Queue):
        def next(self, _run_id):
            raise IntegrityError("1 requests wait, and 0 are there")

    world = World(action=ScriptedAction({"a": [Step(seconds=5)]}), commands=Damaged())
    state = run_plan(make_plan({"a": []}), world)
    assert state.status.value == "completed"
    told = [event.body.message for event in world.store.events("run") if type(event.body) is AlertRaised]
    assert told == ["a request from another terminal cannot be read: 1 requests wait, and 0 are there"]


def test_a_bug_of_the_queue_makes_the_run_neither_end_nor_deaf(make_plan, caplog):
    class Stumbling(Queue):
        stumbles = 3

        def next(self, run_id):
            self.stumbles -= 1
            if self.stumbles > 0:
                raise KeyError("a bug")
            return super().next(run_id)

    queue = Stumbling((1.0, CANCEL))
    world = World(action=ScriptedAction({"a": [Step(seconds=9)]}), commands=queue)
    assert run_plan(make_plan({"a": []}), world).status == "cancelled"
    assert "KeyError: 'a bug'" in caplog.text
