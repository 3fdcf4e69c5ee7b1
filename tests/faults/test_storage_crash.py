"""Real processes that are killed or contend, and publishing that stops at every step."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
from contextlib import closing

import pytest

from maestro_dsl.engine.events import FileRef
from maestro_dsl.errors import DiskFailure, IntegrityError, StateError
from maestro_dsl.storage.artifacts import Artifacts
from maestro_dsl.storage.journal import Journal
from maestro_dsl.storage.lease import Holder, RunLease
from maestro_dsl.storage.output import OutputFolder

WRITER = """
import pathlib, sys
from maestro_dsl.engine.events import AttemptStarted, Event
from maestro_dsl.engine.ports.storage import RunRecord
from maestro_dsl.storage.journal import Journal
journal = Journal.open(pathlib.Path(sys.argv[1]))
group = int(sys.argv[2])
journal.create_run(RunRecord(run_id="r", plan_id="p", plan_digest="d", output="o", status="pending",
                             verdict="pending", created_at=0.0, updated_at=0.0), b"{}")
seq = 0
while seq < 100_000:
    events = [Event(run_id="r", seq=seq + n, at=0.0,
                    body=AttemptStarted(node="n", attempt=1, round=1, fence=1, key="k"))
              for n in range(1, group + 1)]
    journal.append(events, 1)
    seq += group
    print(seq, flush=True)
"""

HOLDER = """
import pathlib, sys
from maestro_dsl.errors import StateError
from maestro_dsl.storage.lease import Holder, RunLease
holder = Holder(pid=4711, host="box", since="now", command="maestro apply")
try:
    lease = RunLease.acquire(pathlib.Path(sys.argv[1]), "r", holder, lambda run_id: 1)
    print("held", flush=True)
except StateError as error:
    print(error.message, flush=True)
sys.stdin.read()
"""

ME = Holder(pid=1, host="h", since="now", command="c")


def start(program, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(("group", "lines"), [(1, 60), (7, 20)])
def test_every_acknowledged_event_survives_a_kill(tmp_path, group, lines):
    with start(WRITER, tmp_path, group) as child:
        acknowledged = [int(child.stdout.readline()) for _ in range(lines)][-1]
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read().split("\n")
        acknowledged = max([acknowledged, *(int(line) for line in rest[:-1])])
    journal = Journal.open(tmp_path)
    found = [event.seq for event in journal.events("r")]
    assert found == list(range(1, len(found) + 1))
    assert len(found) >= acknowledged
    assert len(found) % group == 0
    assert journal.verify() == ()
    journal.close()


def test_a_damaged_end_of_the_log_after_a_kill_is_noticed(tmp_path):
    with start(WRITER, tmp_path / "killed", 1) as child:
        for _ in range(40):
            child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        child.stdout.read()
    content = (tmp_path / "killed" / "journal.db-wal").read_bytes()
    half = len(content) // 2
    flipped = content[:half] + bytes([content[half] ^ 1]) + content[half + 1 :]
    for name, damaged in {"cut": content[:half], "flip": flipped, "gone": b""}.items():
        shutil.copytree(tmp_path / "killed", tmp_path / name)
        (tmp_path / name / "journal.db-wal").write_bytes(damaged)
        with pytest.raises(IntegrityError), closing(Journal.open(tmp_path / name)) as journal:
            journal.events("r")


def test_a_lease_ends_with_its_process_and_not_before(tmp_path):
    with start(HOLDER, tmp_path) as child:
        assert child.stdout.readline() == "held\n"
        with pytest.raises(StateError, match="run r is in use by process 4711 on box since now"):
            RunLease.acquire(tmp_path, "r", ME, lambda _: 2)
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert list((tmp_path / "locks").glob("*.holder.json"))
        RunLease.acquire(tmp_path, "r", ME, lambda _: 2).release()


def test_of_eight_processes_one_gets_the_run_and_the_others_name_it(tmp_path):
    children = [start(HOLDER, tmp_path) for _ in range(8)]
    answers = [child.stdout.readline() for child in children]
    for child in children:
        child.communicate()
    busy = "run r is in use by process 4711 on box since now (maestro apply)\n"
    assert sorted(answers) == ["held\n", *([busy] * 7)]


class Killed(BaseException):
    """Stands for the end of the process: nothing of ours handles it."""


def killed_at(monkeypatch, step, name):
    """Let the call number `step` of `os.<name>` be the last one."""
    calls = itertools.count(1)
    original = getattr(os, name)

    def call(*args, **options):
        if next(calls) == step:
            raise Killed
        return original(*args, **options)

    monkeypatch.setattr(os, name, call)


def tree(root):
    return {
        str(path.relative_to(root)): path.read_bytes() if path.is_file() else b"folder"
        for path in root.rglob("*")
    }


@pytest.fixture
def versions(tmp_path):
    artifacts = Artifacts(tmp_path / "state")

    def refs(files):
        return [FileRef(path=p, digest=artifacts.put(t.encode()), size=len(t)) for p, t in files.items()]

    one = refs({"api/app.py": "1", "api/old/gone.py": "1", "same.md": "1"})
    two = refs({"api/app.py": "2", "api/new/more.py": "2", "same.md": "1", "twin": "2"})
    return artifacts, one, two, refs({"api/app.py": "3"})


@pytest.mark.parametrize("call", ["rename", "unlink", "fsync", "rmdir", "mkdir"])
def test_publishing_that_was_killed_anywhere_is_done_again(tmp_path, monkeypatch, versions, call):
    artifacts, one, two, three = versions
    straight = OutputFolder(tmp_path / "straight", artifacts)
    for files in (one, two):
        straight.publish("n", "k", files)
    after_three = OutputFolder(tmp_path / "three", artifacts)
    for files in (one, two, three):
        after_three.publish("n", "k", files)
    for step in itertools.count(1):
        killed = False
        for redo, expected in ((two, "straight"), (three, "three")):
            root = tmp_path / f"out-{step}-{expected}"
            OutputFolder(root, artifacts).publish("n", "k", one)
            with monkeypatch.context() as patch:
                killed_at(patch, step, call)
                try:
                    OutputFolder(root, artifacts).publish("n", "k", two)
                except Killed:
                    killed = True
            again = OutputFolder(root, artifacts)
            assert again.conflicts(["**"]) == ()
            again.publish("n", "k", redo)
            assert tree(root) == tree(tmp_path / expected)
        if not killed:
            break
    assert step > 2


def test_a_full_disk_while_publishing_is_said_and_can_be_done_again(tmp_path, monkeypatch, versions):
    artifacts, one, two, _ = versions
    output = OutputFolder(tmp_path / "out", artifacts)
    output.publish("n", "k", one)

    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", full)
        with pytest.raises(DiskFailure, match="the disk is full"):
            output.publish("n", "k", two)
    output.publish("n", "k", two)
    assert (tmp_path / "out" / "twin").read_text() == "2"
