"""Runs steered from another terminal, with real processes: paused, cancelled, answered, retried, blamed."""

from __future__ import annotations

import contextlib
import io
import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.files import write
from support.kills import apply_apart
from support.program import COMMAND, PATIENCE, environment
from support.projects import IMPATIENT, bare

from maestro_dsl import app
from maestro_dsl.cli.main import execute

SLOW = "import time; time.sleep(600)"
STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(600)
"""
KILLS_THE_RUN = """
import os, pathlib, signal
def parent(pid):
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
keeper = parent(os.getpid())
os.kill(parent(keeper), signal.SIGKILL)
"""


class Steered:
    """A project of commands, its state directory, and the program at work on it."""

    def __init__(self, folder):
        self.folder, self.state = folder, folder / "state"

    def nodes(self, **commands):
        """State the nodes: a program, or (program, needs); "ask" = a question."""
        lines = []
        for name, stated in commands.items():
            code, needs = stated if isinstance(stated, tuple) else (stated, [])
            action = (
                "action: approve"
                if code == "ask"
                else f"action: command, with: {{run: [python, -c, {json.dumps(code)}]}}"
            )
            lines.append(f"  {name}: {{{action}, needs: {json.dumps(needs)}}}\n")
        write(self.folder, bare("".join(lines), settings=IMPATIENT))

    @contextmanager
    def applying(self, *more):
        arguments = ["apply", "plan.yaml", "--auto-approve", "--progress", "json", *more]
        process = subprocess.Popen(
            [*COMMAND, *arguments, "--state-dir", str(self.state)],
            cwd=self.folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            yield process
            process.kill()

    def __call__(self, *arguments):
        """Another terminal: this process, which is quicker than one more."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = execute(["-C", str(self.folder), *arguments, "--state-dir", str(self.state)])
        return SimpleNamespace(returncode=code, stdout=out.getvalue(), stderr=err.getvalue())

    def result(self):
        return app.show_run("last", environ={}, state_dir=self.state)

    def states(self):
        from maestro_dsl.engine.state import fold

        return {name: record.state.value for name, record in fold(self.result().events).nodes.items()}


@pytest.fixture
def steered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # back where we were, whatever -C did
    return Steered(tmp_path)


def until(process, kind, node=None):
    """Read the events of the program up to one of a type (about a node)."""
    for line in process.stderr:
        event = json.loads(line) if line.startswith("{") else {}
        if event.get("type") == kind and node in {None, event.get("node")}:
            return
    pytest.fail(f"the run ended without {kind}")


