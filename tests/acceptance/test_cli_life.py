"""The life of a project through the command line: from `init` to a second run, interruptions included."""

import fcntl
import json
import os
import pty
import signal
import subprocess
import termios
from contextlib import contextmanager

import pytest
from support.program import COMMAND, PATIENCE, environment, inside

from maestro_dsl import app
from maestro_dsl.engine.events import NodeFinished, ServiceReady, decode_event
from maestro_dsl.sandbox.processes import find_orphans


@contextmanager
def started(small):
    """A run in a process of its own, and its events as they come."""
    arguments = [
        "apply",
        "plan.yaml",
        "--state-dir",
        str(small.state),
        "--auto-approve",
        "--progress",
        "json",
    ]
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=small.folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process
        process.kill()


def until(process, kind, count=1):
    """Read the process's events up to the `count`-th of a type."""
    for line in process.stderr:
        count -= json.loads(line)["type"] == kind
        if not count:
            return
    pytest.fail(f"the run ended without {kind}")


def test_from_init_to_a_second_run(tmp_path):
    state = ("--state-dir", tmp_path / "state")
    created = inside("init", "demo", cwd=tmp_path)
    assert created.returncode == 0
    assert "cd demo && maestro lint" in created.stderr
    demo = tmp_path / "demo"

    linted = inside("lint", cwd=demo)
    assert linted.returncode == 0, linted.stdout

    planned = inside("plan", "plan.yaml", *state, cwd=demo)
    assert planned.returncode == 0, planned.stderr
    assert "recheck[backend_api/build[web_app]]" in planned.stdout
    assert not (demo / "build").exists()

    applied = inside("apply", "plan.yaml", "--auto-approve", *state, cwd=demo)
    assert applied.returncode == 0, applied.stderr
    assert "verified: every required node succeeded" in applied.stdout
    assert "next: maestro show" in applied.stderr
    assert "recheck[backend_api/build[web_app]]: succeeded, fulfilled" in applied.stderr  # a plain line
    assert "\x1b" not in applied.stderr + applied.stdout

    listed = inside("runs", *state, cwd=demo)
    assert listed.returncode == 0
    assert "completed" in listed.stdout

    shown = inside("show", "last", *state, cwd=demo)
    assert shown.returncode == 0
    assert "Quality 1.00, at least the threshold 0.80" in shown.stdout

    logged = inside("logs", "last", *state, cwd=demo)
    assert logged.returncode == 0
    assert "build[backend_api]" in logged.stdout

    again = inside("apply", "plan.yaml", "--auto-approve", "--progress", "json", *state, cwd=demo)
    assert again.returncode == 0
    assert "10 cached" in again.stdout
    events = [decode_event(json.loads(line)) for line in again.stderr.splitlines() if line.startswith("{")]
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    ended = [event.body for event in events if isinstance(event.body, NodeFinished)]
    assert {body.state for body in ended} == {"cached"}


def test_a_score_below_the_threshold_decides_the_exit_code(experienced_small):
    experienced_small.edit("contracts/web_app.contract.yaml", "expected_files: 4", "expected_files: 40")
    state = ("--state-dir", experienced_small.state)
    low = inside(
        "apply",
        "plan.yaml",
        *state,
        "--quality-threshold",
        "0.99",
        "--auto-approve",
        cwd=experienced_small.folder,
    )
    assert low.returncode == 1
    assert "threshold 0.99" in low.stdout
    enough = inside(
        "apply",
        "plan.yaml",
        *state,
        "--quality-threshold",
        "0.8",
        "--auto-approve",
        cwd=experienced_small.folder,
    )
    assert enough.returncode == 0, enough.stdout


def test_the_json_document_of_a_run(experienced_small):
    arguments = (
        "--auto-approve",
        "--format",
        "json",
        "--progress",
        "quiet",
        "--state-dir",
        experienced_small.state,
    )
    done = inside("apply", "plan.yaml", *arguments, cwd=experienced_small.folder)
    document = json.loads(done.stdout)
    assert (document["status"], document["verdict"], document["exit_code"]) == ("completed", "verified", 0)
    assert document["format_version"] == 1


def test_one_interrupt_stops_gracefully_and_resume_goes_on(small):
    with started(small) as process:
        until(process, "ServiceReady")
        process.send_signal(signal.SIGINT)
        stdout, rest = process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + signal.SIGINT
    assert stdout == ""
    assert "Traceback" not in rest
    before = app.show_run("last", environ={}, state_dir=small.state)
    assert before.status == "paused"
    assert f"go on with: maestro resume {before.run_id}" in rest
    assert no_service_is_left(before)

    resumed = inside("resume", before.run_id, "--state-dir", small.state)
    assert resumed.returncode == 0, resumed.stderr
    assert "verified" in resumed.stdout
    after = app.show_run(before.run_id, environ={}, state_dir=small.state)
    assert after.events[: len(before.events)] == before.events


def test_a_terminal_that_is_closed_interrupts_the_run(small):
    """Its hang-up reaches the run as the end of the terminal does: nothing can be written any more."""
    master, slave = pty.openpty()
    command = [
        *COMMAND,
        "apply",
        "plan.yaml",
        "--state-dir",
        small.state,
        "--auto-approve",
        "--progress",
        "json",
    ]

    def own_terminal():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        [str(word) for word in command],
        cwd=small.folder,
        env=environment(),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        preexec_fn=own_terminal,  # noqa: PLW1509 - it calls the system alone
    )
    os.close(slave)
    seen = b""
    while b"ServiceReady" not in seen:
        seen += os.read(master, 4096)
    os.close(master)
    assert process.wait(timeout=PATIENCE) == 128 + signal.SIGHUP
    before = app.show_run("last", environ={}, state_dir=small.state)
    assert before.status == "paused"
    assert no_service_is_left(before)
    assert inside("resume", before.run_id, "--state-dir", small.state).returncode == 0


def test_a_second_interrupt_stops_at_once(small):
    with started(small) as process:
        until(process, "ServiceReady")
        process.send_signal(signal.SIGTERM)
        until_told(process)
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + signal.SIGTERM
    assert "Traceback" not in rest
    before = app.show_run("last", environ={}, state_dir=small.state)
    assert "go on with: maestro resume" in rest
    assert no_service_is_left(before)
    assert small.apply().verdict == "verified"


def test_a_live_run_is_not_started_twice(small):
    small.script("answers: [{use: scaffold, delay: 10m}]")
    with started(small) as process:
        until(process, "AttemptStarted", 2)
        second = inside("apply", "plan.yaml", "--state-dir", small.state, "--auto-approve", cwd=small.folder)
        resumed = inside("resume", "--state-dir", small.state)
        assert process.poll() is None
        process.kill()
    assert (second.returncode, resumed.returncode) == (5, 5)
    assert f"is in use by process {process.pid} on " in second.stderr
    assert "apply plan.yaml" in second.stderr
    assert f"process {process.pid}" in resumed.stderr


def until_told(process):
    """Read up to the line that says how to stop at once."""
    for line in process.stderr:
        if "once more to stop at once" in line:
            return


def no_service_is_left(run):
    leases = [event.body.lease for event in run.events if isinstance(event.body, ServiceReady)]
    return leases and not any(find_orphans(lease) for lease in leases)
