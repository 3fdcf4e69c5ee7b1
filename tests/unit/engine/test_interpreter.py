from __future__ import annotations

from dataclasses import replace

import pytest

from maestro_dsl.codec import canonical
from maestro_dsl.compiler.plan import Edge, Execution, Guardrails, PlanNode, Prompt, RetryPolicy, SafetyPolicy
from maestro_dsl.engine.answers import answers_of
from maestro_dsl.engine.events import FileRef, LimitRaised, NodeDecided, Usage
from maestro_dsl.engine.interpreter import AT_ONCE
from maestro_dsl.engine.ports.attempts import AttemptResult, Verdict
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.engine.result import build_result
from maestro_dsl.engine.runtime import RunControl, RunOptions
from maestro_dsl.errors import IntegrityError
from maestro_dsl.lang.model import GiveUp, Schedule
from maestro_dsl.testing import (
    FlatPrices,
    Killed,
    ScriptedAction,
    Step,
    World,
    failing,
    restarted,
    run_plan,
)

QUICK = RetryPolicy(max_attempts=2, jitter=0.0)
ONE_ROUND = SafetyPolicy(max_attempts=1)
ONCE = {"retry": replace(QUICK, max_attempts=1), "safety": ONE_ROUND}


def states(state):
    return {address: record.state.value for address, record in state.nodes.items()}


def kinds(world, run_id="run"):
    return [type(event.body).__name__ for event in world.store.journal[run_id]]


def invalid(message="wrong", **more):
    return failing(Failure.INVALID, message, **more)


def fulfilled(contract_id="api", verdict="fulfilled"):
    return Verdict(contract_id=contract_id, verdict=verdict, fulfilled=verdict == "fulfilled", score=1.0)


def team_script(world, seconds=1.0):
    """A script for `team_plan` in which everything goes well and files are made."""
    content = world.artifacts.put(b"print('hello')\n")
    calls = world.artifacts.put(b'{"seq": 1}\n')

    def made(path, **more):
        file = FileRef(path=path, digest=content, size=15)
        return Step(
            seconds=seconds,
            result=AttemptResult(
                files=(file,),
                outputs={"files": [path]},
                score=0.9,
                usage=Usage(input_tokens=10, output_tokens=5),
                **more,
            ),
        )

    return {
        "build[api]": [made("back/server.py")],
        "build[web]": [made("front/index.html", recorded_calls=calls)],
        "verify[api]": [Step(seconds=seconds, result=AttemptResult(verdict=fulfilled()))],
        "recheck[api/build[web]]": [Step(seconds=seconds, result=AttemptResult(verdict=fulfilled()))],
    }


def team_world(**more):
    world = World(**more)
    world.action = ScriptedAction(team_script(world))
    return world


def test_a_team_run_is_verified_and_the_consumer_starts_before_the_provider_ends(team_plan):
    world = team_world()
    state = run_plan(team_plan, world)

    assert (state.status, state.verdict) == ("completed", "verified")
    assert states(state) == {
        "mock[api]": "succeeded",
        "build[api]": "succeeded",
        "build[web]": "succeeded_on_mock",
        "verify[api]": "succeeded",
        "recheck[api/build[web]]": "succeeded",
        "report": "succeeded",
    }
    assert state.nodes["build[web]"].started_at < state.nodes["build[api]"].finished_at
    assert set(world.publisher.files) == {"back/server.py", "front/index.html"}


def test_what_a_recheck_and_a_report_are_given(team_plan):
    world = team_world()
    run_plan(team_plan, world)

    (recheck,) = world.action.tries("recheck[api/build[web]]")
    assert [item.node for item in recheck.inputs] == ["build[api]", "build[web]", "verify[api]"]
    assert recheck.inputs[1].recorded_calls is not None
    (report,) = world.action.tries("report")
    assert [item.node for item in report.inputs] == [
        node.address for node in team_plan.nodes if node.address != "report"
    ]


