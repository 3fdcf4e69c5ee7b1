"""Finds and ends processes that an earlier, killed run left behind; never one of somebody else.

A number alone proves nothing: process ids are reused. Every process of a service carries the lease of the
`ServiceReady` event in its environment, and that is what identifies it here. Linux only; elsewhere nothing
is found and nothing is ended.
"""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass

from maestro_dsl.sandbox.keeper import descendants, start_ticks

LEASE_VARIABLE = "MAESTRO_LEASE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """A process of a lease; `started` (clock ticks since boot) tells it from a later one of the same id."""

    pid: int
    pgid: int
    started: int


def find_orphans(lease: str) -> tuple[Orphan, ...]:
    """Return the processes whose environment says that they belong to `lease`, this process left out."""
    wanted = f"{LEASE_VARIABLE}={lease}".encode()
    found = []
    with contextlib.suppress(OSError):
        for entry in os.scandir("/proc"):
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                orphan = _belongs(int(entry.name), wanted)
                if orphan is not None:
                    found.append(orphan)
    return tuple(sorted(found, key=lambda orphan: orphan.pid))


def _belongs(pid: int, wanted: bytes) -> Orphan | None:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123 - a kernel file, read once
            variables = file.read(1_000_000).split(b"\0")
        started = start_ticks(pid)
        if wanted not in variables or started is None:
            return None
        return Orphan(pid=pid, pgid=os.getpgid(pid), started=started)
    except OSError:
        return None


def end_orphans(lease: str, pgid: int | None = None) -> int:
    """Kill what `find_orphans` finds and return how many that were.

    `pgid` is the recorded process group: killed as a whole, but only where one of the identified processes
    is its leader's group, so a number that was reused meanwhile is never touched.
    """
    orphans = find_orphans(lease)
    ended = 0
    for orphan in orphans:
        if start_ticks(orphan.pid) != orphan.started:
            continue
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(orphan.pid, signal.SIGKILL)
            ended += 1
    if pgid is not None and any(orphan.pgid == pgid for orphan in orphans):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pgid, signal.SIGKILL)
    return ended


def kill_tree(root: int) -> None:
    """Kill a process of ours and everything below it."""
    for pid in [*descendants(root), root]:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
