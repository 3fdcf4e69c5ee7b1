"""What becomes of the files of nodes that left the plan: removed at the end of a run that is verified."""

from __future__ import annotations

import asyncio

import pytest
from support.files import write
from support.projects import IMPATIENT, bare

from maestro_dsl import app
from maestro_dsl.engine.state import fold
from maestro_dsl.errors import OutputConflict
from maestro_dsl.lang.settings import Overrides
from maestro_dsl.reporters import lines
from maestro_dsl.reporters import plan as plan_reporter
from maestro_dsl.reporters import run as run_reporter
from maestro_dsl.reporters.run_json import json_document
from maestro_dsl.storage.output import OutputFolder

FIRST = "  first: {action: render, with: {path: a/first.txt, text: one}}\n"
SECOND = "  second: {action: render, with: {path: b/second.txt, text: two}}\n"
BOTH = FIRST + SECOND
MOVED = "  third: {action: render, with: {path: b/second.txt, text: two}}\n"
ASKS = "  ask: {action: approve}\n"
FAILS = "  fails: {action: command, with: {run: [python, -c, 'raise SystemExit(1)']}}\n"


class Place:
    def __init__(self, folder):
        self.folder = folder
        self.where = {"environ": {}, "state_dir": folder / "state"}
        self.out = folder / "build" / "commands"

    def report(self, nodes, **more):
        write(self.folder, bare(nodes, **more))
        return app.plan_report(self.folder / "plan.yaml", overrides=Overrides(), **self.where)

    def run(self, nodes, *, accept=(), **more):
        options = app.ApplyOptions(accept=accept)
        return asyncio.run(app.apply(self.report(nodes, **more), options=options, environ={}))

    def files(self):
        return sorted(str(path.relative_to(self.out)) for path in self.out.rglob("*") if path.is_file())


@pytest.fixture
def place(tmp_path):
    made = Place(tmp_path)
    assert made.run(BOTH).status == "completed"
    assert made.files() == ["a/first.txt", "b/second.txt"]
    return made


def summary(result):
    view = run_reporter.RunView(
        plan=result.plan,
        state=fold(result.events),
        output="build",
        status=result.status,
        verdict=result.verdict,
    )
    return run_reporter.text(view), json_document(view)


def test_the_plan_says_what_goes_and_the_run_removes_it(place):
    report = place.report(FIRST)
    assert report.removes == ("commands/b/second.txt",)
    shown = plan_reporter.text(report.plan, report.estimate, report.forecast, removes=report.removes)
    assert "Would remove: 1 file of nodes that left the plan\n  commands/b/second.txt" in shown
    assert place.files() == ["a/first.txt", "b/second.txt"]
    result = place.run(FIRST)
    assert place.files() == ["a/first.txt"]
    assert not (place.out / "b").exists()
    text, document = summary(result)
    assert "Removed: 1 file of nodes that left the plan\n  commands/b/second.txt" in text
    assert (document["removed"], document["kept"]) == (["commands/b/second.txt"], [])
    assert place.report(FIRST).removes == ()
    assert summary(place.run(FIRST))[1]["removed"] == []


def test_an_edited_file_stops_the_run_and_stays_where_it_is_kept(place):
    (place.out / "b" / "second.txt").write_text("mine")
    report = place.report(FIRST)
    assert (report.removes, report.conflicts) == ((), ("commands/b/second.txt",))
    with pytest.raises(OutputConflict, match="changed since we wrote it"):
        place.run(FIRST)
    text, document = summary(place.run(FIRST, accept=("commands/b/second.txt",)))
    assert (place.out / "b" / "second.txt").read_text() == "mine"
    assert "Kept: 1 file of nodes that left the plan, changed since maestro wrote them" in text
    assert (document["removed"], document["kept"]) == ([], ["commands/b/second.txt"])
    assert document["unchecked"] == []
    assert place.report(FIRST).conflicts == ()


