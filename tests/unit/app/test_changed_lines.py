"""`--since`: real git in a folder of its own."""

import os
import shutil
import subprocess

import pytest
from support.rule_project import write_project

from maestro_dsl.app import changed_since, lint, only_changed
from maestro_dsl.app.changed_lines import _hunks
from maestro_dsl.errors import EnvironmentFailure, UsageError

GIT = shutil.which("git")
pytestmark = pytest.mark.skipif(GIT is None, reason="git is not installed")
POLICY = "apiVersion: maestro/v1\nkind: Policy\nid: {0}\na: 1\nb: 2\nc: 3\n"


@pytest.fixture
def git(tmp_path, monkeypatch):
    folder = tmp_path / "repo"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name, value in (("GLOBAL", os.devnull), ("SYSTEM", os.devnull)):
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)

    def run(*arguments):
        who = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
        subprocess.run([GIT, *who, *arguments], check=True, capture_output=True, cwd=folder)

    run("init", "-q", "-b", "main")
    write_project(folder)
    (folder / "x.policy.yaml").write_text(POLICY.format("x"))
    run("add", "-A")
    run("commit", "-q", "-m", "first")
    return run


def found(revision="HEAD"):
    result = lint((), environ={}, select=["SCH001", "REF009"])
    kept, others = only_changed(result, changed_since(revision))
    return [(item.span.file, item.span.line) for item in kept.diagnostics], others


@pytest.mark.usefixtures("git")
def test_nothing_changed():
    assert found() == ([], 3)


@pytest.mark.usefixtures("git")
def test_changed_lines_and_the_lines_around_a_gap(tmp_path):
    file = tmp_path / "repo" / "x.policy.yaml"
    file.write_text(POLICY.format("x").replace("b: 2", "b: 4"))
    assert found() == ([("x.policy.yaml", 5)], 2)
    file.write_text(POLICY.format("x").replace("b: 2\n", ""))
    assert found() == ([("x.policy.yaml", 4), ("x.policy.yaml", 5)], 0)


def test_untracked_staged_and_renamed_files(git, tmp_path):
    repo = tmp_path / "repo"
    (repo / "sub dir").mkdir()
    odd = 'sub dir/ü "q"\t.policy.yaml'
    (repo / odd).write_text(POLICY.format("n"))
    assert {file for file, _ in found()[0]} == {odd}
    git("add", "-A")
    assert {file for file, _ in found()[0]} == {odd}
    git("commit", "-q", "-m", "more")
    git("mv", odd, "moved.policy.yaml")
    (repo / "moved.policy.yaml").write_text(POLICY.format("n").replace("c: 3", "c: 4"))
    assert found()[0] == [("moved.policy.yaml", 6)]


def test_a_branch_that_went_on_does_not_count(git, tmp_path):
    git("switch", "-q", "-c", "mine")
    (tmp_path / "repo" / "x.policy.yaml").write_text(POLICY.format("x").replace("a: 1", "a: 9"))
    git("commit", "-q", "-a", "-m", "mine")
    git("switch", "-q", "main")
    (tmp_path / "repo" / "x.policy.yaml").write_text(POLICY.format("x") + "d: 4\n")
    git("commit", "-q", "-a", "-m", "theirs")
    git("switch", "-q", "mine")
    assert found("main")[0] == [("x.policy.yaml", 4)]


@pytest.mark.usefixtures("git")
def test_a_finding_counts_where_the_place_it_points_to_changed(tmp_path):
    (tmp_path / "repo" / "a.policy.yaml").write_text(POLICY.format("x").replace("a: 1\nb: 2\nc: 3\n", ""))
    assert {file for file, _ in found()[0]} & {"a.policy.yaml", "x.policy.yaml"}


@pytest.mark.usefixtures("git")
def test_it_works_from_a_folder_inside(tmp_path, monkeypatch):
    sub = tmp_path / "repo" / "sub"
    sub.mkdir()
    (sub / "y.policy.yaml").write_text(POLICY.format("y"))
    monkeypatch.chdir(sub)
    assert len(found()[0]) == 3


@pytest.mark.usefixtures("git")
@pytest.mark.parametrize("revision", ["gone", "--output=x", "HEAD:x", ""])
def test_an_unknown_revision_is_said(tmp_path, revision):
    with pytest.raises(UsageError, match="git has no revision"):
        changed_since(revision)
    assert not (tmp_path / "repo" / "x").exists()


def test_no_repository_and_no_git_are_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(UsageError, match="--since needs a git repository"):
        changed_since("HEAD")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentFailure, match="git is not installed"):
        changed_since("HEAD")


def test_the_text_of_a_change_is_no_header():
    diff = (
        b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n--- a/no\n-old\n+++ b/no\n+@@ -1 +9 @@\n"
        b"@@ -7,0 +8 @@\n+new\n\\ No newline at end of file\ndiff --git a/y b/y\n"
        b"+++ /dev/null\n@@ -1 +0,0 @@\n-a\n"
    )
    assert list(_hunks(diff)) == [("x", [(1, 2), (8, 8)])]
