"""`kill -9` of the whole process group at random moments of a run, several times a run.

The default suite kills a run of 15 nodes six times, `MAESTRO_TEST_LONG=1` 20 runs of 30 nodes five times.
What must hold then is read off the log, and off a witness that the run's commands and model wrote outside.
"""

from __future__ import annotations

import os
import sys
from contextlib import closing
from random import Random

import pytest
from support.thirty import Thirty, assert_nothing_is_done_twice, kill

from maestro_dsl.engine.events import NodeFinished, RunFinished, RunResumed
from maestro_dsl.storage.journal import Journal

pytestmark = pytest.mark.slow
LONG = os.environ.get("MAESTRO_TEST_LONG") == "1"
RUNS, KILLS, PARTS = (20, 5, 9) if LONG else (1, 6, 4)
AT_START_S = 0.4
"""Within so many seconds a process has not written much yet."""
WITHIN_S = 0.06
"""Longer than it takes from one event to the next."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    project = Thirty(tmp_path_factory.mktemp("undisturbed"), parts=PARTS)
    process = project.work()
    process.join()
    assert process.exitcode == 0, project.said()
    assert_nothing_is_done_twice(project)
    return project.digests(), len(project.events())


@pytest.mark.parametrize("seed", range(RUNS))
def test_a_run_that_is_killed_at_random_makes_the_same_and_nothing_twice(tmp_path, undisturbed, seed):
    digests, total = undisturbed
    project, rand, hits = Thirty(tmp_path, parts=PARTS), Random(seed), 0
    for moment in sorted(rand.randrange(total) for _ in range(KILLS)):
        ahead = max(0, moment - len(project.events()))
        after_s = rand.uniform(0, WITHIN_S if ahead else AT_START_S)
        hits += kill(project, project.work(), ahead, after_s)
        if any(isinstance(event.body, RunFinished) for event in project.events()):
            break
    last = project.work()
    last.join()
    events = project.events()
    resumes = sum(isinstance(event.body, RunResumed) for event in events)
    sys.stdout.write(f"seed {seed}: {hits} kills, {resumes} of them while the run was at work\n")
    assert last.exitcode == 0, project.said()
    assert project.digests() == digests
    assert sum(isinstance(event.body, NodeFinished) for event in events) == project.nodes
    assert_nothing_is_done_twice(project)
    with closing(Journal.open(project.state)) as journal:
        assert journal.verify() == ()
    assert not project.alive()
