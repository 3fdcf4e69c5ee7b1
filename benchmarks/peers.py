"""Other tools that we are measured beside: installed apart from ours, once, where the user's caches are.

Python tools stand in virtual environments of their own, Spectral in a folder of npm. What cannot be installed
is left out and named.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

HOME = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "maestro-benchmarks"
ENVIRONMENTS = {
    "python": (
        "yamllint",
        "check-jsonschema",
        "dask",
        "langgraph",
        "langgraph-checkpoint-sqlite",
        "pydantic-graph",
        "dbos",
    ),
    "prefect": ("prefect", "fastapi<0.120"),
}
"""Virtual environment → packages; Prefect stands alone, with a FastAPI that its server starts with."""
SPECTRAL = "@stoplight/spectral-cli"


def install() -> None:
    """Install what is missing; failures are said and do not end the benchmark."""
    for name, packages in ENVIRONMENTS.items():
        folder = HOME / name
        if not (folder / "ready").exists():
            _install_environment(folder, packages)
    if shutil.which("npm") and not _npm("spectral").exists():
        (HOME / "npm").mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(HOME / "npm"), SPECTRAL]
        _attempt(command, SPECTRAL)


def _install_environment(folder: Path, packages: tuple[str, ...]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    if not _attempt([sys.executable, "-m", "venv", str(folder)], folder.name):
        return
    done = [
        _attempt([str(folder / "bin" / "python"), "-m", "pip", "install", "-q", name], name)
        for name in packages
    ]
    if all(done):
        (folder / "ready").touch()


def _attempt(command: list[str], what: str) -> bool:
    print(f"installing {what}", file=sys.stderr)
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        print(f"{what} cannot be installed: {done.stderr.strip()[-300:]}", file=sys.stderr)
    return done.returncode == 0


def tool(name: str) -> Path | None:
    """Return the program of a peer, or None where it is absent."""
    found = _npm(name) if name == "spectral" else HOME / "python" / "bin" / name
    return found if found.exists() else None


def python_of(environment: str) -> Path | None:
    """Return the Python of one of `ENVIRONMENTS`, or None where it is absent."""
    found = HOME / environment / "bin" / "python"
    return found if found.exists() else None


def _npm(name: str) -> Path:
    return HOME / "npm" / "node_modules" / ".bin" / name
