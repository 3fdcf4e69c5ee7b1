"""Row 10: one durable journal append beside append and fdatasync of the same bytes to a plain file.

    python benchmarks/journal.py [FOLDER]

The folder has to be on a disk, not in memory. All take turns, so that a busy machine slows all.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from measure import Row, print_rows, turns

from maestro_dsl.engine.events import AttemptStarted, Event
from maestro_dsl.engine.ports.storage import RunRecord
from maestro_dsl.storage.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 300
SINGLE, GROUPED = 2.5, 0.3


def event(seq: int) -> Event:
    body = AttemptStarted(node=f"build[c{seq}]", attempt=1, round=1, fence=1, key="k" * 64)
    return Event(run_id="run", seq=seq, at=1000.0 + seq, body=body)


def seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def rows(folder: Path, rounds: int = ROUNDS) -> list[Row]:
    """Return what one append takes, alone and as one of ten, beside the floor."""
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
        last = 0

        def events(count: int) -> list[Event]:
            nonlocal last
            last += count
            return [event(last - count + place) for place in range(1, count + 1)]

        def append(count: int) -> float:
            items = events(count)
            return seconds(lambda: journal.append(items, 1))

        def append_plain(items: list[Event]) -> None:
            os.write(plain, "".join(item.text() + "\n" for item in items).encode())
            os.fdatasync(plain)

        floor, single, ten = turns(
            rounds,
            lambda: seconds(lambda: append_plain([event(0)])),
            lambda: append(1),
            lambda: append(10),
        )
        os.close(plain)
        journal.close()
    beside = f"append and fdatasync of a plain file {floor * 1e3:.2f} ms"
    return [
        Row(
            number=10,
            what=what,
            floor=beside,
            ours=f"{took * 1e3:.2f} ms",
            ratio=took / floor,
            goal=f"≤ {goal:g} of it",
            is_met=took <= goal * floor,
            how="wall clock",
        )
        for what, took, goal in (
            ("one durable transition", single, SINGLE),
            ("one durable transition of ten in a group", ten / 10, GROUPED),
        )
    ]


if __name__ == "__main__":
    print_rows(rows(Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.gettempdir())))
