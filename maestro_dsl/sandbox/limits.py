"""How much of the machine one command may use; the figures of every sandbox level except `none`."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Resource limits of one command: bytes, seconds and counts.

    `processes` counts what the command may have at once. `address_space` is for each process, `file_size` for
    each file, and leave room for programs that reserve far more than they use; `disk`, `files` and `memory`
    are what all of them may take together.
    """

    address_space: int = 8 * 1024**3
    file_size: int = 256 * 1024**2
    open_files: int = 1024
    processes: int = 128
    service_cpu_s: int = 3600
    disk: int = 4 * 1024**3
    files: int = 500_000
    memory: int = 8 * 1024**3

    def room(self, folders: Sequence[str]) -> Mapping[str, object]:
        """Return what all processes may take together, their files in `folders`, as the keeper wants it."""
        physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        memory = min(self.memory, physical * 3 // 4)
        return {"folders": list(folders), "disk": self.disk, "files": self.files, "memory": memory}

    def as_rlimits(self, *, cpu_s: float | None) -> dict[str, int]:
        """Return the figures by RLIMIT name; `cpu_s` None means a service that is stopped by its user."""
        return {
            "CPU": self.service_cpu_s if cpu_s is None else math.ceil(cpu_s) + 1,
            "AS": self.address_space,
            "FSIZE": self.file_size,
            "NOFILE": self.open_files,
            # counted by the kernel for all processes of the user, so ours come on top of those that run;
            # it does not bind root, for whom the keeper counts
            "NPROC": tasks_of_user(os.getuid()) + self.processes,
            "CORE": 0,
        }


def tasks_of_user(uid: int) -> int:
    """Return how many threads run for a user; 1024 where that cannot be seen."""
    proc = Path("/proc")
    if not proc.is_dir():
        return 1024
    count = 0
    for entry in os.scandir(proc):
        if not entry.name.isdigit():
            continue
        try:
            if entry.stat().st_uid == uid:
                count += sum(1 for _ in os.scandir(f"/proc/{entry.name}/task"))
        except OSError:
            continue
    return count
