"""The control group that holds root's commands to a number of tasks, where such a group can be made."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

from maestro_dsl.engine.ports.processes import CommandSpec
from maestro_dsl.sandbox import choose, keeper
from maestro_dsl.sandbox.limits import Limits

BOUNDED = """
import os, time
made = 0
try:
    while made < 40:
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)
        made += 1
        with open('made', 'w') as file:
            file.write(str(made))
except OSError:
    pass
time.sleep(30)
"""


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine whose control groups are folders; gives them, says in which this process is."""
    monkeypatch.setattr(keeper, "_PROC", tmp_path / "proc")
    monkeypatch.setattr(keeper, "_GROUPS", tmp_path / "groups")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    (tmp_path / "proc" / "self").mkdir(parents=True)

    def made(mine, *folders, controllers=None):
        (tmp_path / "proc" / "self" / "cgroup").write_text(mine)
        for name in folders:
            (tmp_path / "groups" / name).mkdir(parents=True)
        if controllers is not None:
            (tmp_path / "groups" / folders[0] / "cgroup.subtree_control").write_text(controllers)
        return tmp_path / "groups"

    return made


def test_a_group_of_version_1_is_made_below_our_own_and_what_was_left_is_removed(machine):
    groups = machine("9:memory:/a\n8:pids:/a\n0::/\n", "pids/a/maestro.1", "pids/a/other", "memory/a")
    pen = keeper._pen(64)
    assert pen == groups / "pids" / "a" / f"maestro.{os.getpid()}"
    assert (pen / "pids.max").read_text() == "64"
    assert sorted(path.name for path in (groups / "pids" / "a").iterdir()) == [pen.name, "other"]


def test_a_group_of_version_2_is_made_beside_our_own(machine):
    groups = machine("0::/user/session\n", "user", "user/session", controllers="cpu memory pids\n")
    assert keeper._pen(64) == groups / "user" / f"maestro.{os.getpid()}"


@pytest.mark.parametrize(
    ("mine", "folders", "controllers"),
    [
        ("0::/user/session\n", ("user", "user/session"), "cpu memory\n"),
        ("0::/user/session\n", ("user", "user/session"), None),
        ("8:pids:/a\n", (), None),
        ("strange\n", (), None),
    ],
)
def test_where_no_group_can_be_made_the_keeper_alone_counts(machine, mine, folders, controllers):
    machine(mine, *folders, controllers=controllers)
    assert keeper._pen(64) is None


def test_who_is_not_root_is_held_by_the_kernel_anyway(machine, monkeypatch):
    machine("8:pids:/\n", "pids")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert keeper._pen(64) is None


def test_a_command_of_root_cannot_have_more_tasks_than_its_group_allows(tmp_path):
    found = keeper._pen(10)
    if found is None:
        pytest.skip("not root, or no control group can be made here")
    found.rmdir()
    spec = CommandSpec(argv=(sys.executable, "-c", BOUNDED), cwd=tmp_path, timeout_s=20.0, trusted=True)
    result = asyncio.run(choose("rlimits", limits=Limits(processes=4)).run(spec))
    assert (result.exit_code, result.timed_out) == (137, False)
    assert "stopped: more than 4 processes" in result.stderr
    assert int((tmp_path / "made").read_text()) < 4 * 4
