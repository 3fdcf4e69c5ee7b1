from __future__ import annotations

import pytest

from maestro_dsl.engine.policy import give_up
from maestro_dsl.engine.policy.give_up import Ending
from maestro_dsl.engine.ports import Failure
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
    ("crashes", "alone", "elsewhere", "too_often"),
    [
        (0, 0, 0, False),
        (2, 2, 0, False),
        (3, 3, 0, True),
        (3, 2, 0, True),
        (3, 2, 1, True),
        (3, 2, 2, False),
        (4, 3, 2, True),
        (3, 1, 0, False),
        (9, 0, 0, False),
    ],
)
def test_three_crashes_are_too_many_where_nothing_else_can_be_the_cause(crashes, alone, elsewhere, too_often):
    assert give_up.crashed_too_often(crashes, alone, elsewhere) is too_often


def test_a_small_company_is_under_suspicion_at_once_a_large_one_only_the_second_time():
    assert [give_up.suspicious_from(near) for near in (1, 8, 9, 100)] == [1, 1, 2, 2]
