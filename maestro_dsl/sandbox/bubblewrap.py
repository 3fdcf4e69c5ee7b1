"""The arguments that bubblewrap is started with, and the question whether it works on this machine.

Inside there is: the system and the Python installation read-only, an empty `/tmp`, the working folder, no
network, no other process, no capability, no name of the machine or of its users. The kernel's settings in
`/proc` are read-only too: the root of the machine stays their owner, whatever it is called inside.
"""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_dsl.sandbox import confine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

INSTALL_HINT = "apt-get install bubblewrap"
SOCKETS = "/run/maestro"
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_SYSTEM_FILES = (
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
)
_TMP_BYTES = 256 * 1024**2
_PROBE_TIMEOUT_S = 10.0
_FILES = {
    "passwd": "maestro:x:1000:1000::/tmp:/bin/sh\n",
    "group": "maestro:x:1000:\n",
    "hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
_problem: list[str | None] = []


def arguments(program: str, cwd: Path, *, sockets: Path | None, etc: Path, syscalls: int | None) -> list[str]:
    """Return bubblewrap's command line up to and including `--`.

    `sockets` is the folder of `Forwards`; `etc` a folder that `write_etc` has filled; `syscalls` what
    `syscall_filter` returned.
    """
    argv = [
        program, "--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000", "--hostname", "sandbox",
        "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--proc", "/proc", "--dev", "/dev",
        "--size", str(_TMP_BYTES), "--tmpfs", "/dev/shm", "--remount-ro", "/dev", "--remount-ro", "/proc",  # noqa: S108
        "--size", str(_TMP_BYTES), "--tmpfs", "/tmp",  # noqa: S108 - a mount point
    ]  # fmt: skip
    if syscalls is not None:
        argv += ["--seccomp", str(syscalls)]
    argv += _system()
    for name in _FILES:
        argv += ["--ro-bind", str(etc / name), f"/etc/{name}"]
    for folder in python_folders():
        argv += ["--ro-bind", str(folder), str(folder)]
    helpers = str(Path(__file__).parent)
    argv += ["--ro-bind", f"{helpers}/relay.py", f"{SOCKETS}/relay.py"]
    if sockets is not None:
        argv += ["--ro-bind", str(sockets), f"{SOCKETS}/sockets"]
    return [*argv, "--bind", str(cwd), str(cwd), "--remount-ro", "/", "--chdir", str(cwd), "--"]


def _system() -> Iterator[str]:
    for name in _SYSTEM:
        path = Path(name)
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), name)
        elif path.is_dir():
            yield from ("--ro-bind", name, name)
    for name in _SYSTEM_FILES:
        yield from ("--ro-bind-try", name, name)


@cache
def python_folders() -> tuple[Path, ...]:
    """Return the folders that the running interpreter needs, without those of the system itself."""
    executable = Path(sys.executable)
    wanted = [Path(sys.prefix), Path(sys.base_prefix), Path(sys.base_prefix).resolve()]
    wanted.append(executable.resolve().parent.parent)
    kept: list[Path] = []
    for folder in wanted:
        system = folder == Path("/") or any(folder.is_relative_to(name) for name in _SYSTEM)
        if not system and folder not in kept and folder.is_dir():
            kept.append(folder)
    return tuple(kept)


def syscall_filter() -> int | None:
    """Return a descriptor of the filter of system calls for `arguments`, or None on a machine without one.

    The kernel's keys, user namespaces inside this one, sockets that lead to the machine around all networks
    (vsock) and calls that are there to be attacked are refused.
    """
    if platform.machine() not in confine.MACHINES:
        return None
    descriptor = os.memfd_create("filter")
    os.write(descriptor, confine.socket_filter(platform.machine(), "inside"))
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def write_etc(folder: Path) -> None:
    """Write the few files of `/etc` that programs expect, with nothing of this machine in them."""
    for name, text in _FILES.items():
        (folder / name).write_text(text, "utf-8")


async def problem() -> str | None:
    """Return why bubblewrap cannot be used here, or None where it works; found out once, by trying it."""
    if not _problem:
        _problem.append(await _probe())
    return _problem[0]


async def _probe() -> str | None:
    program = shutil.which("bwrap")
    if program is None:
        return "bubblewrap is not installed"
    argv = [program, "--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000", "--die-with-parent"]
    argv += ["--cap-drop", "ALL", "--proc", "/proc", "--dev", "/dev", "--size", "4096", "--tmpfs", "/tmp"]  # noqa: S108 - a mount point
    return await _try([*argv, *_system(), "--", "/usr/bin/env", "true"])


async def _try(argv: Sequence[str]) -> str | None:
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.defpath},
        start_new_session=True,
    )
    try:
        _, stderr = await asyncio.wait_for(process.communicate(), _PROBE_TIMEOUT_S)
    except TimeoutError:
        process.kill()
        await process.wait()
        return "bubblewrap does not answer"
    if process.returncode == 0:
        return None
    lines = stderr.decode("utf-8", "replace").strip().splitlines() or [f"exit code {process.returncode}"]
    return f"bubblewrap does not work here: {lines[0]}"
