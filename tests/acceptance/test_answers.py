"""Questions of a run on a terminal: asked when nothing else is at work, answered in place."""

from __future__ import annotations

import contextlib
import io

import pytest
from support.files import write
from support.projects import IMPATIENT, bare

from maestro_dsl.cli.main import execute
from maestro_dsl.engine.state import fold

NODES = """\
  fails: {action: command, with: {run: [python, -c, "raise SystemExit(1)"]}, give_up: ask}
  ship: {action: approve, with: {message: "Ship it?"}}
"""


@pytest.fixture
def terminal(tmp_path, monkeypatch):
    """Return a function that runs a command line on a terminal on which these answers are typed."""
    write(tmp_path, bare(NODES, settings=IMPATIENT))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("maestro_dsl.cli.main.is_terminal", lambda: True)

    def run(*arguments, typed=""):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = execute([*arguments, "--progress", "quiet", "--state-dir", str(tmp_path / "state")])
        return code, out.getvalue(), err.getvalue()

    return run


def states(tmp_path):
    from maestro_dsl import app

    found = app.show_run("last", environ={}, state_dir=tmp_path / "state")
    return {name: record.state.value for name, record in fold(found.events).nodes.items()}, found.verdict


def test_apply_asks_goes_on_as_is_said_and_asks_again(terminal, tmp_path):
    code, _, err = terminal(
        "apply", "plan.yaml", "--auto-approve", typed="perhaps\nretry\nlater\nskip\nreject\n"
    )
    assert "fails: " in err
    assert "'perhaps' is not one of 'retry', 'approve', 'skip', 'reject', 'later'" in err
    assert err.count("answer for fails (retry, approve, skip, reject, later) [later]") == 3
    assert err.count("Ship it?\nanswer for ship (approve, skip, reject, later) [later]") == 2
    assert states(tmp_path) == ({"fails": "skipped", "ship": "failed"}, "not_fulfilled")
    assert code == 1


GATE = """\
  make: {action: render, with: {path: a.txt, text: one}}
  ship: {action: approve, needs: [make], with: {message: "Ship it?"}}
  tell: {action: approve, with: {message: "Tell them?"}}
  news: {action: approve, with: {message: "In the news?"}}
  deploy: {action: command, needs: [ship], with: {run: [python, -c, "raise SystemExit(1)"]}}
"""


def test_a_retry_of_another_node_does_not_ask_again_what_was_answered(terminal, tmp_path):
    write(tmp_path, bare(GATE, settings=IMPATIENT))
    terminal("apply", "plan.yaml", "--auto-approve", typed="skip\nreject\napprove\n")
    first = dict.fromkeys(("make", "ship"), "succeeded") | {"tell": "skipped", "news": "failed"}
    assert states(tmp_path)[0] == first | {"deploy": "gave_up"}
    for _ in range(2):  # also by a retry of the retry
        _, out, _ = terminal("retry", "last", "deploy")
        assert ("Ship it?" in out, "Tell them?" in out, "In the news?" in out) == (False, False, True)
        assert states(tmp_path)[0] == first | {"make": "cached", "news": "waiting", "deploy": "gave_up"}


def test_who_says_later_finds_the_run_as_it_was(terminal, tmp_path):
    code, out, err = terminal("apply", "plan.yaml", "--auto-approve", typed="\n\n")
    assert (code, states(tmp_path)[0]) == (6, {"fails": "waiting", "ship": "waiting"})
    assert "Waits for an answer\n  fails: " in out
    assert "next: maestro approve " in err
    code, _, _ = terminal("resume", typed="skip\napprove\n")
    # What failed and was left out is no success.
    assert (code, states(tmp_path)) == (1, ({"fails": "skipped", "ship": "succeeded"}, "could_not_verify"))
