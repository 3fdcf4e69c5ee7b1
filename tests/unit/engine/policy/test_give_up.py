from __future__ import annotations

import pytest

from maestro_dsl.engine.policy import give_up
from maestro_dsl.engine.policy.give_up import Ending
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.engine.state import NodeState
from maestro_dsl.lang.model import GiveUp


@pytest.mark.parametrize(
    ("policy", "failure", "more", "expected"),
    [
        (GiveUp.SKIP_DEPENDANTS, "invalid", {}, (NodeState.GAVE_UP, False, False)),
        (GiveUp.KEEP_MOCK, "invalid", {}, (NodeState.GAVE_UP, False, False)),
        (GiveUp.FAIL_PLAN, "invalid", {}, (NodeState.GAVE_UP, True, False)),
        (GiveUp.ASK, "invalid", {}, (NodeState.WAITING, False, True)),
        (GiveUp.SKIP_DEPENDANTS, "invalid", {"give_up_on_failure": False}, (NodeState.WAITING, False, True)),
        (GiveUp.ACCEPT_DEGRADED, "invalid", {"usable": True}, (NodeState.DEGRADED, False, False)),
        (GiveUp.ACCEPT_DEGRADED, "invalid", {}, (NodeState.GAVE_UP, False, False)),
        (GiveUp.ACCEPT_DEGRADED, "fatal", {"usable": True}, (NodeState.FAILED, False, False)),
        (GiveUp.FAIL_PLAN, "fatal", {}, (NodeState.FAILED, True, False)),
        (GiveUp.ASK, "fatal", {}, (NodeState.FAILED, False, False)),
        (GiveUp.ASK, "budget", {}, (NodeState.BUDGET_STOPPED, False, False)),
        (GiveUp.SKIP_DEPENDANTS, "cannot", {}, (NodeState.GAVE_UP, False, False)),
    ],
)
def test_endings(policy, failure, more, expected):
    state, stop_run, ask = expected
    assert give_up.decide(policy, Failure(failure), "why", **more) == Ending(
        state=state, reason="why", stop_run=stop_run, ask=ask
    )


@pytest.mark.parametrize(
    ("crashes", "suspect", "too_often", "too_often_apart"),
    [(0, False, False, False), (1, False, False, False), (2, True, False, False), (3, True, True, False)],
)
def test_the_third_death_counts_where_it_can_only_be_the_node(crashes, suspect, too_often, too_often_apart):
    assert give_up.is_suspect(crashes) is suspect
    assert give_up.crashed_too_often(crashes, apart=False) is too_often
    assert give_up.crashed_too_often(crashes, apart=True) is too_often_apart


def test_ten_deaths_of_the_run_over_one_attempt_are_for_a_person_to_look_at():
    assert [give_up.crashed_too_often(deaths, apart=True) for deaths in (9, 10)] == [False, True]
