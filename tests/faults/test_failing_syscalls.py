"""A disk that fails or is full from a system call on, SQLite's own calls too: exit 8, later the same result.

The default suite lets a few calls fail, `MAESTRO_TEST_ALL_SYSCALLS=1` every one of a run, with EIO and with
ENOSPC (`-s` prints what came of them).
"""

from __future__ import annotations

import random

import pytest
from support.handful import Handful, check_survived, check_tidy
from support.syscalls import ALL, apply_on_a_bad_disk, at_points, missing

FEW = 2
FAILS = ("write", "pwrite64", "ftruncate", "fsync", "fdatasync", "rename", "renameat", "mkdir", "mkdirat")
"""Calls that a bad or full disk refuses."""

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))


@pytest.mark.parametrize(
    ("error", "in_thread"),
    [("EIO", False), ("ENOSPC", True), *([("EIO", True), ("ENOSPC", False)] if ALL else [])],
)
def test_a_run_stops_at_a_call_that_fails_and_goes_on_later(tmp_path, undisturbed, error, in_thread):
    def chosen(points):
        points = [point for point in points if point.call in FAILS]
        return points if ALL else random.Random(error).sample(points, FEW)

    handful = Handful.make(tmp_path / "x", in_thread=in_thread)
    at_points(handful, chosen, lambda point: failed_at(point, error, handful, undisturbed))


def failed_at(point, error, handful, undisturbed):
    """Let a run meet the failure, go on on a well disk, assert that all is well, and return what happened."""
    code = apply_on_a_bad_disk(handful, point, error)
    assert code in {0, 8}, f"exit code {code}"
    assert handful.damages() == ()
    before, calls = handful.history(), len(handful.calls())
    result = handful.go_on()
    if code == 0 or (before and result.run_id != before[0].run_id):
        assert type(before[-1].body).__name__ == "RunFinished"
        assert handful.tree() == undisturbed[1]
        check_tidy(handful)
        return "did no harm" if code == 0 else "had ended"
    check_survived(handful, before, result, undisturbed, calls)
    return "went on" if before else "began anew"
