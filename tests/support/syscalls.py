"""Runs, and other work, killed at a chosen system call of a chosen thread, by the injection of `strace`.

`strace` counts the calls of each thread apart, so a point is (thread, call, how often). The thread waits
at its start until `strace` holds it. A kill comes before the call is done; what a call has left is seen at
the next one, so all states that a kill can leave are reached.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from support.program import PATIENCE

from maestro_dsl.errors import MaestroError
from maestro_dsl.storage import files

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from support.handful import Handful

CALLS = (
    "write",
    "pwrite64",
    "ftruncate",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "unlink",
    "unlinkat",
    "mkdir",
    "mkdirat",
    "rmdir",
    "utimensat",
)
"""Every call by which the program changes files; what creates one (`openat`) is seen at the next of these."""
ALL = os.environ.get("MAESTRO_TEST_ALL_SYSCALLS") == "1"
"""Whether tests take every point instead of a few."""
MAIN = "main"
UNSAID = 99
"""Exit code of a process that failed without a way out in words."""
_SET_PTRACER, _ANY = 0x59616D61, -1
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    ["maestro_dsl.app.running", "maestro_dsl.app.planning", "maestro_dsl.compiler.compile", "alembic.command"]
)
_LINE = re.compile(r"(?P<tid>\d+) +(?P<call>\w+)\((?P<rest>.*)")


@dataclass(frozen=True, order=True)
class Point:
    """The `count`-th `call` of the thread whose name begins with `thread`."""

    thread: str
    call: str
    count: int

    def __str__(self) -> str:
        return f"{self.thread}-{self.call}-{self.count}"


@dataclass(frozen=True)
class Deed:
    """What a process of its own does to a folder: `work(folder)`, which changes what lies below `ours`."""

    folder: Path
    work: Callable[[Path], object]
    ours: tuple[Path, ...]


@cache
def missing() -> str | None:
    """Return why no call can be injected here, or None."""
    strace = shutil.which("strace")
    if strace is None:
        return "strace is not installed"
    done = subprocess.run(
        [strace, "-e", "trace=none", "true"], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    return None if done.returncode == 0 else f"strace may not trace here: {done.stderr.strip()[:200]}"


def apply_and_die(deed: Deed | Handful, point: Point) -> bool:
    """Do it (apply or go on) in a process of its own; return whether the point came, and killed it."""
    injected = f"inject={point.call}:signal=SIGKILL:when={point.count}"
    code, _ = _traced(deed, point.thread, ["-e", f"trace={point.call}", "-e", injected], Path(os.devnull))
    assert code in {0, -signal.SIGKILL}, f"the process ended with {code}"
    return code != 0


def apply_on_a_bad_disk(handful: Handful, point: Point, error: str) -> int:
    """Apply or go on while a call fails from a point on; return the exit code of the process."""
    injected = f"inject={point.call}:error={error}:when={point.count}+"
    options = ["-e", f"trace={point.call}", "-e", injected]
    return _traced(handful, point.thread, options, Path(os.devnull))[0]


def points_of(deed: Deed | Handful) -> list[Point]:
    """Do it (apply or go on) undisturbed; return each point at which it changes something, in order."""
    log = deed.folder / "strace.log"
    code, names = _traced(deed, MAIN, ["-f", "-y", "-s", "0", "-e", f"trace={','.join(CALLS)}"], log)
    assert code == 0
    seen: Counter[tuple[str, str]] = Counter()
    points = []
    ours = [str(path) for path in deed.ours]
    for line in log.read_text().splitlines():
        found = _LINE.match(line)
        if found is None:
            continue  # the second half of a call that another thread interrupted, or the end
        thread = names.get(int(found["tid"]), "")
        seen[thread, found["call"]] += 1
        if any(path in found["rest"] for path in ours):
            points.append(Point(thread, found["call"], seen[thread, found["call"]]))
    return points


def at_points(
    deed: Deed | Handful, chosen: Callable[[list[Point]], list[Point]], meet: Callable[[Point], str]
) -> Counter[str]:
    """Let `meet` happen at each of the chosen points to the folder as it is now; print what came of it.

    Stops at the first point that fails; with `ALL` it goes on and names every one.
    """
    saved = deed.folder.parent / "saved"
    shutil.copytree(deed.folder, saved)
    outcomes: Counter[str] = Counter()
    bad = []
    for point in chosen(points_of(deed)):
        shutil.rmtree(deed.folder)
        shutil.copytree(saved, deed.folder)
        try:
            outcomes[f"{point.thread} {point.call}: {meet(point)}"] += 1
        except Exception as error:
            bad.append(f"{point}: {type(error).__name__}: {error}")
            if not ALL:
                raise AssertionError(f"at {point}") from error
    for text, count in sorted(outcomes.items()):
        sys.stdout.write(f"\n{count:5} {text}")
    assert not bad, "\n".join(bad)
    return outcomes


def _traced(deed: Deed | Handful, thread: str, options: list[str], log: Path) -> tuple[int, dict[int, str]]:
    """Do it in a process one of whose threads `strace` holds; return its exit code and its threads' names."""
    ours, theirs = _CONTEXT.Pipe()
    process = _CONTEXT.Process(target=_do, args=(deed.work, deed.folder, thread, theirs))
    process.start()
    theirs.close()
    tracer, names = None, {}
    try:
        while True:
            said = ours.recv()
            if isinstance(said, dict):
                names = said
                continue
            tracer = _attached(said, options, log)
            ours.send("go")
    except (EOFError, ConnectionError):
        process.join(PATIENCE)
    finally:
        ours.close()
        if tracer is not None:
            tracer.wait(PATIENCE)
            tracer.stderr.close()
    assert process.exitcode is not None, "the process hangs"
    return process.exitcode, names


def _attached(tid: int, options: list[str], log: Path) -> subprocess.Popen[str]:
    tracer = subprocess.Popen(
        ["strace", "-p", str(tid), "-o", str(log), *options], stderr=subprocess.PIPE, text=True
    )
    said = tracer.stderr.readline()
    assert "attached" in said, said
    return tracer


def _do(work: Callable[[Path], object], folder: Path, wanted: str, parent: Connection) -> None:
    """Be the process: stop at the beginning of the wanted thread until the parent says go."""
    ctypes.CDLL(None).prctl(
        _SET_PTRACER, ctypes.c_ulong(_ANY), 0, 0, 0
    )  # else only a debugger's own children
    files._THREADS = 1  # those that only wait for the disk are one, so that its calls can be counted
    names = {threading.get_native_id(): MAIN}
    begun = threading.Event()

    def halt() -> None:
        parent.send(threading.get_native_id())
        parent.recv()

    def run(thread: threading.Thread, original=threading.Thread.run) -> None:
        name = thread.name.partition("_")[0]
        names[threading.get_native_id()] = name
        if name == wanted and not begun.is_set():
            begun.set()
            halt()
        original(thread)

    threading.Thread.run = run
    if wanted == MAIN:
        halt()
    try:
        work(folder)
    except MaestroError as error:
        os._exit(error.exit_code if error.hint else UNSAID)
    parent.send(names)
    parent.close()
