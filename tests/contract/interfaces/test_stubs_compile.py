"""What is emitted for interfaces of code and data passes the strict checkers of both languages."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.interfaces import PYTHON, SCHEMA, TYPESCRIPT
from support.node import installed
from support.program import PATIENCE

from maestro_dsl.interfaces.stubs.emit import emit
from maestro_dsl.interfaces.stubs.parse import parse

HOSTILE = {
    "title": "a\"b`${process.exit(9)}\n'''",
    "description": '""" */ import os; os._exit(9)',
    "type": "object",
    "required": ["__proto__", "it's"],
    "properties": {
        "it's": {"type": "string"},
        'a"b': {"type": "string", "description": "*/ process.exit(9) /*"},
        "`${x}`": {"type": "integer"},
        "new\nline": {"type": "boolean"},
        "__proto__": {"type": "string"},
        "constructor": {
            "type": "object",
            "properties": {"toString": {"enum": ['"""', "*/", "`${y}`", "\\"]}},
        },
        "class": {"$ref": "#/$defs/class"},
        "None": {"type": "number"},
    },
    "$defs": {
        'a b"""': {"type": "object", "properties": {"x": {"type": "string"}}},
        "__proto__": {"type": "string"},
        "class": {"type": "object", "properties": {"y": {"$ref": "#/$defs/class"}}},
    },
}
SOURCES = {
    "orders": (json.dumps(SCHEMA), ".json"),
    "tasks": (PYTHON, ".py"),
    "store": (TYPESCRIPT, ".d.ts"),
    "hostile": (json.dumps(HOSTILE), ".json"),
}


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
    done = subprocess.run(command, cwd=stubs, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout
    for name in SOURCES:
        subprocess.run([sys.executable, f"{name}_stubs.py"], cwd=stubs, timeout=PATIENCE, check=True)


@pytest.fixture(scope="session")
def tsc():
    program = "typescript/bin/tsc"
    return installed("typescript", program, "typescript@5") / "node_modules" / program


def test_the_typescript_stubs_pass_tsc(tsc, stubs):
    files = [f"{name}_stubs.ts" for name in SOURCES]
    command = ["node", str(tsc), "--strict", "--noEmit", "--target", "es2022", *files]
    done = subprocess.run(command, cwd=stubs, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout
