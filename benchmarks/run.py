"""All benchmarks that have rows, with one command; writes docs/performance.md.

    python benchmarks/run.py [--install] [--only 1,2,4] [--folder DISK] [--output FILE]

`--install` first installs the other tools, apart from ours; those that are absent are named as skipped. The
folder of the durable runs has to be on a disk. With `--only` nothing is written unless `--output` says where.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import compile as compiling  # noqa: E402 - found through the path above
import editor  # noqa: E402
import engine  # noqa: E402
import journal  # noqa: E402
import lint  # noqa: E402
import load  # noqa: E402
import makespan  # noqa: E402
import peers  # noqa: E402
import programs  # noqa: E402
from measure import HEADER, Row, cells, print_rows  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = """# Performance

Written by `python benchmarks/run.py`; do not edit. Every ratio is taken in one run: ours, the floor and the
peers take turns, and medians count. Absolute figures are of one machine on one day.

- {when}, {machine}
- other tools: {peers}

{table}

"How" says the clock: CPU time where a busy machine must not count, wall clock where waiting is the point,
virtual time where no machine is in it. Goals are those the project set itself before measuring; a goal that
is not met stays in the table.
"""


def _parts(folder: Path) -> dict[str, Callable[[], list[Row]]]:
    """Return the rows that belong together, by their numbers."""
    return {
        "1,2": load.rows,
        "3": lint.rows,
        "4": compiling.rows,
        "5,6,7,9": lambda: engine.rows(folder),
        "8,9": lambda: makespan.rows(folder),
        "10": lambda: journal.rows(folder),
        "11,12,13": programs.rows,
        "20": editor.rows,
    }


def _apart(numbers: str, folder: Path) -> list[Row]:
    """Measure in a process of its own, as a command has: what the rows before left behind weighs on none."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as process:
        return process.submit(_measured, numbers, folder).result()


def _measured(numbers: str, folder: Path) -> list[Row]:
    return _parts(folder)[numbers]()


def _page(rows: list[Row]) -> str:
    lines = [HEADER, tuple("---" for _ in HEADER), *map(cells, sorted(rows, key=lambda row: row.number))]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    present = [name for name in ("yamllint", "check-jsonschema", "spectral") if peers.tool(name)]
    present += [name for name in peers.ENVIRONMENTS if peers.python_of(name)]
    cores = os.cpu_count()
    machine = f"{cores} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    when = f"{datetime.now(UTC):%Y-%m-%d}, revision {_revision()}"
    return PAGE.format(when=when, machine=machine, peers=", ".join(present) or "none", table=table)


def _revision() -> str:
    command = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def main() -> None:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--install", action="store_true", help="install the other tools first")
    parser.add_argument("--only", default="", metavar="ROWS", help="these rows, such as 1,2,4")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), metavar="DISK")
    parser.add_argument("--output", type=Path, metavar="FILE")
    stated = parser.parse_args()
    if stated.install:
        peers.install()
    wanted = {int(number) for number in stated.only.split(",") if number}
    rows: list[Row] = []
    for numbers in _parts(stated.folder):
        if not wanted or wanted.intersection(map(int, numbers.split(","))):
            found = _apart(numbers, stated.folder)
            print_rows(found)
            rows += found
    output = stated.output or (None if wanted else ROOT / "docs" / "performance.md")
    if output is not None:
        output.write_text(_page(rows), "utf-8")
        print(f"written: {output}")


if __name__ == "__main__":
    main()
