"""Many processes: eight that want one run, and some that work on different runs in one state directory.

The default suite makes four runs, two at once; `MAESTRO_TEST_LONG=1` keeps four processes busy for three
minutes, while one more looks at everything.
"""

from __future__ import annotations

import os
import platform
import re
import sys
import time
from contextlib import closing

import pytest
from support.program import inside
from support.thirty import Thirty, assert_nothing_is_done_twice, kill

from maestro_dsl.engine.events import RunFinished
from maestro_dsl.storage.journal import Journal

pytestmark = pytest.mark.slow
LONG = os.environ.get("MAESTRO_TEST_LONG") == "1"
AT_ONCE, PARTS, RUNS, SECONDS = (4, 9, None, 180) if LONG else (2, 2, 4, 0)
WATCHED = (
    ("runs",),
    ("show", "last"),
    ("tokens",),
    ("cache", "ls"),
    ("tickets", "list"),
    ("state", "verify", "--read-data", "100%"),
    ("state", "gc", "--dry-run"),
)


def test_of_eight_processes_that_resume_one_run_one_does_and_the_others_name_it(tmp_path):
    project = Thirty(tmp_path, parts=2)
    assert kill(project, project.work(), 8, 0.01)
    project.held.touch()
    running = [project.work("resume") for _ in range(8)]
    while len(running) > 1:
        ended = [process for process in running if process.exitcode is not None]
        running = [process for process in running if process.exitcode is None]
        for process in ended:
            said = project.said(process.pid)
            assert process.exitcode == 5, said
            named = re.search(r"is in use by process (\d+) on (\S+) since (\S+) \((.*)\)", said)
            assert named is not None, said
            assert (int(named[1]), named[2]) in [(other.pid, platform.node()) for other in running], said
        time.sleep(0.01)
    project.held.unlink()
    running[0].join()
    assert running[0].exitcode == 0, project.said(running[0].pid)
    assert_nothing_is_done_twice(project)
    assert sum(isinstance(event.body, RunFinished) for event in project.events()) == 1


@pytest.fixture(scope="module")
def digests(tmp_path_factory):
    project = Thirty(tmp_path_factory.mktemp("alone"), parts=PARTS)
    process = project.work()
    process.join()
    assert process.exitcode == 0, project.said()
    return project.digests()


def test_processes_with_runs_of_their_own_share_a_state_directory(tmp_path, digests):
    state, begun = tmp_path / "state", time.monotonic()
    projects, running, looks = [], {}, 0

    def goes_on():
        return len(projects) < RUNS if RUNS else time.monotonic() < begun + SECONDS

    while running or goes_on():
        while goes_on() and len(running) < AT_ONCE:
            project = Thirty(tmp_path, f"p{len(projects)}", parts=PARTS, state=state)
            projects.append(project)
            running[project] = project.work()
        if LONG and len(projects) > AT_ONCE:
            look(state, looks)
            looks += 1
        for project, process in tuple(running.items()):
            process.join(0.01)
            if process.exitcode is not None:
                assert process.exitcode == 0, project.said()
                del running[project]
    sys.stdout.write(f"{len(projects)} runs, {looks} looks in {time.monotonic() - begun:.0f} s\n")
    for project in projects:
        assert "locked" not in project.said()
        assert project.digests() == digests
        assert_nothing_is_done_twice(project)
        events = project.events()
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert len(events) == project.progress(), "what was handed to the journal is not all there"
    with closing(Journal.open(state)) as journal:
        assert journal.verify() == ()
    done = inside("state", "verify", "--read-data", "100%", "--state-dir", state)
    assert done.returncode == 0, done.stdout + done.stderr


def look(state, turn):
    words = WATCHED[turn % len(WATCHED)]
    done = inside(*words, "--state-dir", state)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    assert "locked" not in done.stdout + done.stderr
