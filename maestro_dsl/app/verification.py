"""`verify` for people: a service that runs, or one that is started for it, against a contract."""

from __future__ import annotations

import asyncio
import shutil
import socket
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from maestro_dsl.actions.conformance import broken, verdict_of
from maestro_dsl.app.mocks import subjects
from maestro_dsl.app.values import VerifyResult
from maestro_dsl.engine.ports.processes import CommandSpec
from maestro_dsl.errors import DiskFailure, EnvironmentFailure, UnrecoverableError, UsageError
from maestro_dsl.interfaces.verification import joined, only_part, unreachable
from maestro_dsl.sandbox import choose
from maestro_dsl.sandbox.levels import unavailable
from maestro_dsl.sandbox.services import until_ready
from maestro_dsl.scratch import ScratchFolder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence

    from maestro_dsl.app.mocks import Subject
    from maestro_dsl.interfaces.verification import VerificationResult

LAYERS: Final = ("static", "replay", "property")
"""What a verification may hold: which operations there are, what they do, what made-up requests find."""
DEFAULT_LAYERS: Final = ("static", "replay")
_HOST: Final = "127.0.0.1"
_START_TIMEOUT_S: Final = 20.0


async def verify(
    contract_file: Path,
    *,
    url: str | None,
    start: Sequence[str] | None,
    cwd: Path | None,
    seed: int,
    max_time_s: float,
    environ: Mapping[str, str],
    layers: Collection[str] = DEFAULT_LAYERS,
) -> VerifyResult:
    """Return the verdict on a service; `contract_file` is a contract or an OpenAPI document.

    `layers` are some of `LAYERS`. The property layer gets the time that the others leave of `max_time_s`, at
    least a third of it; where its program is absent the verdict is "could not verify" at best.

    A started service runs in a copy of `cwd`, so that a verification leaves nothing behind, in the strongest
    sandbox of this machine: its command comes from the person who calls this, so it is started in any case.

    Raises:
        UsageError: the file has no interface, or the command's folder does not exist.
        EnvironmentFailure, DiskFailure: this machine cannot start the command at all, so there is no verdict.
    """
    found, skipped = subjects([contract_file], environ)
    if len(found) != 1:
        reason = "; ".join(f"{name}: {why}" for name, why in skipped) or f"{len(found)} interfaces are in it"
        raise UsageError(f"{contract_file} is not one interface to verify", hint=reason)
    subject = found[0]

    async def check(address: str) -> VerifyResult:
        results: list[VerificationResult] = []
        spare_s = max_time_s / 3 if "property" in layers else 0.0
        begun = asyncio.get_running_loop().time()
        if {"static", "replay"} & set(layers):
            results.append(await _probed(subject, address, seed, max_time_s - spare_s))
            if "replay" not in layers:
                results = [only_part(results[0], "routes")]
        if "property" in layers:
            from maestro_dsl.app.properties import verify_properties

            left_s = max(spare_s, max_time_s - (asyncio.get_running_loop().time() - begun))
            results.append(
                await verify_properties(subject, address, seed=seed, max_time_s=left_s, environ=environ)
            )
        result = results[0] if len(results) == 1 else joined(subject.name, results)
        return VerifyResult(subject=subject.name, url=address, verdict=verdict_of(result))

    if url is not None:
        return await check(url)
    try:
        async with _started(tuple(start or ()), cwd or Path()) as address:
            return await check(address)
    except UnrecoverableError as error:
        return VerifyResult(subject=subject.name, url="(did not start)", verdict=broken(subject.name, error))
    except (EnvironmentFailure, DiskFailure) as error:
        raise type(error)(f"could not verify {subject.name}: {error.message}", hint=error.hint) from error


async def _probed(subject: Subject, address: str, seed: int, max_time_s: float) -> VerificationResult:
    try:
        async with asyncio.timeout(max_time_s):
            return await subject.interface.verify(subject.api, address, contract_id=subject.name, seed=seed)
    except TimeoutError:
        return unreachable(subject.name, f"not finished within {max_time_s:g} s")


@asynccontextmanager
async def _started(argv: tuple[str, ...], cwd: Path) -> AsyncIterator[str]:
    if not argv:
        raise UsageError("--start names no command")
    if not cwd.is_dir():  # noqa: ASYNC240 - once, before anything runs
        raise UsageError(f"no such folder: {cwd}", hint="--cwd names the folder of the service")
    with ScratchFolder() as scratch:
        folder = scratch.path / "service"
        try:
            shutil.copytree(cwd, folder, symlinks=True, ignore=shutil.ignore_patterns(".git", "__pycache__"))
        except (OSError, shutil.Error) as error:
            raise EnvironmentFailure(f"{cwd} cannot be copied: {error}") from error
        port = _free_port()
        command = CommandSpec(
            argv=argv,
            cwd=folder,
            env={"HOST": _HOST, "PORT": str(port)},
            trusted=None not in (await unavailable()).values(),
            serve_port=port,
        )
        running = await choose("auto").start(command)
        try:
            await until_ready(" ".join(argv), running, port, timeout_s=_START_TIMEOUT_S)
            yield f"http://{_HOST}:{port}"
        finally:
            await running.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])
