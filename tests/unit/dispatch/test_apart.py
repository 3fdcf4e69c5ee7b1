"""An attempt in a process of its own: what comes back, and what stays where that process ends or hangs."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
from contextlib import suppress

import pytest

from maestro_dsl.codec import to_json
from maestro_dsl.compiler.plan import PlanNode
from maestro_dsl.dispatch import apart
from maestro_dsl.dispatch.apart import ApartDispatcher
from maestro_dsl.engine.events import ServiceReady, Usage
from maestro_dsl.engine.ports.attempts import AttemptResult, AttemptSpec
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.engine.ports.work import AttemptLink
from maestro_dsl.errors import DiskFailure, HelpNeeded
from maestro_dsl.storage.journal import Journal

OTHER_SIDE = """
import json, os, signal, sys, time
first = json.loads(sys.stdin.readline())
def say(**message):
    print(json.dumps(message), flush=True)
"""


@pytest.fixture
def spec():
    node = PlanNode(address="n", node="n", action="do", edges=())
    return AttemptSpec(run_id="r", node=node, attempt=1, round=1, fence=3, key="k")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(apart, "PATIENCE_S", 0.0)


def submit(spec, code, *, on_event=print, heard=None, setup=None):
    async def answered(*answer):
        heard.append(answer)

    dispatcher = ApartDispatcher(
        command=(sys.executable, "-c", OTHER_SIDE + code),
        setup=setup or {},
        on_event=on_event,
    )
    return dispatcher.submit(spec, AttemptLink(answered=answered, stored={"q": "b"}))


def test_what_happens_there_is_told_here_and_the_result_comes_back(spec):
    ready = ServiceReady(contract_id="c", mode="mock", url="http://127.0.0.1:1", lease="l", pgid=None)
    usage = Usage(input_tokens=3, output_tokens=4)
    result = AttemptResult(usage=usage, message="done " * 50_000)
    code = f"""
assert first["setup"] == {{"state": "here"}} and first["stored"] == {{"q": "b"}}
assert first["spec"]["fence"] == 3
say(event={{"type": "ServiceReady", **{to_json(ready)!r}}})
say(answered=["request", "blob", {to_json(usage)!r}, 7])
assert json.loads(sys.stdin.readline()) == {{"noted": "request"}}
say(result={{"usage": {to_json(usage)!r}, "message": "done " * 50_000}})
time.sleep(600)
"""
    seen, heard = [], []
    done = asyncio.run(submit(spec, code, on_event=seen.append, heard=heard, setup={"state": "here"}))
    assert (done, seen, heard) == (result, [ready], [("request", "blob", usage, 7)])


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "killed by SIGKILL"),
        ("sys.exit('no memory left')", "exit code 1; it said: no memory left"),
        ("os.close(1); time.sleep(600)", "killed by SIGKILL"),
    ],
)
def test_a_process_that_ends_without_a_result_needs_help(spec, code, said):
    with pytest.raises(HelpNeeded, match=f"n ran in a process of its own.*: {said}"):
        asyncio.run(submit(spec, code))


def test_a_disk_that_fails_there_is_no_fault_of_the_node(spec):
    with pytest.raises(DiskFailure, match="it is full") as failed:
        asyncio.run(submit(spec, "say(disk='it is full', hint='free some space', before_work=True)"))
    assert failed.value.hint == "free some space"
    assert failed.value.before_work


def test_whoever_stops_the_attempt_ends_its_process(spec):
    seen = []

    async def main():
        there = asyncio.Event()

        def note(event):
            seen.append(event)
            there.set()

        code = f"say(event={{'type': 'ServiceStopped', 'contract_id': str(os.getpid()), **{MORE!r}}})"
        task = asyncio.ensure_future(submit(spec, f"{code}\ntime.sleep(600)", on_event=note))
        await there.wait()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(main())
    with pytest.raises(ProcessLookupError):
        os.kill(int(seen[0].contract_id), 0)


MORE = {"mode": "mock", "lease": "l"}


def test_the_real_other_side_does_what_this_side_would(spec, tmp_path):
    from maestro_dsl.app.apart import command

    setup = {
        "state": str(tmp_path / "state"),
        "scratch": str(tmp_path / "scratch"),
        "provider": "scaffold",
        "base": str(tmp_path),
        "sandbox": "none",
        "prices": None,
        "journal_mode": "WAL",
    }
    Journal.open(tmp_path / "state").close()
    dispatcher = ApartDispatcher(command=command(), setup=setup, on_event=[].append)
    done = asyncio.run(dispatcher.submit(spec, AttemptLink(answered=None, stored={})))
    assert done.failure is Failure.FATAL
    assert 'there is no action "do"' in done.message


@pytest.mark.parametrize("code", [errno.EAGAIN, errno.ENOMEM, errno.EMFILE])
def test_a_machine_without_room_for_a_process_is_no_fault_of_the_node(spec, monkeypatch, code):
    async def refused(*_args, **_options):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(asyncio, "create_subprocess_exec", refused)
    with pytest.raises(DiskFailure, match="cannot work in a process of its own") as failed:
        asyncio.run(submit(spec, ""))
    assert failed.value.before_work