def test_a_second_run_reuses_everything_and_costs_nothing(team_plan):
    world = team_world()
    run_plan(team_plan, world)
    again = ScriptedAction()
    state = run_plan(team_plan, replace(world, action=again), run_id="second")

    assert again.specs == []
    assert set(states(state).values()) == {"cached"}
    assert (state.verdict, state.tokens, state.saved_tokens) == ("verified", 0, 30)


def test_a_fast_branch_ends_while_a_slow_sibling_of_its_wave_still_runs(make_plan):
    plan = make_plan({"slow": [], "fast": [], "after_fast": ["fast"]})
    script = {"slow": [Step(seconds=100)], "fast": [Step(seconds=1)], "after_fast": [Step(seconds=1)]}

    ready = run_plan(plan, World(action=ScriptedAction(script)))
    assert ready.nodes["after_fast"].finished_at < ready.nodes["slow"].finished_at

    waves = replace(plan, execution=Execution(schedule=Schedule.WAVES))
    held = run_plan(waves, World(action=ScriptedAction(script)))
    assert held.nodes["after_fast"].started_at >= held.nodes["slow"].finished_at


def test_concurrency_limits_hold(make_plan, make_persona):
    nodes = {f"n{place}": [] for place in range(12)}
    action = ScriptedAction(default=Step(seconds=1))
    run_plan(make_plan(nodes, execution=Execution(max_concurrency=5)), World(action=action))
    assert action.most_running == 5

    action = ScriptedAction(default=Step(seconds=1))
    limited = make_plan(nodes, execution=Execution(max_per_persona=3), persona_id="qa")
    run_plan(replace(limited, personas=(make_persona("qa"),)), World(action=action))
    assert action.most_running == 3

    action = ScriptedAction(default=Step(seconds=1))
    run_plan(make_plan(nodes), World(action=action), options=RunOptions(max_concurrency=1))
    assert action.most_running == 1


def test_a_provider_limit_does_not_strand_nodes_of_the_same_persona(make_plan, make_persona):
    prompt = Prompt(system="", user="x")
    plan = make_plan(
        {
            f"n{place}": PlanNode(
                address=f"n{place}",
                node="n",
                action="do",
                persona_id="qa" if place % 2 else "dev",
                prompt=prompt if place % 3 else None,
            )
            for place in range(30)
        },
        personas=(make_persona("qa"), make_persona("dev")),
        execution=Execution(max_per_persona=2, max_per_provider=1),
    )
    state = run_plan(plan, World(action=ScriptedAction(default=Step(seconds=1))))
    assert state.status == "completed"


def test_a_bug_in_an_action_is_the_failure_of_its_node_alone(make_plan):
    plan = make_plan({"bad": [], "below": ["bad"], "deeper": ["below"], "good": []})
    action = ScriptedAction({"bad": [Step(error=ZeroDivisionError("division by zero"))]})
    state = run_plan(plan, World(action=action))

    assert states(state) == {"bad": "failed", "good": "succeeded", "below": "skipped", "deeper": "skipped"}
    assert state.nodes["bad"].final.reason == "a bug in the action: ZeroDivisionError: division by zero."
    assert state.nodes["deeper"].final.cause == ("bad", "below")
    assert state.nodes["deeper"].final.reason == "bad failed → below skipped"
    assert (state.status, state.verdict) == ("failed", "not_fulfilled")


def test_content_failures_wait_longer_each_time_and_move_along_the_schedule(make_plan, make_persona):
    policy = RetryPolicy(max_attempts=4, temperatures=(0.7, 0.5, 0.3), jitter=0.0)
    plan = make_plan(
        {"a": []},
        personas=(make_persona("p"),),
        persona_id="p",
        prompt=Prompt(system="", user="x"),
        retry=policy,
    )
    transport = failing(Failure.TRANSPORT, "reset")
    steps = [invalid(), transport, invalid(), invalid(), Step()]
    world = World(action=ScriptedAction({"a": steps}))
    state = run_plan(plan, world)

    assert states(state) == {"a": "succeeded"}
    asked = [(spec.attempt, spec.fence, spec.settings.temperature) for spec in world.action.specs]
    assert asked == [(1, 1, 0.7), (2, 2, 0.5), (2, 3, 0.5), (3, 4, 0.3), (4, 5, 0.3)]
    delays = [e.body.delay_s for e in world.store.journal["run"] if type(e.body).__name__ == "RetryScheduled"]
    assert delays == [1.0, 1.0, 2.0, 4.0]
    assert world.action.specs[1].idempotency_key == world.action.specs[2].idempotency_key


