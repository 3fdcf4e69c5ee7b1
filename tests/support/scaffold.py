"""Tasks for the scaffold provider, and what it writes: put in a folder, started, asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from support.plans import persona
from support.program import PATIENCE

from maestro_dsl.compiler.plan import CompiledContract, ModelRef
from maestro_dsl.engine.ports.models import InterfaceInput, Task
from maestro_dsl.lang.model import Contract, ContractType, Deliverable, InterfaceSpec
from maestro_dsl.providers.scaffold.deliver import deliver

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TODO_SPEC = Path(__file__).parents[2] / "examples" / "todo-app" / "contracts" / "api_spec.yaml"


def task(
    *,
    globs: tuple[str, ...],
    spec: bytes | None = None,
    role: str = "provides",
    name: str = "result",
    start: tuple[str, ...] = ("python", "server.py"),
    requirement: str = "",
    action: str = "fulfil",
    spec_type: str = "openapi",
) -> Task:
    """A task whose contract promises `globs`; with `spec`, that interface is provided or consumed."""
    own_spec = InterfaceSpec(type=spec_type, spec_file="api.yaml") if spec and role == "provides" else None
    own = CompiledContract(
        contract=Contract(
            id="backend_api" if own_spec else "product",
            provider_persona_id="maker",
            deliverables=(Deliverable(name=name, artifacts=globs),),
            type=ContractType.REST_API if own_spec else ContractType.INTERFACE,
            interface_spec=own_spec,
            start=start,
        ),
        spec_path="api.yaml" if own_spec else None,
    )
    interfaces = [InterfaceInput(role="provides", contract=own, spec=spec if own_spec else None)]
    if spec and role == "consumes":
        other = Contract(
            id="backend_api",
            provider_persona_id="other",
            deliverables=(),
            type=ContractType.REST_API,
            interface_spec=InterfaceSpec(type=spec_type, spec_file="api.yaml"),
        )
        consumed = CompiledContract(contract=other, spec_path="api.yaml")
        interfaces.append(InterfaceInput(role="consumes", contract=consumed, spec=spec))
    return Task(
        action=action,
        node="build[product]",
        persona=_PERSONA,
        deliverables=(),
        interfaces=tuple(interfaces),
        requirement=requirement,
    )


_PERSONA = persona(
    "maker", name="Maker", model=ModelRef(provider="scaffold", model="default"), token_budget=1000
)


def service_files(spec: bytes) -> dict[str, str]:
    return deliver(task(globs=("*.py", "README.md"), spec=spec))[0]


def page_files(spec: bytes) -> dict[str, str]:
    globs = ("*.html", "*.js", "*.css", "*.py", "README.md")
    return deliver(task(globs=globs, spec=spec, role="consumes"))[0]


def suite_files(spec: bytes) -> dict[str, str]:
    return deliver(task(globs=("test_*.py", "README.md"), spec=spec, role="consumes"))[0]


def put(files: Mapping[str, str], folder: Path) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def unittest_in(folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "unittest", "discover"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **env},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@contextmanager
def running(
    folder: Path, data: Path, script: str = "server.py"
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Start the produced service on a free port; give its address and its process."""
    process = subprocess.Popen(
        [sys.executable, script, "--port", "0"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(data), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        line = process.stdout.readline()
        address = line.split("//", 1)[1].split("/", 1)[0].strip()
        yield f"http://{address}", process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def ask(
    url: str, method: str = "GET", body: object = None, **headers: str
) -> tuple[int, object, Mapping[str, str]]:
    """One request; return status, decoded JSON (or None) and headers."""
    content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if content is not None:
        sent.setdefault("content-type", "application/json")
    try:
        with urlopen(Request(url, content, sent, method=method), timeout=PATIENCE) as response:
            status, text, found = response.status, response.read(), response.headers
    except HTTPError as error:
        with error:
            status, text, found = error.code, error.read(), error.headers
    return status, json.loads(text) if text else None, found
