"""Runs Schemathesis beside a verification: finds it, gives it a seed and a time, reads its report."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from maestro_dsl.interfaces.openapi import schemathesis
from maestro_dsl.interfaces.openapi.model import Api
from maestro_dsl.interfaces.openapi.verify import find_prefix
from maestro_dsl.net.client import HttpClient, NoAnswer
from maestro_dsl.scratch import ScratchFolder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.app.mocks import Subject
    from maestro_dsl.interfaces.verification import VerificationResult

VARIABLE: Final = "MAESTRO_SCHEMATHESIS"
_GRACE_S: Final = 30.0
_PASSED_ON: Final = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT")
_MOST_SAID: Final = 300


def find_program(environ: Mapping[str, str]) -> str | None:
    """Return Schemathesis: named by the environment, beside this Python or on the path; None if absent."""
    named = environ.get(VARIABLE)
    if named:
        return shutil.which(named)
    beside = os.pathsep.join((str(Path(sys.executable).parent), environ.get("PATH", os.defpath)))
    found = (shutil.which(program, path=beside) for program in schemathesis.PROGRAMS)
    return next((program for program in found if program is not None), None)


async def verify_properties(
    subject: Subject, url: str, *, seed: int, max_time_s: float, environ: Mapping[str, str]
) -> VerificationResult:
    """Return what Schemathesis finds at `url` within about `max_time_s`; without it, nothing is verified."""
    if not isinstance(subject.api, Api):
        return schemathesis.broke(subject.name, "it is for REST interfaces only")
    program = find_program(environ)
    if program is None:
        return schemathesis.absent(subject.name)
    try:
        async with HttpClient(url) as client:
            address = url.rstrip("/") + await find_prefix(subject.api, client)
    except NoAnswer as error:
        return schemathesis.broke(subject.name, error.message)
    with ScratchFolder() as scratch:
        folder = scratch.path
        spec = folder / ("spec.json" if subject.content.lstrip()[:1] == b"{" else "spec.yaml")
        await asyncio.to_thread(spec.write_bytes, subject.content)
        report = folder / "report.xml"
        command = schemathesis.arguments(
            program, str(spec), address, seed=seed, max_time_s=max_time_s, report_file=str(report)
        )
        reason = await _run(command, folder, environ, timeout_s=max_time_s + _GRACE_S)
        if reason is not None or not await asyncio.to_thread(report.is_file):
            return schemathesis.broke(subject.name, reason or "it left no report")
        text = await asyncio.to_thread(report.read_text, "utf-8")
    return schemathesis.read_report(subject.api, text, contract_id=subject.name)


async def _run(
    command: tuple[str, ...], folder: Path, environ: Mapping[str, str], *, timeout_s: float
) -> str | None:
    """Run the program; return why it gave no result, None where it did."""
    kept = {name: environ[name] for name in _PASSED_ON if name in environ}
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env={**kept, "NO_COLOR": "1", "PYTHONWARNINGS": "ignore"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
    except OSError as error:
        return f"{command[0]} cannot be started: {error.strerror}"
    try:
        said, _ = await asyncio.wait_for(process.communicate(), timeout_s)
    except TimeoutError:
        return f"Schemathesis did not end within {timeout_s:g} s"
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode in {0, schemathesis.FOUND_SOMETHING}:
        return None
    words = " ".join(said.decode("utf-8", "replace").split())[-_MOST_SAID:]
    return f"Schemathesis ended with code {process.returncode}: {words}"