def test_errors_are_fed_back_and_a_new_round_has_a_fresh_transcript(make_plan):
    world = World()
    answer = world.artifacts.put(b"first answer")
    steps = [invalid("no route", answer=answer), invalid("no body", answer=answer), Step()]
    world.action = ScriptedAction({"a": steps})
    plan = make_plan({"a": []}, retry=QUICK)
    state = run_plan(plan, world)

    first, second, third = world.action.specs
    assert (first.feedback, first.previous) == ((), None)
    assert [item.message for item in second.feedback] == ["no route"]
    assert second.previous == answer
    assert (third.round, third.attempt, third.previous) == (2, 1, None)
    assert [item.message for item in third.feedback] == ["no body"]
    assert state.nodes["a"].finished_at - state.nodes["a"].started_at == pytest.approx(1 + 5)


def test_a_throttled_provider_makes_all_its_nodes_wait(make_plan, make_persona):
    throttle = failing(Failure.THROTTLE, retry_after_s=30.0)
    plan = make_plan(
        {"a": [], "c": [], "b": ["c"]},
        personas=(make_persona("p"),),
        persona_id="p",
        prompt=Prompt(system="", user="x"),
        retry=QUICK,
    )
    script = {"a": [throttle, Step()], "c": [Step(seconds=1)]}
    state = run_plan(plan, World(action=ScriptedAction(script)))
    assert state.status == "completed"
    assert state.nodes["a"].tries[-1].attempt == 1
    assert state.nodes["b"].started_at >= state.started_at + 30


def test_an_open_breaker_lets_one_probe_through(make_plan, make_persona):
    broken = failing(Failure.TRANSPORT, "refused")
    plan = make_plan(
        {"a": []},
        personas=(make_persona("p"),),
        persona_id="p",
        prompt=Prompt(system="", user="x"),
        retry=RetryPolicy(max_transport_attempts=10, jitter=0.0),
    )
    state = run_plan(plan, World(action=ScriptedAction({"a": [broken] * 6 + [Step()]})))
    assert states(state) == {"a": "succeeded"}
    waited = state.nodes["a"].finished_at - state.nodes["a"].started_at
    assert waited >= 2 * 60  # opened after five, the probe failed, the next probe succeeded


@pytest.mark.parametrize(
    ("policy", "expected", "status"),
    [
        (GiveUp.SKIP_DEPENDANTS, {"a": "gave_up", "b": "skipped", "c": "succeeded"}, "failed"),
        (GiveUp.FAIL_PLAN, {"a": "gave_up", "b": "skipped", "c": "cancelled"}, "failed"),
        (GiveUp.ACCEPT_DEGRADED, {"a": "degraded", "b": "succeeded", "c": "succeeded"}, "failed"),
        (GiveUp.ASK, {"a": "waiting", "c": "succeeded"}, "paused"),
    ],
)
def test_give_up(make_plan, policy, expected, status):
    plan = make_plan({"a": [], "b": ["a"], "slow": [], "c": ["slow"]}, give_up=policy, **ONCE)
    script = {"a": [invalid(usable=True, seconds=1)], "slow": [Step(seconds=5)]}
    state = run_plan(plan, World(action=ScriptedAction(script)))
    found = states(state)
    assert found.pop("slow") == "succeeded"
    assert found == expected
    assert state.status == status


def test_accept_degraded_needs_a_result_that_parses(make_plan):
    plan = make_plan({"a": []}, give_up=GiveUp.ACCEPT_DEGRADED, **ONCE)
    assert states(run_plan(plan, World(action=ScriptedAction({"a": [invalid()]})))) == {"a": "gave_up"}


