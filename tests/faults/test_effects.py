"""A kill between an effect outside and its receipt: never done twice unasked, never lost unsaid.

What really happened is counted by a witness outside the state: a file that the command appends to, and the
place where tickets arrive.
"""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.handful import Handful
from support.kills import Moment, apply_and_die, apply_apart
from support.program import inside
from support.projects import IMPATIENT, bare

from maestro_dsl.engine.events import NodeFinished, NodeWaiting

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
NODES = """\
  before: {{action: render, with: {{path: before.txt, text: x}}}}
  act:
    action: command
    effect: true
    idempotency_key: act
    needs: [before]
    with: {{run: [python, -c, {code}]}}
  after: {{action: render, needs: {{act: {{states: any}}}}, with: {{path: after.txt, text: x}}}}
"""
CODE = """
import os, pathlib, signal, time
folder = pathlib.Path(FOLDER)
def parent(pid):
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
def die(when):
    order = folder / when
    if order.exists():
        order.unlink()
        os.kill(parent(parent(os.getpid())), signal.SIGKILL)  # its keeper's parent works on the run
        time.sleep(600)
die("before the effect")
with (folder / "witness.txt").open("a") as file:
    file.write("done\\n")
die("after the effect")
"""


@dataclass(frozen=True)
class Gap:
    """A moment of death: behind an event, or where the command says so; what had happened, and is known."""

    name: str
    moment: Moment | None
    done: int
    asks: bool


GAPS = (
    Gap("no intent yet", Moment("RunStarted", 1), done=0, asks=False),
    Gap("behind the intent", Moment("AttemptStarted", 2), done=0, asks=True),
    Gap("before the effect", None, done=0, asks=True),
    Gap("after the effect", None, done=1, asks=True),
    Gap("behind the receipt", Moment("AttemptFinished", 2), done=1, asks=False),
    Gap("behind the end", Moment("NodeFinished", 2), done=1, asks=False),
)
ASKING = [gap for gap in GAPS if gap.asks]


@dataclass(frozen=True)
class Acting(Handful):
    """A project with an effect outside."""

    @property
    def plan_file(self) -> Path:
        return self.folder / "project/plan.yaml"

    def witness(self) -> int:
        """Return how often the effect happened."""
        file = self.folder / "witness.txt"
        return len(file.read_text().splitlines()) if file.exists() else 0

    def __call__(self, *arguments):
        return inside("--no-input", *arguments, "--state-dir", self.state, cwd=self.folder / "project")

    def states(self):
        return {e.body.node: e.body.state for e in self.history() if isinstance(e.body, NodeFinished)}


@pytest.fixture
def acting(tmp_path):
    code = CODE.replace("FOLDER", repr(str(tmp_path / "x")))
    return Acting.make(tmp_path / "x", bare(NODES.format(code=json.dumps(code)), settings=IMPATIENT))


def killed(acting, gap):
    """Let the run be killed there."""
    if gap.moment is not None:
        assert apply_and_die(acting, gap.moment)
    else:
        (acting.folder / gap.name).touch()
        assert apply_apart(acting.plan_file, acting.state) == -signal.SIGKILL
    assert acting.witness() == gap.done


@pytest.mark.parametrize("gap", [gap for gap in GAPS if not gap.asks], ids=lambda gap: gap.name)
def test_where_it_is_known_what_happened_the_run_just_goes_on(acting, gap):
    killed(acting, gap)
    done = acting("resume")
    assert "run completed: verified" in done.stderr
    assert acting.witness() == 1
    assert acting.states() == {"before": "succeeded", "act": "succeeded", "after": "succeeded"}
    assert acting.damages() == ()


@pytest.mark.parametrize("gap", ASKING, ids=lambda gap: gap.name)
def test_where_nobody_knows_a_person_is_asked_and_nothing_is_done_before(acting, gap):
    killed(acting, gap)
    asked = acting("resume")
    assert asked.returncode == 6
    assert "act may have had its effect before the process ended: rerun or skip?" in asked.stderr
    run_id = acting.runs()[0].run_id
    assert f"next: maestro resume {run_id} --decide act=skip" in asked.stderr
    refused = acting("apply", "plan.yaml", "--auto-approve")
    assert (refused.returncode, "waiting for an answer about act" in refused.stderr) == (5, True)
    assert acting("approve", run_id, "act").returncode == 5  # there is nothing yet to say yes to
    assert acting.witness() == gap.done
    assert "act" not in acting.states()


@pytest.mark.parametrize(
    ("gap", "asked", "word"),
    [
        (ASKING[0], False, "rerun"),
        (ASKING[1], True, "rerun"),
        (ASKING[2], True, "skip"),
        (ASKING[2], False, "skip"),
        (ASKING[2], False, "rerun"),  # a person may want it twice
    ],
)
def test_the_answer_decides(acting, gap, asked, word):
    killed(acting, gap)
    if asked:
        assert acting("resume").returncode == 6
    done = acting("resume", "--decide", f"act={word}")
    assert acting.witness() == gap.done + (word == "rerun")
    assert acting.states() == {
        "before": "succeeded",
        "act": "succeeded" if word == "rerun" else "skipped",
        "after": "succeeded",
    }
    assert "run completed: verified" in done.stderr
    assert sum(isinstance(event.body, NodeWaiting) for event in acting.history()) == 1


def test_an_answer_that_nobody_asked_for_is_refused(acting):
    killed(acting, GAPS[0])
    for stated in ("before=rerun", "act=rerun", "nowhere=skip", "act=perhaps", "act"):
        assert acting("resume", "--decide", stated).returncode == 2, stated
    acting("resume")
    assert acting.witness() == 1
