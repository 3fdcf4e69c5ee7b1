"""Program that starts one command under limits and leaves nothing of it behind.

Run as `python -I -S keeper.py CONFIG ARGV…` with CONFIG a JSON object {"limits": {"NOFILE": 64 …},
"max_processes": n, "keep_fds": [fd …]}. It is the session leader and the subreaper of whatever the command
starts, so also a grandchild that left its session is found and ended. Its standard input is the control
line: "t" asks the processes to terminate, the end of the line (also the death of the program that started
us) kills them. It ends with the command's exit code, or 128 + signal. It knows nothing of namespaces and
imports the standard library only.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

CANNOT_START = 127
LIMIT_PASSED = 137
_LOOK_EVERY_S = 0.25
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PROC = Path("/proc")


def children_by_parent() -> dict[int, list[int]]:
    """Return process id → ids of its children, from /proc; empty where there is no /proc."""
    found: dict[int, list[int]] = {}
    with contextlib.suppress(OSError):
        for entry in os.scandir(_PROC):
            if entry.name.isdigit():
                stat = _stat_fields(int(entry.name))
                if stat:
                    found.setdefault(int(stat[1]), []).append(int(entry.name))
    return found


def _stat_fields(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the name: state, parent, group …; empty if it is gone."""
    try:
        text = (_PROC / str(pid) / "stat").read_text("utf-8", "replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def start_ticks(pid: int) -> int | None:
    """Return when a process started, in clock ticks since boot; with its id that is an identity."""
    fields = _stat_fields(pid)
    return int(fields[19]) if len(fields) > 19 else None  # noqa: PLR2004 - field 22 of proc(5)


def descendants(root: int) -> list[int]:
    """Return all processes below `root`, parents first."""
    children = children_by_parent()
    found: list[int] = []
    waiting = list(children.get(root, ()))
    while waiting:
        pid = waiting.pop(0)
        found.append(pid)
        waiting.extend(children.get(pid, ()))
    return found


def send(pids: list[int], number: int) -> None:
    """Signal the processes that still exist and that we may signal."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _is_bubblewrap(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return (_PROC / str(pid) / "comm").read_text("utf-8", "replace").strip() == "bwrap"
    return False


def _ask_to_end(main: int) -> None:
    below = descendants(os.getpid())
    if not below:  # no /proc on this system: the group is all we can name
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(main, signal.SIGTERM)
        return
    # bubblewrap would take everything inside down with it before the command can save its data
    send([pid for pid in below if not _is_bubblewrap(pid)], signal.SIGTERM)


def _kill_all(main: int) -> None:
    """Kill until nothing is left; orphans come to us because we are their subreaper."""
    while True:
        below = descendants(os.getpid())
        send(below, signal.SIGSTOP)  # freeze first, so that nothing forks away while we walk the list
        send(below, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(main, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return


def _prctl(option: int, value: int) -> None:
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _limit(limits: dict[str, int]) -> None:
    import resource

    for name, wanted in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is None:
            continue
        hard = resource.getrlimit(kind)[1]
        value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (value, value))


def _become(argv: list[str], limits: dict[str, int], keep_fds: list[int], parent: int) -> NoReturn:
    try:
        os.setsid()
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(LIMIT_PASSED)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        for fd in keep_fds:
            os.set_inheritable(fd, True)
        _limit(limits)
        os.execvpe(argv[0], argv, os.environ)  # noqa: S606 - an argument list, never a shell
    except BaseException as error:  # noqa: BLE001 - between fork and exec nothing may travel up
        os.write(2, f"cannot start {argv[0]}: {error}\n".encode())
        os._exit(CANNOT_START)


def _reap(main: int) -> int | None:
    """Collect ended children; return the command's exit code once it has ended."""
    code = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if pid == 0:
            return code
        if pid == main:
            ended = os.waitstatus_to_exitcode(status)
            code = ended if ended >= 0 else 128 - ended


def _watch(main: int, wake: int, max_processes: int) -> int:
    control = 0
    look_at = time.monotonic() + _LOOK_EVERY_S
    while True:
        ready, _, _ = select.select([control, wake], [], [], _LOOK_EVERY_S)
        if wake in ready:
            os.read(wake, 4096)
        code = _reap(main)
        if code is not None:
            return code
        if control in ready:
            if not os.read(control, 64):
                return 128 + signal.SIGKILL
            _ask_to_end(main)
        # by the clock, not when nothing happens: children that end without pause would keep us from looking
        if time.monotonic() < look_at:
            continue
        look_at = time.monotonic() + _LOOK_EVERY_S
        if len(descendants(os.getpid())) > max_processes:
            os.write(2, f"stopped: more than {max_processes} processes\n".encode())
            return LIMIT_PASSED


def main() -> int:
    """Run the command of the argument list; return its exit code."""
    config = json.loads(sys.argv[1])
    argv = sys.argv[2:]
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    wake, notify = os.pipe()
    os.set_blocking(notify, False)
    signal.set_wakeup_fd(notify, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        _become(argv, config["limits"], config["keep_fds"], parent)
    signal.signal(signal.SIGTERM, lambda *_: os.close(0))
    code = _watch_safely(pid, wake, config["max_processes"])
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _kill_all(pid)
    return code


def _watch_safely(main: int, wake: int, max_processes: int) -> int:
    try:
        return _watch(main, wake, max_processes)
    except OSError:  # SIGTERM closed the control line: treat it as its end
        return 128 + signal.SIGTERM


if __name__ == "__main__":
    os._exit(main())
