"""`--watch` in virtual time: waiting runs the next step of a story."""

import os

import pytest
from support.rule_project import FILES, write_project

from maestro_dsl.app import lint
from maestro_dsl.app.lint_cache import LintCache
from maestro_dsl.app.watching import watch

QUIET = object()


class Story:
    """Each wait is one interval: a step changes files, QUIET lets one pass; the end is Ctrl-C."""

    def __init__(self, *steps):
        self.steps = list(steps)
        self.clock = 2_000_000_000

    def __call__(self, _seconds):
        if not self.steps:
            raise KeyboardInterrupt
        step = self.steps.pop(0)
        if step is not QUIET:
            path = step()
            self.clock += 1
            if path is not None and path.exists():
                os.utime(path, (self.clock, self.clock))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    write_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path, text):
    def step():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return step


def seen(folder, *steps, cache=None):
    shown = []

    def show(result, changed):
        names = tuple(os.path.relpath(path, folder) for path in changed)
        shown.append(([item.code for item in result.diagnostics], names))

    with pytest.raises(KeyboardInterrupt):
        watch(lambda: lint([folder], environ={}, cache=cache), show, wait=Story(*steps))
    return shown


@pytest.mark.parametrize("cached", [False, True])
def test_a_change_of_what_findings_depend_on_is_seen(folder, tmp_path_factory, cached):
    cache = LintCache(folder=tmp_path_factory.mktemp("cache")) if cached else None
    if cached:
        lint([folder], environ={}, cache=cache)
    prompt = folder / "maker.md.j2"
    shown = seen(
        folder,
        QUIET,
        write(prompt, "You are {{ persona.nam }}.\n"),
        QUIET,
        write(prompt, FILES["maker.md.j2"]),
        QUIET,
        cache=cache,
    )
    assert shown == [([], ()), (["PER003"], ("maker.md.j2",)), ([], ("maker.md.j2",))]


def test_files_that_come_and_go_are_seen(folder):
    new = folder / "sub" / "x.policy.yaml"
    text = "apiVersion: maestro/v1\nkind: Policy\nid: x\ncolour: 1\n"
    shown = seen(folder, write(new, text), QUIET, new.unlink, QUIET)
    assert [codes for codes, _ in shown] == [[], ["REF007", "SCH001"], []]
    assert shown[1][1] == ("sub/x.policy.yaml",)


def test_several_changes_in_a_row_are_one(folder):
    file = folder / "maker.persona.yaml"
    steps = [write(file, FILES[file.name] + f"colour: {number}\n") for number in range(5)]
    shown = seen(folder, *steps, QUIET, QUIET)
    assert [codes for codes, _ in shown] == [[], ["SCH001"]]


def test_a_touch_of_what_nobody_reads_is_nothing(folder):
    shown = seen(folder, write(folder / "notes.txt", "x"), QUIET, QUIET)
    assert len(shown) == 1
