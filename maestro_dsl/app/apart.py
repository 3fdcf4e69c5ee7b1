"""The process in which one attempt runs alone: it reads what to do and answers in lines of JSON.

Not for people. It ends with its attempt, and with the process of the run, whatever its attempt is doing then.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from maestro_dsl.actions import ACTIONS
from maestro_dsl.app.system import SystemIds
from maestro_dsl.app.wiring import make_provider
from maestro_dsl.codec import canonical, from_json, to_json
from maestro_dsl.engine.failures import failure_of
from maestro_dsl.engine.local import LocalDispatcher
from maestro_dsl.engine.ports.attempts import AttemptResult, AttemptSpec
from maestro_dsl.engine.ports.work import AttemptLink
from maestro_dsl.errors import DiskFailure
from maestro_dsl.providers.prices import prices_of
from maestro_dsl.sandbox import choose
from maestro_dsl.sandbox.services import LocalServices
from maestro_dsl.scratch import machine_at_fault
from maestro_dsl.storage.artifacts import Artifacts
from maestro_dsl.storage.contents import Contents
from maestro_dsl.storage.database import open_database

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from maestro_dsl.engine.events import Usage
    from maestro_dsl.engine.ports.processes import ServiceEvent

_PROGRAM: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); from maestro_dsl.app.apart import main; sys.exit(main())"
)


def command() -> Sequence[str]:
    """Return the argument list that starts this process."""
    return (sys.executable, "-c", _PROGRAM, str(Path(__file__).parents[2]))


class _Line:
    """The line to the run: messages out, and the receipts that come back in their order."""

    def __init__(self, incoming: IO[bytes], outgoing: IO[bytes]) -> None:
        self._incoming, self._outgoing = incoming, outgoing
        self._waiting: dict[str, Future[None]] = {}

    def first(self) -> Mapping[str, Any]:
        """Return what there is to do."""
        found: Mapping[str, Any] = json.loads(self._incoming.readline())
        return found

    def listen(self) -> None:
        """Take receipts in a thread of its own; where the run is gone, nothing here goes on."""
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in self._incoming:
            self._waiting.pop(json.loads(line)["noted"]).set_result(None)
        os._exit(1)

    def say(self, message: Mapping[str, object]) -> None:
        """Send a message."""
        self._outgoing.write(canonical(message) + b"\n")
        self._outgoing.flush()

    async def answered(self, request: str, blob: str, usage: Usage, nano_usd: int | None) -> None:
        """Tell of a paid answer, and go on when it is durable in the journal."""
        receipt = self._waiting[request] = Future()
        self.say({"answered": [request, blob, to_json(usage), nano_usd]})
        await asyncio.wrap_future(receipt)

    def event(self, body: ServiceEvent) -> None:
        """Tell of a service that started or stopped."""
        self.say({"event": {"type": type(body).__name__, **to_json(body)}})


async def _work(first: Mapping[str, Any], line: _Line) -> AttemptResult:
    setup = first["setup"]
    place, sandbox = Path(setup["state"]), choose(setup["sandbox"])
    database = open_database(place, journal_mode=setup["journal_mode"])
    artifacts = Artifacts(place, Contents(database))
    scratch = Path(setup["scratch"])
    with machine_at_fault(scratch):
        scratch.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - once, before anything runs
    services = LocalServices(
        sandbox=sandbox, artifacts=artifacts, scratch=scratch, ids=SystemIds(), on_event=line.event
    )
    dispatcher = LocalDispatcher(
        actions=ACTIONS,
        artifacts=artifacts,
        prices=prices_of(setup["prices"]),
        sandbox=sandbox,
        services=services,
        provider=make_provider(setup["provider"], Path(setup["base"])),
        work_dir=scratch / "work",
    )
    try:
        link = AttemptLink(answered=line.answered, stored=first["stored"])
        return await dispatcher.submit(from_json(AttemptSpec, first["spec"]), link)
    finally:
        await services.close()
        database.close()


def main() -> int:
    """Do what standard input says; its exit code is of no interest to anyone."""
    outgoing = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what others print must not stand between the messages
    line = _Line(sys.stdin.buffer, outgoing)
    first = line.first()
    line.listen()
    try:
        result = asyncio.run(_work(first, line))
    except DiskFailure as failure:
        line.say({"disk": failure.message, "hint": failure.hint, "before_work": failure.before_work})
    except Exception as error:  # noqa: BLE001 - an action's bug is the failure of its node alone
        line.say({"result": to_json(failure_of(error))})
    else:
        line.say({"result": to_json(result)})
    return 0
