"""The files that other repositories point their CI at: their official schemas, their names, their scripts."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from maestro_dsl.lang.files import patterns_of
from maestro_dsl.lang.model import Kind

ROOT = Path(__file__).resolve().parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}
BROKEN = "apiVersion: maestro/v1\nkind: Persona\nid: dev\nmax_atempts: 2\n"


def program(name):
    """Return the path of a program that reads the official form, or skip."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (pip install {name})")
    return found


@pytest.mark.parametrize(
    ("name", "arguments", "file"),
    [
        ("check-jsonschema", ["--builtin-schema", "vendor.github-actions"], "action.yml"),
        ("pre-commit", ["validate-manifest"], ".pre-commit-hooks.yaml"),
    ],
)
def test_an_official_reader_accepts_it(name, arguments, file):
    command = [program(name), *arguments, str(ROOT / file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_hooks_run_for_every_document_and_lint_for_whatever_documents_name():
    names = [pattern.replace("*", "x") for kind in Kind for pattern in patterns_of(kind)]
    for name in (*names, "of-any-name.yml"):
        assert re.search(HOOKS["maestro-fmt"]["files"], name)
        assert re.search(HOOKS["maestro-fmt"]["files"], f"deep/folder/{name}")
    assert HOOKS["maestro-lint"]["always_run"]
    assert HOOKS["maestro-lint"]["pass_filenames"] is False
    assert "files" not in HOOKS["maestro-lint"]


def test_the_hook_of_fmt_passes_files_that_are_none_of_ours(tmp_path, monkeypatch, capsys):
    from maestro_dsl.cli.main import execute

    monkeypatch.chdir(tmp_path)
    Path("chart.yaml").write_text("name: {{ .Values.name }}\n  x: 1\n")
    Path("other.yml").write_text("a:   1\n")
    Path("dev.yaml").write_text("apiVersion: maestro/v1\nkind: Persona\nid:  dev\n")
    assert execute(["fmt", "chart.yaml", "other.yml", "dev.yaml"]) == 0
    assert Path("other.yml").read_text() == "a:   1\n"
    assert Path("dev.yaml").read_text() == "apiVersion: maestro/v1\nkind: Persona\nid: dev\n"
    assert "chart.yaml is left alone: it is no document of maestro" in capsys.readouterr().err
    Path("broken.yaml").write_text("apiVersion: maestro/v1\nkind: [\n")
    assert execute(["fmt", "broken.yaml"]) == 1


def test_hooks_call_commands_that_there_are():
    from maestro_dsl.cli.main import COMMANDS

    assert {hook["entry"].split()[0] for hook in HOOKS.values()} == {"maestro"}
    assert {hook["entry"].split()[1] for hook in HOOKS.values()} <= set(COMMANDS)


def run_step(name, folder, **inputs):
    """Run the script of one step of the action as a runner does: bash, stopping at the first failure."""
    (step,) = (step for step in ACTION["runs"]["steps"] if step.get("name") == name)
    own = folder / "bin"
    own.mkdir(exist_ok=True)
    maestro = own / "maestro"
    maestro.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m maestro_dsl "$@"\n')
    maestro.chmod(0o755)
    defaults = {key: item["default"] for key, item in ACTION["inputs"].items()}
    given = {
        key: re.sub(r"\$\{\{ inputs\.(\S+) \}\}", lambda m: {**defaults, **inputs}[m[1]], text)
        for key, text in step["env"].items()
    }
    env = {**os.environ, **given, "PATH": f"{own}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_action_shows_mistakes_beside_their_lines(tmp_path):
    folder = tmp_path / "a folder; echo x"
    folder.mkdir()
    (folder / "dev.persona.yaml").write_text(BROKEN)
    done = run_step("maestro lint", tmp_path, paths="a folder; echo x\n", ignore="STY001")
    assert done.returncode == 1
    assert done.stdout.startswith("::error file=a folder; echo x/dev.persona.yaml,line=4,")
    assert run_step("maestro lint", tmp_path, paths=".", select="STY001").returncode == 0
    assert run_step("maestro fmt --check", tmp_path).returncode == 0
    (folder / "dev.persona.yaml").write_text(BROKEN.replace("id: dev", "id:  dev"))
    assert run_step("maestro fmt --check", tmp_path).stdout == "a folder; echo x/dev.persona.yaml\n"


def test_the_action_takes_several_paths_of_any_name(tmp_path):
    for name in ("one folder/dev.persona.yaml", "--help/dev.persona.yaml", "$(touch x)/dev.persona.yaml"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(BROKEN)
    paths = "one folder\n\n--help\n$(touch x)\n"
    done = run_step("maestro lint", tmp_path, paths=paths)
    assert done.returncode == 1
    assert done.stdout.count("::error file=") == 3
    assert run_step("maestro lint", tmp_path, paths="nowhere").returncode == 2
    assert run_step("maestro lint", tmp_path, **{"paths": paths, "fail-on": "odd"}).returncode == 2
    assert run_step("maestro fmt --check", tmp_path, paths=paths).returncode == 0
    assert not (tmp_path / "x").exists()


def test_the_form_is_checked_where_lint_finds_mistakes_too():
    steps = {step.get("name"): step for step in ACTION["runs"]["steps"]}
    condition = steps["maestro fmt --check"]["if"]
    assert "!cancelled()" in condition  # a bare condition means success()
    assert f"steps.{steps['Install maestro']['id']}.outcome == 'success'" in condition