def test_a_file_that_a_person_keeps_is_never_called_checked(place):
    edited = place.out / "b" / "second.txt"
    edited.write_text("mine")
    for accept in (("commands/b/second.txt",), ()):  # it stays unchecked in every later run
        result = place.run(BOTH, accept=accept)
        text, document = summary(result)
        assert "the real thing, but 1 file of yours was not checked" in text
        assert "Not checked: 1 file that you changed and keep" in text
        assert document["unchecked"] == ["commands/b/second.txt"]
        assert "1 file of yours not checked" in (lines.describe(result.events[-1]) or "")
    edited.write_text("one more change")
    options = app.ApplyOptions(replace=("commands/b/second.txt",))
    result = asyncio.run(app.apply(place.report(BOTH), options=options, environ={}))
    assert summary(result)[1]["unchecked"] == []
    assert "not checked" not in summary(result)[0]


def test_a_path_that_another_node_makes_now_stays(place):
    assert summary(place.run(FIRST + MOVED))[1]["removed"] == []
    assert place.files() == ["a/first.txt", "b/second.txt"]


def test_a_run_that_fails_waits_or_is_cancelled_removes_nothing(place):
    both = ["a/first.txt", "b/second.txt"]
    assert place.run(FIRST + FAILS, settings=IMPATIENT).status == "failed"
    assert place.files() == both
    waiting = place.run(FIRST + ASKS)
    assert waiting.status == "paused"
    assert place.files() == both
    app.cancel(waiting.run_id, **place.where)
    assert place.files() == both
    waiting = place.run(FIRST + ASKS)
    app.decide(waiting.run_id, "ask", "approve", **place.where)
    resumed = asyncio.run(app.resume(waiting.run_id, overrides=Overrides(), **place.where))
    assert resumed.status == "completed"
    assert place.files() == ["a/first.txt"]


@pytest.mark.parametrize("before_manifest", [True, False])
def test_a_kill_around_the_removal_is_healed_by_the_next_run(place, monkeypatch, before_manifest):
    prune = OutputFolder.prune

    def killed(self, *args):
        if before_manifest:
            monkeypatch.setattr(self, "_finish", die)
        prune(self, *args)
        die()

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(OutputFolder, "prune", killed)
        with pytest.raises(KeyboardInterrupt):
            place.run(FIRST)
    assert place.files() == ["a/first.txt"]
    result = place.run(FIRST)
    assert (result.status, result.continued) == ("completed", True)
    assert place.files() == ["a/first.txt"]
    assert place.report(FIRST).removes == ()


def test_what_cannot_be_removed_fails_no_run_and_is_told(place, monkeypatch):
    def refused(*_):
        raise PermissionError("no")

    with monkeypatch.context() as patched:
        patched.setattr(OutputFolder, "prune", refused)
        result = place.run(FIRST)
    assert result.status == "completed"
    assert "files of nodes that left the plan could not be removed: no" in summary(result)[0]
    assert place.report(FIRST).removes == ("commands/b/second.txt",)


def test_each_thing_that_fails_at_the_end_is_told_in_its_own_words(place, monkeypatch):
    def refused(*_):
        raise PermissionError("no")

    with monkeypatch.context() as patched:
        patched.setattr(OutputFolder, "accepted", refused)
        alone = place.run(FIRST)
        patched.setattr(OutputFolder, "prune", refused)
        both = place.run(FIRST)
    assert (alone.status, both.status) == ("completed", "completed")
    not_removed = "files of nodes that left the plan could not be removed: no"
    not_known = "which files you changed and keep could not be looked up: no"
    assert [fold(result.events).reason for result in (alone, both)] == [
        not_known,
        f"{not_removed}; {not_known}",
    ]


def test_another_plan_in_the_same_folder_loses_nothing(place, tmp_path):
    other = bare("  mine: {action: render, with: {path: c/mine.txt, text: x}}\n")
    other["plan.yaml"] = other["plan.yaml"].replace("id: bare", "id: other")
    write(tmp_path, other)
    report = app.plan_report(tmp_path / "plan.yaml", overrides=Overrides(), **place.where)
    assert report.removes == ()
    asyncio.run(app.apply(report, options=app.ApplyOptions(), environ={}))
    assert place.files() == ["a/first.txt", "b/second.txt", "c/mine.txt"]
