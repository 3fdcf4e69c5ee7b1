import shutil
from pathlib import Path

import pytest
from support.files import write
from support.libraries import ENVIRON, Repository, library, needs_git, project
from support.projects import bare

from maestro_dsl.app import add_library, effective_config, health, lock_libraries
from maestro_dsl.errors import CompileError
from maestro_dsl.lang.settings import Overrides

PROJECT = """\
apiVersion: maestro/v1
kind: Project
id: demo
lint:
  ignore: [STY001]
  per_path:
    "legacy/**": [RUN]
  severity: {RUN001: error}
  fail_on: warning
defaults: {timeout: 20m}
"""


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def found():
        shown = effective_config(None, overrides=Overrides(), environ={"HOME": str(tmp_path)})
        return {item.key: (item.value, item.origin) for item in shown}

    return found


def test_the_lint_settings_of_a_project_have_their_places(settings, tmp_path):
    (tmp_path / "maestro.yaml").write_text(PROJECT)
    shown = {key: value for key, value in settings().items() if key.startswith("lint.")}
    assert shown == {
        "lint.fail_on": ("warning", "maestro.yaml:9"),
        "lint.ignore": (["STY001"], "maestro.yaml:5"),
        "lint.per_path.legacy/**": (["RUN"], "maestro.yaml:7"),
        "lint.select": ([], "built-in default"),
        "lint.severity.RUN001": ("error", "maestro.yaml:8"),
    }


def test_the_project_of_a_folder_counts_without_a_plan(settings, tmp_path):
    assert settings()["timeout_s"] == (900.0, "built-in default")
    (tmp_path / "maestro.yaml").write_text(PROJECT)
    assert settings()["timeout_s"] == (1200.0, "maestro.yaml:10")


def test_every_member_has_its_own_limits_with_their_places(tmp_path):
    files = bare("  go: {action: report, timeout: 5m}\n")
    files["plan.yaml"] = files["plan.yaml"].replace(
        "backend_developer}", "backend_developer, token_budget: 20k}"
    )
    write(tmp_path, files)
    shown = effective_config(
        tmp_path / "plan.yaml",
        overrides=Overrides(),
        environ={"HOME": str(tmp_path), "MAESTRO_MAX_ATTEMPTS": "7"},
    )
    found = {item.key: (item.value, item.origin) for item in shown}
    assert found["team.dev.max_attempts"] == (7, "environment MAESTRO_MAX_ATTEMPTS")
    assert found["team.dev.token_budget"][0] == 20_000
    assert found["team.dev.token_budget"][1].endswith("plan.yaml:6")
    assert found["team.dev.give_up_on_failure"] == (True, "built-in default")
    assert found["sandbox"][0] == "none"


def test_what_is_wrong_is_not_in_force(settings, tmp_path):
    (tmp_path / "maestro.yaml").write_text(PROJECT.replace("[STY001]", "5"))
    assert settings()["lint.ignore"] == ([], "built-in default")
    (tmp_path / "maestro.yaml").write_text(PROJECT.replace("[STY001]", "[STY001"))
    with pytest.raises(CompileError, match=r"maestro\.yaml cannot be read"):
        settings()


@pytest.fixture
def libraries(tmp_path, monkeypatch):
    """Return what doctor says about the libraries of a project that uses the folder ../team."""
    root = project(tmp_path / "shop", team="../team")
    write(tmp_path / "team", library("team"))
    monkeypatch.chdir(root)

    def told():
        return [(item.name, item.status, item.detail, item.fix) for item in health._libraries()]

    return told


def test_doctor_says_of_each_library_what_to_do(libraries, tmp_path):
    lock = "maestro lib lock"
    missing = "library team is not locked: there is no maestro.lock"
    assert libraries() == [("library team", "error", missing, lock)]
    lock_libraries(Path(), environ=ENVIRON)
    pinned = "1.0.0 is what maestro.lock pins, from ../team"
    assert libraries() == [("library team", "ok", pinned, None)]
    prompt = tmp_path / "team" / "reviewer.md.j2"
    prompt.write_text("Look at {{ contract.name }}\n")
    changed = "library team has changed since it was locked"
    assert libraries() == [("library team", "error", changed, lock)]
    Path("maestro.lock").write_text("format_version: [\n")
    ((name, status, detail, fix),) = libraries()
    assert (name, status, fix) == ("libraries", "error", lock)
    assert detail.startswith("maestro.lock ")
    Path("maestro.yaml").write_text("kind: [\n")
    ((name, status, detail, fix),) = libraries()
    assert (name, status, fix) == ("libraries", "error", "maestro lint maestro.yaml")
    assert detail == "maestro.yaml has 1 mistake"


@needs_git
def test_doctor_sees_what_is_missing_or_was_changed_on_disk(tmp_path, monkeypatch):
    team = Repository(tmp_path / "git")
    team.commit(library("team"), "v1.0.0")
    root = project(tmp_path / "shop")
    monkeypatch.chdir(root)
    add_library(team.source, root, environ={**ENVIRON, "HOME": str(tmp_path)})
    assert [item.status for item in health._libraries()] == ["ok"]
    prompt = root / ".maestro" / "libraries" / "team" / "reviewer.md.j2"
    prompt.chmod(0o600)
    prompt.write_text("other")
    (found,) = health._libraries()
    assert found.detail == "library team is not what maestro.lock pins: its files were changed"
    assert found.fix.endswith("maestro lib install")
    shutil.rmtree(root / ".maestro")
    (found,) = health._libraries()
    assert (found.status, found.fix) == ("error", "maestro lib install")


def test_doctor_says_nothing_of_libraries_where_there_are_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert list(health._libraries()) == []
    project(tmp_path)
    assert list(health._libraries()) == []


def test_doctor_names_variables_that_look_like_ours_and_are_not():
    environ = dict.fromkeys(
        ("MAESTRO_MAX_ATTEMTPS", "MAESTRO_MAX_COST", "MAESTRO_URL_BACKEND_API", "MAESTRO_WEBHOOK_SECRET"), "1"
    )
    (found,) = health._variables(environ)
    assert (found.status, found.fix) == ("warning", "did you mean MAESTRO_MAX_ATTEMPTS?")
    assert "MAESTRO_MAX_ATTEMTPS" in found.detail