def test_keep_mock_ends_on_mock(team_plan):
    nodes = tuple(
        replace(node, give_up=GiveUp.KEEP_MOCK, **ONCE) if node.address == "build[api]" else node
        for node in team_plan.nodes
    )
    world = team_world()
    world.action.script["build[api]"] = [invalid()]
    state = run_plan(replace(team_plan, nodes=nodes), world)

    assert states(state) == {
        "mock[api]": "succeeded",
        "build[api]": "gave_up",
        "build[web]": "succeeded_on_mock",
        "verify[api]": "skipped",
        "recheck[api/build[web]]": "skipped",
        "report": "succeeded",
    }
    assert state.nodes["recheck[api/build[web]]"].final.verdict == "could_not_verify"
    assert (state.status, state.verdict) == ("failed", "on_mock")


@pytest.mark.parametrize("verdict", ["not_fulfilled", "could_not_verify"])
def test_a_negative_recheck_decides_the_verdict_and_is_not_retried(team_plan, verdict):
    world = team_world()
    bad = AttemptResult(failure=Failure.INVALID, message="GET /tasks", verdict=fulfilled(verdict=verdict))
    world.action.script["recheck[api/build[web]]"] = [Step(result=bad)]
    state = run_plan(team_plan, world)
    assert len(world.action.tries("recheck[api/build[web]]")) == 1
    assert states(state)["recheck[api/build[web]]"] == "failed"
    assert state.verdict == verdict


@pytest.mark.parametrize("verdict", ["not_fulfilled", "could_not_verify"])
def test_what_a_skipped_recheck_is_worth_comes_from_the_verification_before_it(team_plan, verdict):
    world = team_world()
    bad = AttemptResult(message="no answer", verdict=fulfilled(verdict=verdict))
    world.action.script["verify[api]"] = [Step(result=bad)]
    state = run_plan(team_plan, world)
    assert states(state)["recheck[api/build[web]]"] == "skipped"
    assert state.verdict == verdict
    (report,) = world.action.tries("report")
    assert [item.state for item in report.inputs] == ["succeeded", "succeeded", "succeeded_on_mock", "failed"]


def test_a_condition_that_cannot_be_evaluated_fails_its_node_alone(make_plan):
    nodes = {"a": PlanNode(address="a", node="a", action="do", when="nodes.x"), "b": []}
    state = run_plan(make_plan(nodes))
    assert states(state) == {"a": "failed", "b": "succeeded"}
    assert "x" in state.nodes["a"].final.reason


def test_late_parameters_are_bound_before_the_work(make_plan):
    late = PlanNode(
        address="b",
        node="b",
        action="do",
        edges=(Edge(source="a"),),
        params={"text": "{{ nodes.a.outputs.x + 1 }}"},
        late_params=("text",),
    )
    world = World(action=ScriptedAction({"a": [Step(result=AttemptResult(outputs={"x": 1}))]}))
    run_plan(make_plan({"a": [], "b": late}), world)
    assert world.action.tries("b")[0].node.params == {"text": 2}


def test_a_person_may_have_a_failed_node_tried_again(make_plan):
    plan = make_plan({"a": []}, give_up=GiveUp.ASK, **ONCE)
    world = World(action=ScriptedAction({"a": [invalid(), Step()]}))
    assert run_plan(plan, world).status == "paused"
    options = RunOptions(decisions=(NodeDecided(node="a", decision="retry"),))
    state = run_plan(plan, replace(world, epoch=2), resume=True, options=options)
    assert (states(state), state.nodes["a"].round) == ({"a": "succeeded"}, 2)


def test_fail_fast_starts_nothing_new(make_plan):
    plan = make_plan({"a": [], "slow": [], "c": ["slow"]}, **ONCE)
    script = {"a": [invalid(seconds=1)], "slow": [Step(seconds=5)]}
    state = run_plan(plan, World(action=ScriptedAction(script)), options=RunOptions(fail_fast=True))
    assert states(state) == {"a": "gave_up", "slow": "succeeded", "c": "cancelled"}


