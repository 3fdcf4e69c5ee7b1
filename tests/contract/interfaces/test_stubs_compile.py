"""What is emitted for interfaces of code and data passes the strict checkers of both languages."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from support.interfaces import PYTHON, SCHEMA, TYPESCRIPT

from maestro_dsl.interfaces.stubs.emit import emit
from maestro_dsl.interfaces.stubs.parse import parse

SOURCES = {"orders": (json.dumps(SCHEMA), ".json"), "tasks": (PYTHON, ".py"), "store": (TYPESCRIPT, ".d.ts")}


@pytest.fixture(scope="module")
def stubs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stubs")
    for name, (text, suffix) in SOURCES.items():
        interface, _ = parse(text.encode(), name + suffix)
        for path, content in emit(interface, name, text.encode(), name + suffix).items():
            data = content if isinstance(content, bytes) else content.encode()
            (folder / Path(path).name).write_bytes(data)
    return folder


def test_the_python_stubs_pass_mypy_and_run(stubs):
    if not shutil.which("mypy") and not (Path(sys.executable).parent / "mypy").exists():
        pytest.skip("mypy is not installed")
    files = [f"{name}_stubs.py" for name in SOURCES]
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull, *files]
    done = subprocess.run(command, cwd=stubs, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout
    for name in SOURCES:
        subprocess.run([sys.executable, f"{name}_stubs.py"], cwd=stubs, timeout=60, check=True)


@pytest.fixture(scope="session")
def tsc():
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("node or npm is not installed: the TypeScript stubs cannot be compiled")
    folder = Path(tempfile.gettempdir()) / f"maestro-typescript-{os.getuid()}"
    program = folder / "node_modules" / "typescript" / "bin" / "tsc"
    if not program.is_file():
        folder.mkdir(exist_ok=True)
        (folder / "package.json").write_text('{"private": true}', encoding="utf-8")
        command = [npm, "install", "--no-audit", "--no-fund", "typescript@5"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            pytest.skip(f"npm could not install typescript: {done.stderr.strip()[-200:]}")
    return program


def test_the_typescript_stubs_pass_tsc(tsc, stubs):
    files = [f"{name}_stubs.ts" for name in SOURCES]
    command = ["node", str(tsc), "--strict", "--noEmit", "--target", "es2022", *files]
    done = subprocess.run(command, cwd=stubs, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout
