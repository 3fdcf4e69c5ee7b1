"""Program that starts one command under limits and leaves nothing of it behind.

Run as `python -I -S keeper.py CONFIG ARGV…` with CONFIG a JSON object {"limits": {"NOFILE": 64 …},
"max_processes": n, "keep_fds": [fd …], "room": null or what all its processes may take together, as
{"folders": [path …], "disk": bytes, "files": n, "memory": bytes}}. It is the session leader and the subreaper
of whatever the command starts, so also a grandchild that left its session is found and ended. Its standard
input is the control line: "t" asks the processes to terminate, the end of the line (also the death of the
program that started us) kills them. It ends with the command's exit code, or 128 + signal. It knows nothing
of namespaces and imports the standard library only.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import stat
import sys
import time
from pathlib import Path
from typing import NoReturn

CANNOT_START = 127
LIMIT_PASSED = 137
_LOOK_EVERY_S = 0.25
_COUNT_EVERY = 20
_WORTH_COUNTING = 0.5
_LONG_NAME = 2000
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_KEYCTL = {"x86_64": 250, "aarch64": 219}
_JOIN_SESSION_KEYRING = 1
_PROC = Path("/proc")
_GROUPS = Path("/sys/fs/cgroup")
_THREADS = 4  # tasks that the kernel allows for each process that is allowed: threads are tasks


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
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(main, signal.SIGKILL)  # the group at one blow: nobody in it forks away from that
        below = descendants(os.getpid())
        send(below, signal.SIGSTOP)  # freeze first, so that nothing forks away while we walk the list
        send(below, signal.SIGKILL)
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


def _let_go_of_keys() -> None:
    """Have a keyring of our own, so that nobody below finds the keys of the user's session."""
    import ctypes

    number = _KEYCTL.get(os.uname().machine) if sys.platform.startswith("linux") else None
    if number is not None:
        ctypes.CDLL(None).syscall(ctypes.c_long(number), ctypes.c_int(_JOIN_SESSION_KEYRING), None)


