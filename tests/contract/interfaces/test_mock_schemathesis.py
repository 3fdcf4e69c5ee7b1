"""Schemathesis, with a seed, against `maestro mock serve`: it finds nothing but what is listed here.

Optional: needs the program `st` (pip install "schemathesis>=4.32" in an environment of its own), found on the
path or named by MAESTRO_SCHEMATHESIS.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.openapi import TODO

pytestmark = [pytest.mark.needs_data, pytest.mark.slow]

PROGRAM = os.environ.get("MAESTRO_SCHEMATHESIS")
"""Read when the tests are collected: while they run, the settings of whoever runs them are hidden."""

OPTIONS = ("--seed", "42", "--max-examples", "25")
FIXTURES = Path(__file__).parents[2] / "fixtures" / "openapi"
UNDECLARED = (
    "ST103"  # the contract declares no answer for bad input or missing credentials; ours says 422 or 401
)
ALLOWED = {
    "todo-app": set(),
    "payments": set(),
    "documents": set(),
    "fleet": set(),
    "helpdesk": set(),
    "oai-petstore-expanded.yaml": set(),
    "camara-sim-swap-subscriptions.yaml": set(),
    "swagger-petstore.yaml": set(),
    "oai-uspto.yaml": {UNDECLARED},
    "oai-tictactoe-31.yaml": {UNDECLARED},
    "redocly-museum-31.yaml": {UNDECLARED},
}


@pytest.fixture(scope="module")
def schemathesis():
    found = PROGRAM or shutil.which("st")
    if found is None:
        pytest.skip(
            'Schemathesis is not installed: pip install "schemathesis>=4.32" elsewhere, then set '
            "MAESTRO_SCHEMATHESIS to its program st"
        )
    return found


@pytest.mark.parametrize("document", ALLOWED)
def test_schemathesis_finds_nothing_unlisted(schemathesis, request, tmp_path, document):
    spec = TODO if document == "todo-app" else FIXTURES / f"{document}.yaml"
    if document.endswith(".yaml"):
        spec = request.getfixturevalue("shared_data") / "openapi" / document
    command = [sys.executable, "-m", "maestro_dsl", "mock", "serve", str(spec), "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        address = re.search(r"http://\S+", server.stdout.readline())
        assert address, "the mock did not start"
        done = subprocess.run(
            [schemathesis, "run", str(spec), "--url", address[0], "--no-color", *OPTIONS],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    finally:
        server.terminate()
        server.communicate()
    assert "Seed: 42" in done.stdout, done.stdout[-2000:] + done.stderr[-2000:]
    found = set(re.findall(r"❌ (ST\d+) ", done.stdout))
    assert found <= ALLOWED[document], done.stdout[-6000:]