def alive(marker):
    """Return the processes whose command line holds a text."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes()
                if (
                    marker.encode() in line
                    and (entry / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
                ):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


@needs_proc
def test_a_cancelled_run_leaves_no_process_not_even_stubborn_grandchildren(steered):
    marker = f"marker-{steered.folder.name}-{id(steered)}"
    steered.nodes(stubborn=f"{STUBBORN}# {marker}", slow=SLOW, after=("print(1)", ["slow"]))
    with steered.applying() as process:
        until(process, "AttemptStarted", "slow")
        while len(alive(marker)) < 3:  # the keeper, the command and its own child
            assert process.poll() is None
        done = steered("cancel", "last", "--note", "enough")
        assert (done.returncode, alive(marker)) == (0, [])
        assert "cancelled" in done.stdout
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 1
    assert set(steered.states().values()) == {"cancelled"}
    again = steered("cancel", "last")
    assert (again.returncode, "is cancelled already" in again.stdout) == (0, True)
    late = steered("pause", "last")
    assert (late.returncode, "has ended (cancelled) and cannot be paused" in late.stderr) == (5, True)


def test_a_paused_run_waits_for_resume_and_for_nothing_else(steered):
    steered.nodes(slow=SLOW, quick="print(1)", ask="ask", after=("print(2)", ["ask"]))
    with steered.applying() as process:
        until(process, "NodeWaiting", "ask")
        approved = steered("approve", "last", "--note", "fine")
        assert approved.returncode == 0, approved.stderr
        assert "ask: approve is written, and the run goes on" in approved.stdout
        until(process, "NodeFinished", "after")
        paused = steered("pause", "last", "--now", "--format", "json")
        assert paused.returncode == 0, paused.stderr
        assert json.loads(paused.stdout)["message"].startswith("paused: nothing new starts; 1 at work")
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 6
    assert steered.states() == {
        "slow": "paused",
        "quick": "succeeded",
        "ask": "succeeded",
        "after": "succeeded",
    }
    refused = steered("apply", "plan.yaml", "--auto-approve")
    assert refused.returncode == 5
    assert "waits: paused by" in refused.stderr
    assert f"maestro resume {steered.result().run_id} continues it; --no-resume" in refused.stderr
    with steered.applying("--no-resume") as process:
        until(process, "AttemptStarted", "slow")
        process.send_signal(signal.SIGINT)
        until(process, "RunPaused")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert steered.result().status == "paused"


def test_what_failed_is_tried_again_by_a_new_run_that_reuses_the_rest(steered):
    flag = steered.folder / "flag"
    steered.nodes(
        good="print(1)",
        bad=f"import pathlib, sys; sys.exit(not pathlib.Path({str(flag)!r}).exists())",
        after=("print(2)", ["bad"]),
    )
    assert steered("apply", "plan.yaml", "--auto-approve").returncode == 1
    first = steered.result().run_id
    assert steered.states() == {"good": "succeeded", "bad": "gave_up", "after": "skipped"}
    skipped = steered("retry", "last", "after")
    assert skipped.returncode == 5
    assert f"maestro retry {first} 'bad'" in skipped.stderr
    flag.touch()
    done = steered("retry", "last", "bad")
    assert "a new run of the same plan tries again: bad; the rest is reused" in done.stderr
    assert steered.states() == {"good": "cached", "bad": "succeeded", "after": "succeeded"}
    after = steered.result()
    assert (after.run_id != first, after.status) == (True, "completed")
    assert "nothing failed in run" in steered("retry", "last").stderr


@needs_proc
def test_a_node_that_kills_the_process_gives_up_after_three_and_the_others_go_on(steered):
    steered.nodes(bad=KILLS_THE_RUN, good=SLOW.replace("600", "1"), after=("print(1)", ["good"]))
    ends = []
    while len(ends) < 6 and 0 not in ends:
        ends.append(apply_apart(steered.folder / "plan.yaml", steered.state))
    assert ends == [-signal.SIGKILL] * 2 + [0]  # the third time it had a process of its own
    assert steered.states() == {"bad": "gave_up", "good": "succeeded", "after": "succeeded"}
    shown = steered("show", "last").stdout
    assert "bad ran in a process of its own, and that ended without a result: killed by SIGKILL" in shown


def test_a_run_with_nothing_left_but_a_question_ends_with_six_and_goes_on_when_it_is_answered(steered):
    steered.nodes(ask="ask", after=("print(1)", ["ask"]))
    waiting = steered("apply", "plan.yaml", "--auto-approve")
    run = steered.result().run_id
    assert waiting.returncode == 6
    assert f"next: maestro approve {run} ask" in waiting.stderr
    refused = steered("apply", "plan.yaml", "--auto-approve")
    assert (refused.returncode, "waiting for an answer about ask" in refused.stderr) == (5, True)
    answered = steered("approve", "last", "ask")
    assert (answered.returncode, f"next: maestro resume {run}" in answered.stderr) == (0, True)
    assert "nobody is at work on the run" in answered.stdout
    assert "ask was answered already: approve" in steered("approve", "last", "ask").stdout
    assert steered("approve", "last", "ask", "--reject").returncode == 5
    steered("apply", "plan.yaml", "--auto-approve")  # every question has its answer
    assert steered.states() == {"ask": "succeeded", "after": "succeeded"}
    assert steered.result().run_id == run
