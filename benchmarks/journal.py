"""One durable journal append beside append + fdatasync of the same bytes to a plain file.

Run: python benchmarks/journal.py [FOLDER]. The folder has to be on a disk, not in memory. Both are measured
in turns, so that a busy machine slows both.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_dsl.engine.events import AttemptStarted, Event
from maestro_dsl.engine.ports import RunRecord
from maestro_dsl.storage.heads import encoded
from maestro_dsl.storage.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 500


def event(seq: int) -> Event:
    body = AttemptStarted(node=f"build[c{seq}]", attempt=1, round=1, fence=1, key="k" * 64)
    return Event(run_id="run", seq=seq, at=1000.0 + seq, body=body)


def seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main(folder: str | None) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as name:
        base = Path(name)
        journal = Journal.open(base / "state")
        record = RunRecord(
            run_id="run",
            plan_id="plan",
            plan_digest="d" * 64,
            output="/out",
            status="pending",
            verdict="pending",
            created_at=0.0,
            updated_at=0.0,
        )
        journal.create_run(record, b"{}")
        plain = os.open(base / "plain", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

        def append_plain(events: list[Event]) -> None:
            os.write(plain, "".join(encoded(item) + "\n" for item in events).encode())
            os.fdatasync(plain)

        seq = 0
        floors, singles, groups = [], [], []
        for _ in range(ROUNDS):
            one, ten = [event(seq + 1)], [event(seq + 2 + n) for n in range(10)]
            seq += 11
            floors.append(seconds(lambda one=one: append_plain(one)))
            singles.append(seconds(lambda one=one: journal.append(one, 1)))
            groups.append(seconds(lambda ten=ten: journal.append(ten, 1)) / 10)
        journal.close()
    floor, single, group = map(statistics.median, (floors, singles, groups))
    print(f"append + fdatasync, one event   {floor * 1e6:8.1f} µs   1.00")
    print(f"journal, one event              {single * 1e6:8.1f} µs   {single / floor:.2f}   goal ≤ 2.50")
    print(f"journal, an event of ten        {group * 1e6:8.1f} µs   {group / floor:.2f}   goal ≤ 0.30")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
