"""Programs of Node in a folder that every test process of this user shares, installed once."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from filelock import FileLock
from support.program import PATIENCE


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
