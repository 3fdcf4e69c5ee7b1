"""A kill between a model's answer and the end of its node: what was stored is not paid for twice.

Only an answer that never reached the disk is asked for again; the lost one is booked at its reservation.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import pytest
from support.handful import CALLS, Handful, check_survived
from support.kills import Dying, Moment
from support.program import PATIENCE

from maestro_dsl.engine.events import ModelResponded
from maestro_dsl.engine.state import fold
from maestro_dsl.providers.scripted import ScriptedProvider

_CONTEXT = multiprocessing.get_context("forkserver")


def _apply(folder: str, moment: Moment | None) -> None:
    """Be the process: die behind an event, or else with an answer in hand that is not stored."""
    if moment is None:
        original = ScriptedProvider.generate

        async def generate(*arguments):
            await original(*arguments)
            os.kill(os.getpid(), signal.SIGKILL)

        ScriptedProvider.generate = generate
    Handful(Path(folder)).apply([] if moment is None else [Dying(moment)])


def killed(handful, moment):
    process = _CONTEXT.Process(target=_apply, args=(str(handful.folder), moment))
    process.start()
    process.join(PATIENCE)
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.parametrize("count", range(1, CALLS + 1))
def test_an_answer_that_is_stored_is_used_after_a_kill(tmp_path, undisturbed, count):
    handful = Handful.make(tmp_path / "x")
    killed(handful, Moment("ModelResponded", count))
    before, calls = handful.history(), len(handful.calls())
    stored = sum(isinstance(event.body, ModelResponded) for event in before)
    assert stored >= count
    result = handful.go_on()
    check_survived(handful, before, result, undisturbed, calls)
    assert len(handful.calls()) == calls + CALLS - stored
    if stored == calls:  # nobody's answer was on its way
        assert fold(result.events).nano_usd == fold(undisturbed[0].events).nano_usd


def test_an_answer_that_never_reached_the_disk_is_asked_for_again_and_booked_as_reserved(
    tmp_path, undisturbed
):
    handful = Handful.make(tmp_path / "x")
    killed(handful, None)
    before, calls = handful.history(), len(handful.calls())
    assert calls == 1
    assert not any(isinstance(event.body, ModelResponded) for event in before)
    result = handful.go_on()
    check_survived(handful, before, result, undisturbed, calls)
    assert len(handful.calls()) == calls + CALLS
    assert fold(result.events).nano_usd > fold(undisturbed[0].events).nano_usd
