"""Findings that are reused are those that a run without a cache would find."""

import ast
import json
import shutil
from dataclasses import fields
from pathlib import Path

import pytest

from maestro_dsl.app import documents, lint, lint_cache
from maestro_dsl.app.lint_cache import MOST_ENTRIES, LintCache, cache_of
from maestro_dsl.app.lint_result import LintResult
from maestro_dsl.codec import to_json
from maestro_dsl.lang.settings import Overrides

ROOT = Path(__file__).resolve().parents[3]
PERSONA = "apiVersion: maestro/v1\nkind: Persona\nid: backend_developer\nprompt_file: own.md.j2\n"
BUG = "apiVersion: maestro/v1\nkind: Persona\nid: idle\nmodle: fast\n"


@pytest.fixture
def project(tmp_path, monkeypatch):
    folder = tmp_path / "todo"
    shutil.copytree(ROOT / "examples" / "todo-app", folder)
    (folder / "own.persona.yaml").write_text(PERSONA)
    (folder / "own.md.j2").write_text("Write {{ contract.name }}.\n")
    change(folder / "plan.yaml", "{use: core/backend_developer}", "{use: ./own.persona.yaml}")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def cache(tmp_path):
    return LintCache(folder=tmp_path / "cache")


@pytest.fixture
def runs(monkeypatch):
    """Count how often documents are really looked at."""
    counted = []
    real = documents._lint
    monkeypatch.setattr(documents, "_lint", lambda *given: counted.append(1) or real(*given))
    return counted