def _end_first() -> None:
    """Be what the kernel ends where memory runs out, before those who did not ask for it."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")


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


def _become(
    argv: list[str], limits: dict[str, int], keep_fds: list[int], parent: int, pen: Path | None
) -> NoReturn:
    try:
        os.setsid()
        if pen is not None:
            with contextlib.suppress(OSError):
                (pen / "cgroup.procs").write_text("0")
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(LIMIT_PASSED)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        for fd in keep_fds:
            os.set_inheritable(fd, True)
        _let_go_of_keys()
        _end_first()
        _limit(limits)
        os.execvpe(argv[0], argv, os.environ)  # noqa: S606 - an argument list, never a shell
    except BaseException as error:  # noqa: BLE001 - between fork and exec nothing may travel up
        os.write(2, f"cannot start {argv[0]}: {error}\n".encode())
        os._exit(CANNOT_START)


def _pen(most: int) -> Path | None:
    """Make a control group with room for `most` tasks; None where that cannot be done, or need not.

    The kernel holds root to no number of processes, and of those that double without end we hear too late.
    """
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(OSError, ValueError):
        for line in (_PROC / "self" / "cgroup").read_text("utf-8").splitlines():
            _, kinds, path = line.split(":", 2)
            own = _GROUPS / kinds / path.strip("/")
            # In version 2 a group that holds tasks can have no others below it.
            base = own.parent if not kinds and own != _GROUPS else own
            if kinds == "pids" or (not kinds and "pids" in (base / "cgroup.subtree_control").read_text()):
                for left in base.glob("maestro.*"):  # of a keeper that was killed; those in use are not empty
                    with contextlib.suppress(OSError):
                        left.rmdir()
                pen = base / f"maestro.{os.getpid()}"
                pen.mkdir()
                (pen / "pids.max").write_text(str(most))
                return pen
    return None


class Room:
    """How much disk and memory all processes of a command take together.

    The machine is asked how much it has left, which costs nothing. Where that has become less by half of what
    the command may take, it is counted whether it was the command; and now and then anyway, because others
    may have given back as much meanwhile.
    """

    def __init__(self, folders: list[str], disk: int, files: int, memory: int) -> None:
        self._folders, self._limits = folders, (disk, files, memory)
        self._left, self._looks = self._now(), 0

    def _now(self) -> tuple[int, ...]:
        found = [os.statvfs(folder) for folder in self._folders if os.path.isdir(folder)]  # noqa: PTH112
        space = min((item.f_bfree * item.f_frsize for item in found), default=0)
        return space, min((item.f_ffree for item in found), default=0), _available_memory()

    def passed(self, pids: list[int]) -> str | None:
        """Return which limit the processes have passed, in words, or None."""
        now = self._now()
        self._left = tuple(map(max, self._left, now))
        self._looks += 1
        share = max(
            (left - is_now) / most for left, is_now, most in zip(self._left, now, self._limits, strict=True)
        )
        if share < _WORTH_COUNTING and self._looks % _COUNT_EVERY:
            return None
        try:
            return self._counted(now, pids)
        except OSError:
            return "files that cannot be counted" if share >= 1 else None

    def _counted(self, now: tuple[int, ...], pids: list[int]) -> str | None:
        held, held_memory = _deleted_but_open(pids, self._folders)
        size, count = _taken(self._folders, self._limits[1])
        used = (size + held, count, held_memory + sum(map(_own_memory, pids)))
        self._left = tuple(left + taken for left, taken in zip(now, used, strict=True))
        names = ("bytes of files", "files", "bytes of memory")
        passed = [
            f"more than {most} {name}"
            for taken, most, name in zip(used, self._limits, names, strict=True)
            if taken > most
        ]
        return passed[0] if passed else None


def _taken(folders: list[str], most: int) -> tuple[int, int]:
    """Return the bytes and the number of what lies in folders, however deep; stops counting beyond `most`.

    Raises:
        OSError: a folder is closed, or there are too many too deep ones.
    """
    size = count = 0
    linked: set[int] = set()
    waiting: list[tuple[int | None, str]] = [(None, folder) for folder in folders]
    bases: list[int] = []
    try:
        while waiting and count <= most:
            base, name = waiting.pop()
            try:
                opened = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=base)
            except (FileNotFoundError, NotADirectoryError):
                continue
            deep = len(name) > _LONG_NAME  # what is below is named from here
            bases.append(opened)
            with os.scandir(opened) as entries:
                for entry in entries:
                    with contextlib.suppress(FileNotFoundError):
                        found = entry.stat(follow_symlinks=False)
                        if stat.S_ISDIR(found.st_mode):
                            waiting.append((opened, entry.name) if deep else (base, f"{name}/{entry.name}"))
                        elif found.st_nlink > 1 and found.st_ino in linked:
                            continue
                        linked.add(found.st_ino)
                        size, count = size + found.st_blocks * 512, count + 1
            if not deep:
                os.close(bases.pop())
    finally:
        for opened in bases:
            os.close(opened)
    return size, count


def _deleted_but_open(pids: list[int], folders: list[str]) -> tuple[int, int]:
    """Return the bytes on the disk, and in memory, of files without a name that processes hold open."""
    devices = {os.stat(folder).st_dev for folder in folders if os.path.isdir(folder)}  # noqa: PTH112, PTH116
    seen: dict[tuple[int, int], int] = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            for entry in os.scandir(_PROC / str(pid) / "fd"):
                with contextlib.suppress(OSError):
                    found = entry.stat()
                    if stat.S_ISREG(found.st_mode) and not found.st_nlink:
                        seen[found.st_dev, found.st_ino] = found.st_blocks * 512
    on_disk = sum(size for (device, _), size in seen.items() if device in devices)
    return on_disk, sum(seen.values()) - on_disk


def _own_memory(pid: int) -> int:
    """Return the bytes of memory that no file stands behind, 0 where the process is gone."""
    with contextlib.suppress(OSError):
        text = (_PROC / str(pid) / "status").read_text("utf-8", "replace")
        return sum(_kib(line) for line in text.splitlines() if line.startswith(("RssAnon", "RssShmem")))
    return 0


def _available_memory() -> int:
    with contextlib.suppress(OSError):
        lines = (_PROC / "meminfo").read_text("ascii").splitlines()
        return next((_kib(line) for line in lines if line.startswith("MemAvailable")), 0)
    return 0


def _kib(line: str) -> int:
    return int(line.split()[1]) * 1024


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


def _watch(main: int, wake: int, max_processes: int, room: Room | None) -> int:
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
        below = descendants(os.getpid())
        passed = f"more than {max_processes} processes" if len(below) > max_processes else None
        if passed is None and room is not None:
            passed = room.passed(below)
        if passed is not None:
            os.write(2, f"stopped: {passed}\n".encode())
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
    room = Room(**config["room"]) if config["room"] else None
    pen = _pen(config["max_processes"] * _THREADS)
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        _become(argv, config["limits"], config["keep_fds"], parent, pen)
    signal.signal(signal.SIGTERM, lambda *_: os.close(0))
    code = _watch_safely(pid, wake, config["max_processes"], room)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _kill_all(pid)
    if pen is not None:
        with contextlib.suppress(OSError):
            pen.rmdir()
    return code


def _watch_safely(main: int, wake: int, max_processes: int, room: Room | None) -> int:
    try:
        return _watch(main, wake, max_processes, room)
    except OSError:  # SIGTERM closed the control line: treat it as its end
        return 128 + signal.SIGTERM


if __name__ == "__main__":
    os._exit(main())
