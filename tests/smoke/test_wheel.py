"""The wheel: what is in it, and that a project lives from it far from any checkout."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from support.markdown import ROOT

SOURCES = ("maestro_dsl", "schemas", "blueprints", "examples", "pyproject.toml", "README.md", "LICENSE")
NEW_PROJECT = (
    "maestro init demo && cd demo && maestro lint && maestro rule RUN001 && maestro plan plan.yaml"
    " && maestro apply plan.yaml --auto-approve --progress quiet"
)
pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("build") is None, reason="build is not installed"),
    pytest.mark.skipif(importlib.util.find_spec("hatchling") is None, reason="hatchling is not installed"),
]


def done(*command, cwd, **environ):
    ended = subprocess.run(
        command,
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "HOME": str(cwd), **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, f"{' '.join(map(str, command))}\n{ended.stdout}{ended.stderr}"
    return ended.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build in a copy that looks as a tree does in which somebody has worked."""
    folder = tmp_path_factory.mktemp("wheel")
    tree = folder / "tree"
    tree.mkdir()
    for name in SOURCES:
        source = ROOT / name
        if source.is_file():
            shutil.copy(source, tree / name)
        else:
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns(".mypy_cache", "build"))
    for left in ("build/server.py", "build/.maestro/manifest.json"):
        made = tree / "examples/todo-app" / left
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_text("{}")
    (tree / ".gitignore").write_text((ROOT / ".gitignore").read_text())
    command = ("-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder / "dist"), ".")
    done(sys.executable, *command, cwd=tree)
    (built,) = (folder / "dist").iterdir()
    return built


def tracked(folder):
    found = (path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file())
    ignored = {"__pycache__", ".mypy_cache", "build", ".maestro"}
    return {path.as_posix() for path in found if not ignored & set(path.parts)}


def test_all_that_belongs_to_it_is_in_the_wheel_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    data = {
        f"maestro_dsl/_data/{name}"
        for each in ("schemas", "blueprints", "examples")
        for name in tracked(each)
    }
    own = {name for name in names if ".dist-info/" not in name}
    assert own == tracked("maestro_dsl") | data
    for name in (
        "maestro_dsl/py.typed",
        "maestro_dsl/providers/prices.yaml",
        "maestro_dsl/interfaces/openapi/emit_mock_server.js",
        "maestro_dsl/_data/schemas/v1/plan.schema.json",
        "maestro_dsl/_data/blueprints/parallel-contract-first.blueprint.yaml",
        "maestro_dsl/_data/examples/todo-app/plan.yaml",
    ):
        assert name in own
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    assert any(name.endswith("server.py.j2") for name in names)


def test_a_project_lives_from_the_installed_wheel_alone(wheel, tmp_path):
    venv = tmp_path / "venv"
    done(sys.executable, "-m", "venv", "--without-pip", str(venv), cwd=tmp_path)
    python = venv / "bin" / "python"
    place = Path(
        done(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip()
    )
    # Dependencies come from the running environment; its own .pth files, and so its checkout, do not.
    (place / "dependencies.pth").write_text(
        f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n"
    )
    pip = ("-m", "pip", "--python", str(python), "install", "-q", "--no-deps", "--no-index", str(wheel))
    done(sys.executable, *pip, cwd=tmp_path)
    environ = {
        "PATH": f"{venv / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "MAESTRO_STATE_DIR": str(tmp_path / "state"),
    }
    where = done(python, "-c", "import maestro_dsl; print(maestro_dsl.__file__)", cwd=tmp_path, **environ)
    assert Path(where.strip()).is_relative_to(venv)
    shown = done("bash", "-c", NEW_PROJECT, cwd=tmp_path, **environ)
    assert "verified: every required node succeeded" in shown
    assert (tmp_path / "demo/build/quality_report.json").is_file()
