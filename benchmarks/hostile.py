"""What hostile documents cost `maestro lint`: CPU time and memory of a process of its own, and its answer.

    python benchmarks/hostile.py [--format text] [WORD...]

With words: only the cases whose name holds one. "more" is the CPU time beyond that of the same project
without the hostile file. Refusals are meant to take at most 200 ms more and 100 MB in all.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.hostile import LARGE, MANY, REFUSED, Case, write  # noqa: E402 - found through the path above

MOST_MS, MOST_MB = 200, 100
ROUNDS = 3
_FOREVER_S = 120


def spent(command: list[str], output: Path, environ: dict[str, str]) -> tuple[float, float, int]:
    """Return CPU time in ms, peak memory in MB and exit code of a program that writes into `output`."""
    with output.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environ)
        until = time.monotonic() + _FOREVER_S
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > until:
                process.kill()
            time.sleep(0.002)
        process.returncode = os.waitstatus_to_exitcode(status)
    cpu_ms = (usage.ru_utime + usage.ru_stime) * 1e3
    return cpu_ms, usage.ru_maxrss / 1024, process.returncode


def measure(case: Case | None, form: str) -> tuple[float, float, int, str]:
    """Return the least CPU time, the memory, the exit code, and the beginning of the answer."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "project")
        folder.mkdir()
        write(case or Case(file="none.txt", content=lambda: ""), folder)
        environ = {**os.environ, "PYTHONPATH": str(ROOT), "MAESTRO_CACHE_DIR": f"{name}/cache"}
        command = [sys.executable, "-m", "maestro_dsl", "lint", "--no-cache", "--format", form, str(folder)]
        output = Path(name, "output")
        rounds = [spent(command, output, environ) for _ in range(ROUNDS if case is None else 1)]
        if case is not None and rounds[0][0] < _FOREVER_S * 10:
            rounds += [spent(command, output, environ) for _ in range(ROUNDS - 1)]
        said = output.read_bytes().decode("utf-8", "replace").replace(str(folder) + "/", "").splitlines()
    cpu_ms, memory_mb, code = min(rounds)
    return cpu_ms, memory_mb, code, f"{len(said)} lines: {said[0][:100] if said else ''}"


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--format", default="concise")
    stated = parser.parse_args()
    floor_ms, floor_mb, _, _ = measure(None, stated.format)
    print(f"the project alone: {floor_ms:.0f} ms, {floor_mb:.0f} MB")
    over = 0
    for title, cases in (("refused", REFUSED), ("mistakes without end", MANY), ("large", LARGE)):
        print(f"\n{title}\n{'':50} {'more':>9} {'memory':>8}  exit")
        for name, case in cases.items():
            if stated.words and not any(word in name for word in stated.words):
                continue
            cpu_ms, memory_mb, code, said = measure(case, stated.format)
            more = cpu_ms - floor_ms
            is_over = more > MOST_MS or memory_mb > MOST_MB
            over += is_over
            mark = "!" if is_over else " "
            print(f"{name:50} {more:6.0f} ms {memory_mb:5.0f} MB{mark} {code:4}  {said}", flush=True)
    print(f"\n{over} above {MOST_MS} ms or {MOST_MB} MB")


if __name__ == "__main__":
    main()
