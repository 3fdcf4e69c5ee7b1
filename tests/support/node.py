"""Programs of Node in a folder that all test processes of a user share; emitted servers, started."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from filelock import FileLock
from support.program import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator


def installed(name: str, wanted: str, *packages: str) -> Path:
    """Return the folder `name` with `node_modules/wanted` in it, or skip: nothing can be installed."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip(f"node or npm is not installed: {', '.join(packages)} cannot run")
    folder = Path(tempfile.gettempdir()) / f"maestro-{name}-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    with FileLock(f"{folder}.lock"):  # another process of the same tests may be installing it
        if not (folder / "node_modules" / wanted).exists():
            (folder / "package.json").write_text('{"private": true}', encoding="utf-8")
            done = subprocess.run(
                [npm, "install", "--no-audit", "--no-fund", *packages],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
            if done.returncode:
                pytest.skip(f"npm could not install {', '.join(packages)}: {done.stderr.strip()[-200:]}")
    return folder


@contextmanager
def started(folder: Path, source: str) -> Iterator[http.client.HTTPConnection]:
    """Run an emitted server in `folder` and yield a connection to it."""
    file = Path(tempfile.mkstemp(suffix=".js", dir=folder)[1])
    file.write_text(source, encoding="utf-8")
    environment = {**os.environ, "PORT": "0", "MOCK_LOG": "0"}
    process = subprocess.Popen(["node", file.name], cwd=folder, env=environment, stdout=subprocess.PIPE)
    try:
        line = process.stdout.readline()
        assert line, "the server ended before it was ready"
        address = urlsplit(json.loads(line)["ready"]).netloc
        with closing(http.client.HTTPConnection(address, timeout=PATIENCE)) as connection:
            yield connection
    finally:
        process.kill()
        process.communicate()
        file.unlink()
