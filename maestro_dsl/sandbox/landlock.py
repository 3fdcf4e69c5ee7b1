"""The level Landlock: what a command is left with, as data for `confine.py`, and what is possible here.

Landlock holds files (and signals from version 6). It does not hold all of the network: that is a network
namespace of its own, or, where none may be made, a filter under which no socket can be made at all. Without
either this is no sandbox for what a model wrote.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_dsl.sandbox import confine
from maestro_dsl.sandbox.bubblewrap import python_folders

if TYPE_CHECKING:
    from collections.abc import Sequence

LOWEST_ABI = 3
"""Linux 6.2: below it a file outside could be emptied."""

SIGNALS_ABI = 6
PORTS_ABI = 4
_NEWEST_ABI = 7
_EXECUTE, _WRITE, _READ, _LIST = 1, 2, 4, 8
_DEVICES_CREATED = 1 << 6 | 1 << 11  # character and block devices
_REFER, _TRUNCATE, _IOCTL = 1 << 13, 1 << 14, 1 << 15
_BIND, _CONNECT = 1, 2
_SCOPED = 0b11  # abstract sockets, signals
_HELPERS = tuple(str(Path(__file__).with_name(name)) for name in ("confine.py", "relay.py"))
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_READABLE = (
    *(f"/etc/{name}" for name in ("alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime")),
    *(f"/etc/{name}" for name in ("passwd", "group", "hosts", "nsswitch.conf", "mime.types", "os-release")),
    *(f"/proc/{name}" for name in ("cpuinfo", "meminfo", "stat", "uptime", "loadavg", "filesystems")),
    "/sys/devices/system/cpu",
)
_DEVICES = tuple(f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom"))
_PROBE_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """What this machine's kernel offers; `namespaces` and `sockets` hold why not, or None where it does."""

    abi: int
    namespaces: str | None
    sockets: str | None

    @property
    def problem(self) -> str | None:
        """Why Landlock is no sandbox here for what a model wrote, or None."""
        if self.abi == 0:
            return "this kernel has no Landlock (Linux 5.13 with landlock among its security modules)"
        if self.abi < LOWEST_ABI:
            return f"Landlock {self.abi} is too old (a file outside could be emptied; version 3 is Linux 6.2)"
        # also with a network of its own: sockets in the file system can be refused by a filter only
        return self.sockets

    @property
    def gaps(self) -> tuple[str, ...]:
        """What stays open although it counts as a sandbox."""
        found = []
        if self.abi < SIGNALS_ABI:
            found.append("signals to processes of the same user (Linux 6.12 stops them)")
        if self.namespaces is not None:
            found.append("modes and times of the user's files")
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """What a command keeps: folders it writes, ports without a network of its own, its kind of sockets."""

    writable: tuple[str, ...]
    readable: tuple[str, ...] = ()
    separate: bool = False
    connect: tuple[int, ...] = ()
    bind: tuple[int, ...] = ()
    sockets: str | None = "none"
    ports: bool = True
    """False where the network is its own already and any port of it may be used."""


def ruleset(abi: int, wanted: Confinement) -> confine.Rules:
    """Return the Landlock ruleset for a kernel of version `abi`; pure."""
    known = min(abi, _NEWEST_ABI)
    everything = (1 << 13) - 1
    for version, right in ((2, _REFER), (3, _TRUNCATE), (5, _IOCTL)):
        everything |= right if known >= version else 0
    reading = _EXECUTE | _READ | _LIST
    writing = everything & ~(_DEVICES_CREATED | _IOCTL)
    paths: list[tuple[str, int]] = [(path, reading) for path in (*_SYSTEM, *wanted.readable)]
    paths += [(path, _READ | _LIST) for path in (*_READABLE, *_HELPERS)]
    paths += [(path, (_READ | _WRITE | _TRUNCATE) & everything) for path in _DEVICES]
    paths += [(path, writing) for path in wanted.writable]
    # a network of its own holds more than ports, and services inside it may use any
    by_port = known >= PORTS_ABI and wanted.ports and not wanted.separate
    ports = [(port, _CONNECT) for port in wanted.connect] + [(port, _BIND) for port in wanted.bind]
    return {
        "fs": everything,
        "net": _BIND | _CONNECT if by_port else 0,
        "scoped": _SCOPED if known >= SIGNALS_ABI else 0,
        "paths": paths,
        "ports": ports if by_port else [],
    }


def arguments(abi: int, wanted: Confinement) -> tuple[str, ...]:
    """Return the command line of `confine.py`, to which the command's own is appended."""
    config = {
        "namespaces": list(wanted.writable) if wanted.separate else None,
        "landlock": ruleset(abi, wanted),
        "sockets": wanted.sockets,
    }
    return (sys.executable, "-I", "-S", _HELPERS[0], json.dumps(config))


def confinement(
    folders: Sequence[Path],
    *,
    separate: bool,
    sockets: str | None,
    reach: Sequence[int] = (),
    serve: int | None,
) -> Confinement:
    """Return what a command in `folders` keeps on this machine."""
    return Confinement(
        writable=tuple(str(folder) for folder in folders),
        readable=tuple(str(folder) for folder in python_folders()),
        separate=separate,
        connect=tuple(reach),
        bind=() if serve is None else (serve,),
        sockets=sockets,
    )


@cache
def kernel() -> Kernel:
    """Return what is possible here; found out once, by trying it in a process of its own."""
    if not sys.platform.startswith("linux"):
        return Kernel(abi=0, namespaces="not Linux", sockets="not Linux")
    abi = confine.abi()
    if abi == 0:
        return Kernel(abi=0, namespaces=None, sockets=None)
    if platform.machine() not in confine.MACHINES:
        sockets: str | None = f"sockets cannot be refused on a {platform.machine()}"
    else:
        sockets = _try(abi, Confinement(writable=(), sockets="none", readable=_python()))
    separate = _try(abi, Confinement(writable=(), separate=True, sockets=None, readable=_python()))
    return Kernel(abi=abi, namespaces=separate, sockets=sockets)


def _python() -> tuple[str, ...]:
    return tuple(str(folder) for folder in python_folders())


def _try(abi: int, wanted: Confinement) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 - our own program
            [*arguments(abi, wanted), "/usr/bin/env", "true"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={"PATH": os.defpath},
            timeout=_PROBE_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"Landlock cannot be tried: {error}"
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return None if done.returncode == 0 else (lines or [f"exit code {done.returncode}"])[-1]