def change(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def shown(result):
    return json.dumps(to_json(list(result.diagnostics)))


def test_the_second_run_looks_at_nothing_and_finds_the_same(project, cache, runs):
    change(project / "plan.yaml", "quality_threshold: 0.80", "quality_treshold: 0.80")
    first = lint([project], environ={}, cache=cache)
    second = lint([project], environ={}, cache=cache)
    assert len(runs) == 1
    assert shown(second) == shown(first)
    assert "quality_treshold" in shown(second)
    assert second.files_checked == first.files_checked
    assert second.files == first.files
    assert second.sources["plan.yaml"] == (project / "plan.yaml").read_text()


def test_nothing_of_a_result_is_lost(project):
    kept = lint_cache._to_json(lint([project], environ={}))
    assert set(kept) == {item.name for item in fields(LintResult)}


def test_what_is_selected_is_chosen_from_what_is_kept(project, cache, runs):
    change(project / "plan.yaml", "quality_threshold: 0.80", "quality_treshold: 0.80")
    assert lint([project], environ={}, cache=cache).diagnostics
    assert not lint([project], environ={}, cache=cache, ignore=["SCH001"]).diagnostics
    assert len(runs) == 1


def rename(project):
    (project / "own.persona.yaml").rename(project / "other.persona.yaml")


CHANGES = {
    "the plan": lambda p: change(p / "plan.yaml", "todo_app", "todo_App"),
    "its persona": lambda p: change(p / "own.persona.yaml", "prompt_file", "promt_file"),
    "the persona's prompt": lambda p: (p / "own.md.j2").write_text("{{ contract.nme }}"),
    "the prompt is gone": lambda p: (p / "own.md.j2").unlink(),
    "its contract": lambda p: change(p / "contracts/web_app.contract.yaml", "web_app", "backend_api"),
    "an interface": lambda p: change(p / "contracts/api_spec.yaml", "openapi: 3", "openapi: x"),
    "a new contract in the glob": lambda p: shutil.copy(
        p / "contracts/web_app.contract.yaml", p / "contracts/again.contract.yaml"
    ),
    "a file that nothing named": lambda p: (p / "new.persona.yaml").write_text(BUG),
    "the project": lambda p: change(p / "maestro.yaml", "kind: Project", "kind: Plan"),
    "the persona has moved": rename,
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_anything_that_counts_is_noticed(project, cache, runs, name):
    lint([project], environ={}, cache=cache)
    CHANGES[name](project)
    fresh = shown(lint([project], environ={}))
    assert shown(lint([project], environ={}, cache=cache)) == fresh
    assert len(runs) == 3


def test_a_link_that_leads_elsewhere_is_noticed(project, cache, runs):
    (project / "a.md").write_text(PERSONA.replace("backend_developer", "one"))
    (project / "b.md").write_text(PERSONA.replace("backend_developer", "two"))
    link = project / "linked.persona.yaml"
    link.symlink_to("a.md")
    lint([project], environ={}, cache=cache)
    link.unlink()
    link.symlink_to("b.md")
    found = lint([project], environ={}, cache=cache)
    assert shown(found) == shown(lint([project], environ={}))
    assert len(runs) == 3


def test_what_does_not_count_changes_nothing(project, cache, runs):
    lint([project], environ={}, cache=cache)
    (project / "notes.txt").write_text("unrelated")
    (project / "plan.yaml").touch()
    lint([project], environ={"PATH": "/elsewhere"}, cache=cache)
    assert len(runs) == 1


def test_settings_and_folder_are_part_of_the_question(project, cache, runs, monkeypatch):
    lint([project], environ={}, cache=cache)
    lint([project], environ={"MAESTRO_MAX_ATTEMPTS": "5"}, cache=cache)
    lint([project], environ={}, overrides=Overrides(sets={"a": 1}), cache=cache)
    lint([project / "plan.yaml"], environ={}, cache=cache)
    monkeypatch.chdir(project.parent)
    found = lint([project], environ={}, cache=cache)
    assert len(runs) == 5
    assert all(name.startswith(("todo/", "core/")) for name in found.files)


@pytest.mark.parametrize("damage", [b"", b"{}", b"nonsense\n{}"])
def test_a_damaged_entry_is_as_good_as_none(project, cache, runs, damage):
    lint([project], environ={}, cache=cache)
    (entry,) = cache.folder.iterdir()
    entry.write_bytes(damage)
    lint([project], environ={}, cache=cache)
    assert len(runs) == 2
    assert lint([project], environ={}, cache=cache).files_checked
    assert len(runs) == 2


def test_a_changed_byte_of_an_entry_is_noticed(project, cache, runs):
    lint([project], environ={}, cache=cache)
    (entry,) = cache.folder.iterdir()
    content = bytearray(entry.read_bytes())
    content[-3] ^= 1
    entry.write_bytes(content)
    lint([project], environ={}, cache=cache)
    assert len(runs) == 2


def test_a_cache_that_cannot_be_written_is_no_failure(project, tmp_path):
    (tmp_path / "file").write_text("")
    blocked = LintCache(folder=tmp_path / "file" / "lint")
    assert lint([project], environ={}, cache=blocked).files_checked


def test_the_cache_stays_small(project, cache):
    cache.folder.mkdir()
    for number in range(MOST_ENTRIES):
        (cache.folder / f"{number}.json").write_text("")
    lint([project], environ={}, cache=cache)
    assert len(list(cache.folder.iterdir())) == MOST_ENTRIES // 2 + 1


def test_documents_that_are_not_saved_are_neither_kept_nor_answered_from_it(project, cache, runs):
    lint([project], environ={}, cache=cache)
    plan = project / "plan.yaml"
    unsaved = plan.read_bytes().replace(b"todo_app", b"todo_App")
    assert lint([project], environ={}, cache=cache, overlay={plan: unsaved}).diagnostics
    assert not lint([project], environ={}, cache=cache).diagnostics
    assert len(runs) == 2


def test_where_the_cache_lies():
    stated = {"MAESTRO_CACHE_DIR": "/a", "XDG_CACHE_HOME": "/b", "HOME": "/c"}
    assert cache_of(stated) == LintCache(folder=Path("/a/lint"))
    assert cache_of({"XDG_CACHE_HOME": "/b", "HOME": "/c"}) == LintCache(folder=Path("/b/maestro/lint"))
    assert cache_of({"XDG_CACHE_HOME": "b", "HOME": "/c"}) == LintCache(folder=Path("/c/.cache/maestro/lint"))
    assert cache_of({}) is None


ASKS_THE_DISK = {"read_bytes", "read_text", "is_file", "is_dir", "exists", "stat", "glob", "rglob", "iterdir"}
MAY_ASK = {
    "lang/disk.py",  # these note what they ask
    "lang/files.py",
    "lang/folder.py",
    "lang/memory.py",  # times of files, where it notes their content
    "lang/workspace.py",  # the paths that a user typed, which are part of the question
    "lang/validators.py",  # files of the tool itself, which are too
    "lang/finder.py",
    "compiler/prompts.py",
}


def test_the_front_end_asks_the_disk_where_it_is_noted():
    """A rule that reads a file by itself would be answered from the cache when that file has changed."""
    package = ROOT / "maestro_dsl"
    files = [path for name in ("lang", "compiler", "rules") for path in (package / name).rglob("*.py")]
    strangers = {
        f"{path.relative_to(package).as_posix()}:{node.lineno}"
        for path in files
        if path.relative_to(package).as_posix() not in MAY_ASK
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Attribute) and node.func.attr in ASKS_THE_DISK)
            or (isinstance(node.func, ast.Name) and node.func.id == "open")
        )
    }
    assert strangers == set(), (
        "use maestro_dsl.lang.disk or maestro_dsl.lang.files, which note what was asked"
    )
