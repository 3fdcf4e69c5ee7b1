"""`kill -9` at any moment: what is finished is kept, nothing lives on, the result is the same.

The default suite kills a small project after one event of every type, and at moments when services are up.
With MAESTRO_TEST_ALL_KILLS=1 it kills after every single event of the example.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from support.kills import Moment, apply_and_die
from support.program import PATIENCE, maestro
from support.projects import Project, ran, states

from maestro_dsl import app
from maestro_dsl.engine.events import BODIES, AttemptStarted, ModelResponded, NodeFinished, ServiceReady
from maestro_dsl.sandbox.processes import LEASE_VARIABLE, find_orphans

pytestmark = pytest.mark.slow
ALL = os.environ.get("MAESTRO_TEST_ALL_KILLS") == "1"
PARTS = 8
MOMENTS = (
    Moment("RunStarted", 1),
    Moment("AttemptStarted", 3),  # two nodes are at work
    Moment("ModelResponded", 2),
    Moment("ServiceReady", 2),  # a mock and a real provider are up
    Moment("ServiceStopped", 2),
    Moment("AttemptFinished", 3),
    Moment("PublishStarted", 3),
    Moment("Published", 2),
    Moment("NodeFinished", 4),
    Moment("PublishStarted", 4),  # the reports
    Moment("RunFinished", 1),
)
UNPROVOKED = {
    "NodeDecided",
    "NodeWaiting",
    "RunPaused",
    "RunResumed",
    "RetryScheduled",
    "AlertRaised",
    "LimitRaised",
    "ProviderHeld",
    "TicketOpened",
}
"""Types that an undisturbed run of the example does not write."""


@pytest.mark.skipif(ALL, reason="MAESTRO_TEST_ALL_KILLS=1: every event is taken instead")
@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_a_run_survives_its_process(moment, small, finished_small):
    assert apply_and_die(small, moment)
    before = app.show_run("last", environ={}, state_dir=small.state)
    again = small.apply()
    if before.status == "completed":  # killed after the last event: nothing is left to be done
        assert set(states(again).values()) == {"cached"}
        assert small.digests() == finished_small[0].digests()
        return
    assert again.continued
    assert again.run_id == before.run_id
    survived(small, before, again, finished_small)


@pytest.mark.skipif(ALL, reason="MAESTRO_TEST_ALL_KILLS=1: every event is taken instead")
def test_maestro_resume_goes_on_after_a_kill(small, finished_small):
    assert apply_and_die(small, Moment("ServiceReady", 4))  # the recheck has its provider
    before = app.show_run("last", environ={}, state_dir=small.state)
    done = maestro("resume", "--state-dir", small.state)
    assert done.returncode == 0, done.stderr
    assert "verified" in done.stdout
    after = app.show_run(before.run_id, environ={}, state_dir=small.state)
    survived(small, before, after, finished_small)


@pytest.mark.skipif(ALL, reason="MAESTRO_TEST_ALL_KILLS=1: every event is taken instead")
def test_two_kills_of_one_run_are_survived_too(small, finished_small):
    assert apply_and_die(small, Moment("AttemptStarted", 3))
    assert apply_and_die(small, Moment("NodeFinished", 3))
    before = app.show_run("last", environ={}, state_dir=small.state)
    survived(small, before, small.apply(), finished_small)


@pytest.mark.skipif(ALL, reason="MAESTRO_TEST_ALL_KILLS=1: every event is taken instead")
def test_a_changed_plan_takes_what_the_killed_run_had_finished(small):
    assert apply_and_die(small, Moment("NodeFinished", 4))
    before = app.show_run("last", environ={}, state_dir=small.state)
    small.edit("contracts/web_app.contract.yaml", "expected_files: 4", "expected_files: 3")
    after = small.apply()
    assert (after.continued, after.verdict) == (False, "verified")
    runs = {run.run_id: run for run in app.list_runs(environ={}, state_dir=small.state).runs}
    assert runs[before.run_id].status == "cancelled"
    kept = {node for node, state in states(after).items() if state == "cached"}
    assert "mock[backend_api]" in kept
    assert kept <= set(states(before))
    assert "build[web_app]" in ran(after)


def test_a_service_that_outlived_its_keeper_is_ended_by_the_next_apply(small):
    assert apply_and_die(small, Moment("ServiceReady", 2))
    before = app.show_run("last", environ={}, state_dir=small.state)
    lease = next(
        event.body.lease
        for event in before.events
        if isinstance(event.body, ServiceReady) and event.body.mode == "real"
    )
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    with subprocess.Popen(command, env={LEASE_VARIABLE: lease}, start_new_session=True) as left:
        assert small.apply().verdict == "verified"
        assert left.wait(timeout=PATIENCE) == -signal.SIGKILL


def test_every_type_of_event_that_the_example_writes_is_killed_at(finished_small):
    _, result = finished_small
    written = {type(event.body).__name__ for event in result.events}
    assert {moment.kind for moment in MOMENTS} == written
    assert written | UNPROVOKED == set(BODIES)


@pytest.mark.skipif(not ALL, reason="set MAESTRO_TEST_ALL_KILLS=1 to kill after every event")
@pytest.mark.parametrize("part", range(PARTS))
def test_a_run_survives_its_process_after_every_event(part, tmp_path, finished_todo):
    for count in range(1 + part, len(finished_todo[1].events) + 1, PARTS):
        folder = tmp_path / str(count)
        project = Project(folder / "project", folder / "state", "todo-app")
        if not apply_and_die(project, Moment(None, count)):
            continue  # this run needed fewer events
        before = app.show_run("last", environ={}, state_dir=project.state)
        again = project.apply()
        if before.status == "completed":
            assert project.digests() == finished_todo[0].digests()
        else:
            survived(project, before, again, finished_todo)


def survived(project, before, after, undisturbed):
    """Assert everything that a killed and continued run must hold."""
    original, result = undisturbed
    assert (after.verdict, after.exit_code) == ("verified", 0)
    assert after.events[: len(before.events)] == before.events
    later = [event.body for event in after.events[len(before.events) :]]
    started = {body.node for body in later if isinstance(body, AttemptStarted)}
    assert not started & set(states(before)), "a finished node ran again"
    ended = [event.body.node for event in after.events if isinstance(event.body, NodeFinished)]
    assert sorted(ended) == sorted(states(result)), "each node ends once"
    asked = [
        (event.body.node, event.body.request_digest)
        for event in after.events
        if isinstance(event.body, ModelResponded)
    ]
    assert len(asked) == len(set(asked)), "an answer that was there was asked for again"
    assert project.digests() == original.digests()
    assert findings(project) == findings(original)
    leases = [event.body.lease for event in after.events if isinstance(event.body, ServiceReady)]
    assert [find_orphans(lease) for lease in leases] == [()] * len(leases)
    assert not list(Path(tempfile.gettempdir()).glob(f"maestro-{after.run_id}-*")), "a scratch folder is left"


def findings(project):
    """The two reports without what differs from run to run."""
    validation = json.loads((project.output / "contracts/validation_report.json").read_text())
    quality = json.loads((project.output / "quality_report.json").read_text())
    return validation, {name: value for name, value in quality.items() if name != "run"}