def test_a_person_answers_a_node_that_asks(make_plan):
    plan = make_plan({"a": [], "b": ["a"]})
    world = World(action=ScriptedAction({"a": [Step(result=AttemptResult(question="Release?"))]}))
    state = run_plan(plan, world)
    assert (state.status, states(state)["a"]) == ("paused", "waiting")
    assert state.paused.reason == "waiting for an answer about a"

    for decision, expected in (("approve", "succeeded"), ("reject", "failed")):
        copy = World(action=world.action, artifacts=world.artifacts, epoch=2)
        copy.store.journal["run"] = list(world.store.journal["run"])
        options = RunOptions(decisions=(NodeDecided(node="a", decision=decision, by="kim"),))
        done = run_plan(plan, copy, resume=True, options=options)
        assert states(done)["a"] == expected
        assert len(world.action.tries("a")) == 1


def test_an_answer_holds_for_a_retry_while_what_it_was_about_is_the_same(make_plan):
    def script(text, **more):
        made = Step(result=AttemptResult(outputs={"text": text}))
        return ScriptedAction({"a": [made], "ask": [Step(result=AttemptResult(question="Fine?"))], **more})

    plan = make_plan({"a": [], "ask": ["a"], "b": ["ask"]}, **ONCE)
    world = World(action=script("one", b=[invalid()]))
    assert run_plan(plan, world).status == "paused"
    said = NodeDecided(node="ask", decision="approve", by="kim", note="yes")
    first = run_plan(plan, replace(world, epoch=2), resume=True, options=RunOptions(decisions=(said,)))
    assert states(first)["b"] == "gave_up"
    retry = RunOptions(taken_over=answers_of(first))
    whole = World(action=script("one"))
    assert run_plan(plan, whole, options=retry).status == "completed"
    # Whoever goes on with the new run finds the answer in it.
    for killed in range(1, len(whole.store.journal["run"])):
        again = World(action=script("one"))
        again.store.kill_after = killed
        with pytest.raises(Killed):
            run_plan(plan, again, options=retry)
        done = run_plan(plan, restarted(again), resume=True)
        assert states(done) == dict.fromkeys(("a", "ask", "b"), "succeeded")
        assert done.nodes["ask"].final.reason == "approved by kim in run run: yes"
        assert answers_of(done) == answers_of(first)
    assert states(run_plan(plan, World(action=script("two")), options=retry))["ask"] == "waiting"


def test_twenty_parallel_nodes_against_a_limit_for_five(make_plan, make_persona):
    prompt = Prompt(system="", user="x" * 1_000)
    plan = make_plan(
        {f"n{place}": [] for place in range(20)},
        personas=(make_persona("p", token_budget=10_000),),
        persona_id="p",
        prompt=prompt,
        execution=Execution(max_per_persona=20),
    )
    spent = Step(seconds=1, result=AttemptResult(usage=Usage(input_tokens=1_000, output_tokens=1_000)))
    action = ScriptedAction(default=spent)
    state = run_plan(plan, World(action=action))
    assert len(action.specs) == 5
    assert state.tokens == 10_000
    assert sorted(states(state).values()) == ["budget_stopped"] * 15 + ["succeeded"] * 5
    assert ("budget", "persona:p") in state.alerts


def test_the_cost_guardrail_pauses_and_a_higher_limit_continues(make_plan, make_persona):
    rails = Guardrails(max_cost_nano_usd=3_000)
    plan = make_plan(
        {"a": [], "b": ["a"], "c": ["b"]},
        personas=(make_persona("p"),),
        persona_id="p",
        prompt=Prompt(system="", user="x" * 1_000),
        guardrails=rails,
    )
    step = Step(result=AttemptResult(usage=Usage(input_tokens=1_500), nano_usd=1_500))
    world = World(action=ScriptedAction(default=step), prices=FlatPrices(nano_usd=1))
    state = run_plan(plan, world)
    assert state.status == "paused"
    assert state.paused.by == "max_cost"
    assert states(state) == {"a": "succeeded", "b": "pending"}
    assert state.nano_usd == 1_500

    options = RunOptions(limits=LimitRaised(max_cost_nano_usd=10_000))
    done = run_plan(plan, replace(world, epoch=2), resume=True, options=options)
    assert (done.status, done.nano_usd) == ("completed", 4_500)


