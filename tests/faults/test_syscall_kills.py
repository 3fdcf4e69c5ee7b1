"""SIGKILL at the system calls by which a run changes its state and its output: it goes on as if nothing were.

A small run is killed before a call of any thread: each write, sync, rename, removal and new folder, from the
making of the database to its closing. The same for a run that goes on after a first kill. The default suite
takes a point of every kind, `MAESTRO_TEST_ALL_SYSCALLS=1` every one there is (`-s` prints what came of them).
"""

from __future__ import annotations

import random

import pytest
from support.handful import Handful, check_survived, check_tidy
from support.syscalls import ALL, MAIN, Point, apply_and_die, at_points, missing

SEED = 5
FEW = 7
"""Kinds of points (thread and call) of which the default suite takes one each."""
FIRST_KILLS = {True: Point("journal", "fdatasync", 6), False: Point(MAIN, "fdatasync", 20)}
"""In the midst of the run, with a thread for the journal or without, for the kills of one that goes on."""
WAYS = [(False, False), (True, True), *([(False, True), (True, False)] if ALL else [])]

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))


@pytest.mark.parametrize(("begun", "in_thread"), WAYS)
def test_a_run_that_is_killed_at_a_system_call_goes_on(tmp_path, undisturbed, begun, in_thread):
    handful = Handful.make(tmp_path / "x", in_thread=in_thread)
    if begun:
        assert apply_and_die(handful, FIRST_KILLS[in_thread])
        assert 2 < len(handful.history()) < len(undisturbed[0].events)
    outcomes = at_points(handful, chosen, lambda point: killed_at(point, handful, undisturbed))
    reached = sum(count for text, count in outcomes.items() if "not reached" not in text)
    assert reached > outcomes.total() * 0.9, "most points are where they were"


def chosen(points):
    """Return all points, or one of each of some kinds: another choice for each list, the same each time."""
    if ALL:
        return points
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
