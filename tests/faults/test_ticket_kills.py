"""A kill at each step of a ticket's way: it arrives, once where the place can be asked, never silently lost.

The witness is a server of its own that can kill the sender. A place that can be searched holds one ticket
whatever happened; what a webhook is sent again carries the same key, by which the receiver knows it.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from support.files import write
from support.kills import Dying, Moment
from support.program import PATIENCE, inside
from support.projects import IMPATIENT, bare

from maestro_dsl import app
from maestro_dsl.lang.settings import Overrides
from maestro_dsl.storage.outbox import TicketBox
from maestro_dsl.tickets import courier

NODES = "  bad: {action: fulfil, persona: dev, contract: c}\n"
SINKS = {
    "webhook": '{sink: webhook, url: "URL/hook", secret_env: SECRET}',
    "github": '{sink: github, url: "URL", repository: acme/shop, token_env: SECRET}',
}
ENVIRON = {"SECRET": "a long shared secret"}
GAPS = {
    "before the ticket is stored": Moment("AttemptFinished", 1),
    "before it is sent": Moment("TicketOpened", 1),
    "before it is made": None,
    "after it is made, before the answer": None,
    "after the answer": None,
}
"""Where the sender is killed: behind an event, or by the place that it sends to."""
_CONTEXT = multiprocessing.get_context("forkserver")


class Place:
    """Where tickets arrive: a webhook, and issues that can be searched."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        """The key of each ticket that was made, in order."""
        self.kill_at = ""
        self.victim = 0

    def make(self, key: str) -> int:
        """Make a ticket and return its number, or kill the sender as ordered."""
        self._kill("before it is made")
        self.keys.append(key)
        self._kill("after it is made, before the answer")
        return len(self.keys)

    def _kill(self, at: str) -> None:
        if self.kill_at == at:
            self.kill_at = ""
            os.kill(self.victim, signal.SIGKILL)
            raise ConnectionError

    def issues(self) -> list[dict[str, object]]:
        """Return what a search finds."""
        return [{"number": n, "labels": [{"name": key}]} for n, key in enumerate(self.keys, 1)]

    @contextmanager
    def served(self):
        """Serve on a port of its own; gives the address."""
        place = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(200, place.issues())

            def do_POST(self) -> None:
                sent = json.loads(self.rfile.read(int(self.headers["content-length"])))
                key = self.headers.get("idempotency-key") or sent["labels"][0]
                try:
                    number = place.make(key)
                except ConnectionError:
                    return
                self._answer(201, {"number": number, "id": str(number)})

            def _answer(self, status: int, data: object) -> None:
                body = json.dumps(data).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def _apply(folder: str, gap: str, ours) -> None:
    """Be the process that is killed. A claim ends at once: nobody waits a minute here."""
    courier.CLAIM_S = 0.0
    if gap == "after the answer":
        TicketBox.delivered = lambda *_args, **_more: os.kill(os.getpid(), signal.SIGKILL)
    ours.recv()
    moment = GAPS[gap]
    asyncio.run(_applied(Path(folder), [] if moment is None else [Dying(moment)]))


async def _applied(folder: Path, sinks):
    report = app.plan_report(
        folder / "plan.yaml", overrides=Overrides(), environ=ENVIRON, state_dir=folder / "state"
    )
    return await app.apply(report, options=app.ApplyOptions(), environ=ENVIRON, sinks=sinks)


@pytest.mark.parametrize("sink", SINKS)
@pytest.mark.parametrize("gap", GAPS)
def test_a_ticket_arrives_whenever_its_sender_is_killed(tmp_path, gap, sink):
    place = Place()
    with place.served() as url:
        settings = f"{IMPATIENT}tickets: {SINKS[sink].replace('URL', url)}\n"
        write(tmp_path, bare(NODES, settings=settings, plan="provider: scripted:script.yaml\n"))
        (tmp_path / "script.yaml").write_text("answers: [{fault: fatal}]\n")
        ours, theirs = _CONTEXT.Pipe()
        process = _CONTEXT.Process(target=_apply, args=(str(tmp_path), gap, theirs))
        process.start()
        place.victim, place.kill_at = process.pid, gap
        ours.send("go")
        process.join(PATIENCE)
        assert process.exitcode == -signal.SIGKILL
        made = len(place.keys)
        assert made == (gap.startswith("after"))
        go_on(tmp_path)
    lost_answer = made and sink == "webhook"  # it cannot be asked what it has
    assert len(place.keys) == 1 + lost_answer
    assert len(set(place.keys)) == 1, "the same key, so that it is known to be the same ticket"
    (ticket,) = app.list_tickets(environ={}, state_dir=tmp_path / "state").tickets
    assert (ticket.status, bool(ticket.reference)) == ("delivered", True)
    found = app.verify_state_dir(environ={}, state_dir=tmp_path / "state", read_share=1.0).found
    assert found.damages == ()


def go_on(folder):
    """Resume the run; where it had ended, deliver what waits."""
    (run,) = app.list_runs(environ={}, state_dir=folder / "state").runs
    command = ("tickets", "deliver") if run.status in {"failed", "completed"} else ("resume",)
    done = inside(*command, "--state-dir", folder / "state", cwd=folder, **ENVIRON)
    assert done.returncode in {0, 1}, done.stderr
