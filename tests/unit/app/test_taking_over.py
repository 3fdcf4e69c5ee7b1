"""A new run into the folder of an unfinished one: most end, one that a person paused is left to them."""

from __future__ import annotations

import asyncio
import json
import re

import pytest
from support.files import write
from support.projects import bare

from maestro_dsl import app
from maestro_dsl.cli.main import execute
from maestro_dsl.lang.settings import Overrides

FIRST = "  first: {action: render, with: {path: a.txt, text: one}}\n"
ASKS = FIRST + "  ask: {action: approve}\n"
FAILS = FIRST + "  bad: {action: command, with: {run: [no-such-program]}}\n"


class Place:
    def __init__(self, folder):
        self.folder = folder
        self.state = folder / "state"
        self.where = {"environ": {}, "state_dir": self.state}

    def plan(self, nodes):
        write(self.folder, bare(nodes))
        return app.plan_report(self.folder / "plan.yaml", overrides=Overrides(), **self.where)

    def run(self, nodes):
        return asyncio.run(app.apply(self.plan(nodes), options=app.ApplyOptions(), environ={}))

    def status(self, run_id):
        return app.show_run(run_id, **self.where).status

    def execute(self, *arguments):
        return execute([*arguments, "--state-dir", str(self.state)])


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Place(tmp_path)


@pytest.fixture
def paused(place):
    """The id of a run that a person paused."""
    run_id = place.run(ASKS).run_id
    app.pause(run_id, note="lunch", **place.where)
    return run_id


def test_a_paused_run_of_a_changed_plan_is_left_and_can_be_continued_instead(place, paused):
    report = place.plan(FIRST)
    (left,) = report.left_behind
    assert left.run_id == paused
    assert left.reason.endswith(": lunch")
    result = place.run(FIRST)
    assert (result.status, result.left_behind) == ("completed", (left,))
    assert place.status(paused) == "paused"
    app.decide(paused, "ask", "approve", **place.where)
    assert asyncio.run(app.resume(paused, overrides=Overrides(), **place.where)).status == "completed"
    assert place.plan(FIRST).left_behind == ()


def test_a_run_that_nobody_paused_is_superseded_as_ever(place):
    waiting = place.run(ASKS).run_id
    result = place.run(FIRST)
    assert result.left_behind == ()
    assert place.status(waiting) == "cancelled"


def test_a_new_run_of_the_same_plan_takes_the_place_of_the_paused_one(place, paused):
    report = place.plan(ASKS)
    assert report.left_behind == ()
    result = asyncio.run(app.apply(report, options=app.ApplyOptions(resume=False), environ={}))
    assert (result.left_behind, place.status(paused)) == ((), "cancelled")


def test_plan_and_apply_say_so_in_words_and_in_json(place, paused, capsys):
    place.plan(FIRST)
    there = f"--state-dir {re.escape(str(place.where['state_dir']))}"
    said = (
        rf"run {paused} of another plan is left behind \(paused by .*: lunch, at "
        r"\d{4}-\d\d-\d\d \d\d:\d\d\): "
        rf"maestro resume {paused} {there} continues it instead, maestro cancel {paused} {there} ends it\n"
    )
    place.execute("plan", "plan.yaml")
    assert re.search(said, capsys.readouterr().err)
    place.execute("plan", "plan.yaml", "--format", "json")
    planned = json.loads(capsys.readouterr().out)["left_behind"]
    assert place.execute("apply", "plan.yaml", "--auto-approve", "--format", "json") in {0, 1}
    out, err = capsys.readouterr()
    assert re.search(said, err)
    (left,) = json.loads(out)["left_behind"]
    assert planned == [left]
    assert left["run_id"] == paused
    assert left["paused_at"] > 0
    assert left["reason"].endswith(": lunch")


def test_retry_leaves_a_paused_run_of_another_plan_and_says_so(place, capsys):
    failed = place.run(FAILS).run_id
    paused = place.run(ASKS).run_id
    app.pause(paused, **place.where)
    assert place.execute("retry", failed, "--format", "json") == 1
    out, err = capsys.readouterr()
    assert f"run {paused} of another plan is left behind (paused by " in err
    assert [item["run_id"] for item in json.loads(out)["left_behind"]] == [paused]
    assert place.status(paused) == "paused"