def test_attempt_and_node_timeouts(make_plan):
    plan = make_plan({"a": []}, attempt_timeout_s=10.0, timeout_s=25.0, retry=QUICK)
    world = World(action=ScriptedAction({"a": [Step(seconds=1_000)]}))
    state = run_plan(plan, world)
    assert states(state) == {"a": "gave_up"}
    assert [item.failure for item in state.nodes["a"].tries] == ["timeout", "timeout", "cancelled"]
    assert state.finished_at - state.started_at == pytest.approx(25.0)


def test_the_deadline_of_a_run_pauses_it(make_plan):
    plan = make_plan({"a": [], "b": ["a"]}, guardrails=Guardrails(max_duration_s=5.0))
    state = run_plan(plan, World(action=ScriptedAction(default=Step(seconds=10))))
    assert (state.status, states(state)["a"]) == ("paused", "succeeded")
    assert "b" not in state.nodes or state.nodes["b"].started_at is None


class Stopping:
    """Calls `act` when the given event type of a node is seen."""

    def __init__(self, kind, node, act):
        self.kind, self.node, self.act = kind, node, act

    def on_event(self, event):
        if type(event.body).__name__ == self.kind and getattr(event.body, "node", None) == self.node:
            self.act()


def test_a_stop_lets_running_attempts_end_and_can_be_resumed(make_plan):
    plan = make_plan({"a": [], "b": ["a"]})
    control = RunControl()
    sink = Stopping("AttemptStarted", "a", control.stop)
    world = World(action=ScriptedAction(default=Step(seconds=5)), sinks=(sink,))
    state = run_plan(plan, world, control=control)
    assert (state.status, state.paused.by) == ("paused", "signal")
    assert states(state) == {"a": "succeeded"}
    done = run_plan(plan, replace(world, sinks=(), epoch=2), resume=True)
    assert done.status == "completed"
    assert len(world.action.tries("a")) == 1


def test_a_second_stop_cuts_attempts_off_and_they_run_again(make_plan):
    plan = make_plan({"a": []})
    control = RunControl()

    def twice():
        control.stop()
        control.stop()

    world = World(
        action=ScriptedAction(default=Step(seconds=5)), sinks=(Stopping("AttemptStarted", "a", twice),)
    )
    state = run_plan(plan, world, control=control)
    assert (state.status, states(state)) == ("paused", {"a": "paused"})
    done = run_plan(plan, replace(world, sinks=(), epoch=2), resume=True)
    tries = [(item.attempt, item.fence, item.failure) for item in done.nodes["a"].tries]
    assert tries == [(1, 1, "cancelled"), (1, 2, None)]
    assert done.nodes["a"].crashes == 0


def test_cancel_ends_the_run_for_good(make_plan):
    plan = make_plan({"a": [], "b": ["a"]})
    control = RunControl()
    sink = Stopping("AttemptStarted", "a", lambda: control.cancel("not wanted"))
    world = World(action=ScriptedAction(default=Step(seconds=5)), sinks=(sink,))
    state = run_plan(plan, world, control=control)
    assert state.status == "cancelled"
    assert states(state) == {"a": "cancelled", "b": "cancelled"}


def test_transitions_of_one_moment_share_an_append(make_plan):
    world = World(action=ScriptedAction(default=Step(seconds=1)))
    run_plan(make_plan({f"n{place}": [] for place in range(50)}), world)
    assert world.store.groups == [1, *[AT_ONCE] * 6, 2, 100, 1]


def test_sinks_see_only_what_is_durable_and_may_fail(make_plan):
    world = World()

    class Sink:
        def on_event(self, event):
            assert event in world.store.journal["run"]
            raise RuntimeError("a broken subscriber")

    world.sinks = (Sink(),)
    assert run_plan(make_plan({"a": []}), world).status == "completed"


