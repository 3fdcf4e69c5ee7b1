"""Runs an attempt in a process of its own, so that a node that takes its process down takes down only that.

This is the run's side; `maestro_dsl.app.apart` is the other. Both talk in lines of JSON: a set-up, then what
happens there, then the result. Nothing is retried here: where no result comes, the node ended its process.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final

from maestro_dsl.codec import canonical, from_json, to_json
from maestro_dsl.engine.events import BODIES, ServiceReady, ServiceStopped, Usage
from maestro_dsl.engine.ports.attempts import AttemptResult, AttemptSpec
from maestro_dsl.engine.ports.processes import ServiceEvent
from maestro_dsl.errors import DiskFailure, HelpNeeded
from maestro_dsl.lang.model import Json
from maestro_dsl.scratch import machine_at_fault

if TYPE_CHECKING:
    from maestro_dsl.engine.ports.work import AttemptLink

_LONGEST_LINE: Final = 2**28
_SAID_BYTES: Final = 1_000
PATIENCE_S: Final = 1.0
"""Whoever kills both processes ends this one first, before it says that the other ended by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApartDispatcher:
    """Implements `Dispatcher`; `command` starts the other side, `setup` is told with each attempt."""

    command: Sequence[str]
    setup: Mapping[str, Json]
    on_event: Callable[[ServiceEvent], None]

    async def submit(self, spec: AttemptSpec, link: AttemptLink) -> AttemptResult:
        """Run one attempt in a process of its own, which is gone afterwards.

        Raises:
            HelpNeeded: that process ended without a result; the text says how.
            DiskFailure: the disk failed there, or no process could be begun.
        """
        with _noted() as said:
            process = await self._begun(said)
            try:
                result = await self._talk(process, spec, link)
            finally:
                await asyncio.shield(_end(process))
            if result is None:
                await asyncio.sleep(PATIENCE_S)
                raise HelpNeeded(
                    f"help needed: {spec.node.address} ran in a process of its own, and that ended without a"
                    f" result: {_how(process.returncode)}{_last_words(said)}"
                )
            return result

    async def _begun(self, said: IO[bytes]) -> asyncio.subprocess.Process:
        with machine_at_fault("a process of its own", before_work=True):
            return await asyncio.create_subprocess_exec(
                *self.command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=said,
                start_new_session=True,
                limit=_LONGEST_LINE,
            )

    async def _talk(
        self, process: asyncio.subprocess.Process, spec: AttemptSpec, link: AttemptLink
    ) -> AttemptResult | None:
        if process.stdin is None or process.stdout is None:
            return None
        first = {"setup": self.setup, "spec": to_json(spec), "stored": dict(link.stored)}
        with suppress(ConnectionError):
            _send(process.stdin, first)
            async for line in process.stdout:
                message: Any = json.loads(line)
                if "result" in message:
                    return from_json(AttemptResult, message["result"])
                if "disk" in message:
                    raise DiskFailure(
                        message["disk"], hint=message["hint"], before_work=message["before_work"]
                    )
                if "event" in message:
                    self._tell(message["event"])
                elif "answered" in message:
                    request, blob, usage, nano_usd = message["answered"]
                    await link.answered(request, blob, Usage(**usage), nano_usd)
                    _send(process.stdin, {"noted": request})
        return None

    def _tell(self, data: Mapping[str, Any]) -> None:
        body = from_json(BODIES[str(data["type"])], data)
        if isinstance(body, (ServiceReady, ServiceStopped)):
            self.on_event(body)


def _noted() -> IO[bytes]:
    with machine_at_fault("the folder for temporary files", before_work=True):
        return tempfile.TemporaryFile()


def _send(pipe: asyncio.StreamWriter, message: Mapping[str, object]) -> None:
    pipe.write(canonical(message) + b"\n")


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill the group; commands that it started have keepers that end with it."""
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    if process.stdin is not None:
        process.stdin.close()
    await process.wait()


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        with suppress(ValueError):
            return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"


def _last_words(said: IO[bytes]) -> str:
    said.seek(0, os.SEEK_END)
    said.seek(max(0, said.tell() - _SAID_BYTES))
    text = said.read().decode("utf-8", "replace").strip()
    return f"; it said: {text}" if text else ""
