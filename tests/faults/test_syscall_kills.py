"""SIGKILL at the system calls by which a run changes its state and its output: it goes on as if nothing were.

A small run is killed before a call of any thread: each write, sync, rename, removal and new folder, from the
making of the database to its closing. The same for a run that goes on after a first kill. The default suite
takes a point of every kind, `MAESTRO_TEST_ALL_SYSCALLS=1` every one there is (`-s` prints what came of them).
"""

from __future__ import annotations

import os
import random
import shutil
import sys
from collections import Counter

import pytest
from support.handful import CALLS, Handful, check_survived, check_tidy
from support.syscalls import Point, apply_and_die, missing, points_of

ALL = os.environ.get("MAESTRO_TEST_ALL_SYSCALLS") == "1"
SEED = 5
FEW = 7
"""Kinds of points (thread and call) of which the default suite takes one each."""
FIRST_KILL = Point("journal", "fdatasync", 6)
"""In the midst of the run, for the kills of one that goes on."""

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A run that nobody disturbs: its result and its output."""
    handful = Handful.make(tmp_path_factory.mktemp("calm") / "x")
    result = handful.apply()
    assert (result.status, result.verdict, len(handful.calls())) == ("completed", "verified", CALLS)
    return result, handful.tree()


@pytest.mark.parametrize("begun", [False, True], ids=["first", "second"])
def test_a_run_that_is_killed_at_a_system_call_goes_on(tmp_path, undisturbed, begun):
    handful, saved = Handful.make(tmp_path / "x"), tmp_path / "saved"
    if begun:
        assert apply_and_die(handful, FIRST_KILL)
        assert 2 < len(handful.history()) < len(undisturbed[0].events)
    shutil.copytree(handful.folder, saved)
    points = points_of(handful)
    if not ALL:
        points = few(points)
    outcomes, bad = Counter(), []
    for point in points:
        shutil.rmtree(handful.folder)
        shutil.copytree(saved, handful.folder)
        try:
            outcomes[f"{point.thread} {point.call}: {killed_at(point, handful, undisturbed)}"] += 1
        except Exception as error:
            bad.append(f"{point}: {type(error).__name__}: {error}")
            if not ALL:
                raise AssertionError(f"killed at {point}") from error
    for text, count in sorted(outcomes.items()):
        sys.stdout.write(f"\n{count:5} {text}")
    assert not bad, "\n".join(bad)
    reached = sum(count for text, count in outcomes.items() if "not reached" not in text)
    assert reached > len(points) * 0.9, "most points are where they were"


def few(points):
    """Return one point of each of some kinds, another choice for each list but the same each time."""
    chance = random.Random(SEED)
    kinds = sorted({(point.thread, point.call) for point in points})
    chosen = chance.sample(kinds, min(FEW, len(kinds)))
    return [chance.choice([p for p in points if (p.thread, p.call) == kind]) for kind in chosen]


def killed_at(point, handful, undisturbed):
    """Kill a run there, go on, assert that all is well, and return what there was to be done."""
    if not apply_and_die(handful, point):
        return "not reached"
    assert handful.damages() == ()
    before, calls = handful.history(), len(handful.calls())
    result = handful.go_on()
    if before and result.run_id != before[0].run_id:  # killed behind the last event: all is there already
        assert type(before[-1].body).__name__ == "RunFinished"
        assert len(handful.calls()) == calls
        assert handful.tree() == undisturbed[1]
        check_tidy(handful)
        return "had ended"
    check_survived(handful, before, result, undisturbed, calls)
    return "went on" if before else "began anew"