def test_a_condition_that_is_false_skips_and_satisfies(make_plan):
    nodes = {
        "a": [],
        "b": PlanNode(
            address="b",
            node="b",
            action="do",
            edges=(Edge(source="a"),),
            when="nodes.a.outputs.x > limit",
            bindings={"limit": 1},
        ),
        "c": ["b"],
    }
    step = Step(result=AttemptResult(outputs={"x": 1}))
    world = World(action=ScriptedAction({"a": [step]}))
    state = run_plan(make_plan(nodes), world)
    assert states(state) == {"a": "succeeded", "b": "skipped", "c": "succeeded"}
    assert state.nodes["b"].final.reason == "its condition is false: nodes.a.outputs.x > limit"
    assert state.verdict == "verified"


def test_an_empty_plan_is_no_success(make_plan):
    state = run_plan(make_plan({}))
    assert (state.status, state.verdict) == ("failed", "could_not_verify")


def test_another_plan_cannot_resume_a_run(make_plan):
    world = World()
    run_plan(make_plan({"a": [], "b": ["a"]}), world)
    world.store.journal["run"] = world.store.journal["run"][:3]
    with pytest.raises(IntegrityError, match="another version of the plan"):
        run_plan(make_plan({"z": []}), replace(world, epoch=2), resume=True)


def final_results(state):
    return {
        address: (record.state.value, record.key, canonical(record.final.files), record.final.verdict)
        for address, record in state.nodes.items()
    }


def test_a_run_killed_after_any_event_ends_the_same_and_repeats_nothing_finished(team_plan):
    whole = team_world()
    whole.action.script["build[api]"] = [invalid(seconds=1), *whole.action.script["build[api]"]]
    script = whole.action.script
    expected = final_results(run_plan(team_plan, whole))
    total = len(whole.store.journal["run"])
    assert total > 20
    for index in range(1, total):
        world = World(artifacts=whole.artifacts)
        world.action = ScriptedAction(script)
        world.store.kill_after = index
        with pytest.raises(Killed):
            run_plan(team_plan, world)
        durable = list(world.store.journal["run"])
        finished = {
            e.body.node: e.body.attempt for e in durable if type(e.body).__name__ == "AttemptFinished"
        }
        started = [e.body for e in durable if type(e.body).__name__ == "AttemptStarted"]
        world.store.results.clear()  # a result stored just before the kill would hide what resume does
        after = replace(restarted(world), action=ScriptedAction(_rest(script, finished)))
        state = run_plan(team_plan, after, resume=True)
        assert final_results(state) == expected, index
        assert state.verdict == "verified"
        for spec in after.action.specs:
            assert finished.get(spec.node.address, 0) < spec.attempt, (index, spec.node.address)
            fences = [item.fence for item in started if item.node == spec.node.address]
            assert spec.fence > max(fences, default=0)


def _rest(script, finished):
    """The script of a process that starts after these attempts have ended."""
    return {address: steps[finished.get(address, 0) :] or steps[-1:] for address, steps in script.items()}


def test_a_node_that_kills_the_process_three_times_gives_up(make_plan):
    plan = make_plan({"a": [], "b": []})
    world = World(action=ScriptedAction({"a": [Step(error=Killed())], "b": [Step()]}))
    for _ in range(3):
        with pytest.raises(Killed):
            run_plan(plan, world, resume=True)
        world = restarted(world)
    state = run_plan(plan, world, resume=True)
    assert states(state) == {"a": "gave_up", "b": "succeeded"}
    assert state.nodes["a"].final.reason == ("help needed: the process ended 3 times while a was at work")


def test_a_stored_answer_is_used_after_a_kill_and_paid_once(make_plan, make_persona):
    class Paying:
        def __init__(self):
            self.paid = 0
            self.die = True

        async def work(self, spec, context):  # noqa: ARG002 - the port's
            if context.stored_answer("request") is None:
                self.paid += 1
                usage = Usage(input_tokens=100)
                await context.answered("request", context.artifacts.put(b"answer"), usage, 100)
            if self.die:
                self.die = False
                raise Killed
            return AttemptResult(usage=Usage(input_tokens=100), nano_usd=100)

    plan = make_plan(
        {"a": []}, personas=(make_persona("p"),), persona_id="p", prompt=Prompt(system="", user="x")
    )
    world = World(action=Paying(), prices=FlatPrices(nano_usd=1))
    with pytest.raises(Killed):
        run_plan(plan, world)
    state = run_plan(plan, restarted(world), resume=True)
    assert (world.action.paid, state.tokens, state.nano_usd) == (1, 100, 100)
    assert state.nodes["a"].usage.total == 100


