"""The public Python interface: its names are frozen, load lazily, and the guide's code runs."""

import asyncio
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import maestro_dsl
from maestro_dsl.errors import UsageError

ROOT = Path(__file__).parents[2]
NAMES = [
    "ApplyOptions",
    "MaestroError",
    "Overrides",
    "Provider",
    "RetryOrchestrator",
    "RunResult",
    "TokenTracker",
    "__version__",
    "apply",
    "compile_plan",
    "lint",
    "plan_report",
    "resume",
    "run_sync",
    "search_blueprints",
    "show_blueprint",
]


def test_the_names_are_these_and_all_exist():
    assert maestro_dsl.__all__ == NAMES
    assert dir(maestro_dsl) == sorted(NAMES)
    assert all(getattr(maestro_dsl, name) is not None for name in NAMES)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = maestro_dsl.nothing


def test_importing_the_package_loads_none_of_it():
    code = "import maestro_dsl, sys; print([name for name in sys.modules if name.startswith('maestro_dsl.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_the_bridge_returns_results_and_refuses_a_running_loop():
    async def answer():
        return 42

    async def inside():
        with pytest.raises(UsageError, match="inside a running event loop"):
            maestro_dsl.run_sync(answer())

    assert maestro_dsl.run_sync(answer()) == 42
    asyncio.run(inside())


def test_the_code_of_the_guide_runs(tmp_path, monkeypatch, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/guide/python.md").read_text(), re.DOTALL)
    shutil.copytree(ROOT / "examples" / "algorithm", tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    exec(compile(code, "docs/guide/python.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("waves")
    assert lines[-1] == f"completed verified {tmp_path / 'project' / 'result'}"