def test_a_call_lost_with_its_process_is_charged_at_the_reservation(make_plan, make_persona):
    plan = make_plan(
        {"a": []}, personas=(make_persona("p"),), persona_id="p", prompt=Prompt(system="", user="x" * 500)
    )
    steps = [Step(error=Killed()), Step(result=AttemptResult(usage=Usage(input_tokens=7), nano_usd=7))]
    for price, lost in ((1, 1_500), (0, 0)):
        world = World(action=ScriptedAction({"a": steps}), prices=FlatPrices(nano_usd=price))
        with pytest.raises(Killed):
            run_plan(plan, world)
        state = run_plan(plan, restarted(world), resume=True)
        assert state.tokens == lost + 7


def test_an_effect_cut_off_asks_before_it_runs_again(make_plan):
    plan = make_plan({"a": []}, effect=True)
    world = World(action=ScriptedAction({"a": [Step(error=Killed()), Step()]}))
    with pytest.raises(Killed):
        run_plan(plan, world)
    state = run_plan(plan, restarted(world), resume=True)
    assert states(state) == {"a": "waiting"}
    options = RunOptions(decisions=(NodeDecided(node="a", decision="rerun"),))
    done = run_plan(plan, replace(world, epoch=3), resume=True, options=options)
    assert states(done) == {"a": "succeeded"}


def test_an_effect_cut_off_can_be_answered_before_it_is_asked_about(make_plan):
    plan = make_plan({"a": []}, effect=True)
    world = World(action=ScriptedAction({"a": [Step(error=Killed())]}))
    with pytest.raises(Killed):
        run_plan(plan, world)
    options = RunOptions(decisions=(NodeDecided(node="a", decision="skip"),))
    done = run_plan(plan, restarted(world), resume=True, options=options)
    assert (states(done), done.verdict) == ({"a": "skipped"}, "verified")  # it had happened


def test_an_effect_that_had_happened_is_not_had_again_by_a_retry_of_something_else(make_plan):
    effect = PlanNode(address="a", node="a", action="do", effect=True)
    plan = make_plan({"a": effect, "b": [], "c": ["b"]}, **ONCE)
    world = World(action=ScriptedAction({"a": [Step(error=Killed())], "b": [invalid(seconds=5.0)]}))
    with pytest.raises(Killed):
        run_plan(plan, world)
    options = RunOptions(decisions=(NodeDecided(node="a", decision="skip", by="kim"),))
    first = run_plan(plan, restarted(world), resume=True, options=options)
    assert states(first) == {"a": "skipped", "b": "gave_up", "c": "skipped"}
    again = World(action=ScriptedAction())
    second = run_plan(plan, again, options=RunOptions(taken_over=answers_of(first)))
    assert states(second) == {"a": "skipped", "b": "succeeded", "c": "succeeded"}
    assert second.nodes["a"].final.reason == "skipped by kim in run run"
    assert (len(again.action.tries("a")), second.verdict) == (0, "verified")


def test_the_result_reads_like_a_mapping(team_plan):
    state = run_plan(team_plan, team_world())
    result = build_result(team_plan, state)
    assert result["success"] is True
    assert result["quality"]["overall_quality_score"] == 0.9
    assert result["execution"] == {
        "wall_seconds": 3.0,
        "sequential_seconds": 4.0,
        "time_savings_percent": 0.25,
    }
    persona = result.persona_results["back"]
    assert (persona.artifacts, persona.tokens_used, persona.contract_fulfilled) == (
        ("back/server.py",),
        15,
        True,
    )
    assert result.nodes["build[api]"].why == "never run"
    with pytest.raises(KeyError):
        result["nothing"]


def test_a_low_score_is_no_success_although_verified(team_plan):
    result = build_result(replace(team_plan, quality_threshold=0.95), run_plan(team_plan, team_world()))
    assert (result.verdict, result.success) == ("verified", False)
