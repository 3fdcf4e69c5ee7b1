"""Plants every fault that fits in correct providers and says how many `verify` finds, and which it misses.

    python benchmarks/mutants.py [--kind create-lost] [FILE...]

Without files: the descriptions of the repository, and the real documents where they are present. The correct
provider is the mock served in process, with `--scaffold` the service that the scaffold provider writes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.mutation import run  # noqa: E402 - after the path is known

from maestro_dsl.interfaces.openapi.parse import parse  # noqa: E402 - as above

OWN = [
    ROOT / "examples/todo-app/contracts/api_spec.yaml",
    ROOT / "tests/unit/interfaces/openapi/tasks.yaml",
    ROOT / "tests/fixtures/openapi/blog.yaml",
    ROOT / "tests/fixtures/openapi/library.yaml",
    ROOT / "tests/fixtures/openapi/settings.yaml",
]
REAL = [
    "oai-petstore-expanded.yaml",
    "camara-sim-swap-subscriptions.yaml",
    "redocly-museum-31.yaml",
    "swagger-petstore.yaml",
]
NEVER = {"missing-route", "wrong-type", "wrong-status", "missing-field"}
NEVER |= {"create-lost", "update-lost", "delete-lost", "field-lost"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--kind", action="append")
    parser.add_argument("--verbose", action="store_true", help="list what is equivalent too")
    stated = parser.parse_args()
    data = Path(os.environ.get("MAESTRO_TEST_DATA", ROOT.parent / "shared" / "data")) / "openapi"
    files = stated.files or [*OWN, *(data / name for name in REAL if (data / name).is_file())]
    kinds: dict[str, Counter[str]] = {}
    total: Counter[str] = Counter()
    alarms = 0
    for file in files:
        api, _ = parse(file.read_bytes(), file.name)
        if api is None:
            raise SystemExit(f"{file} is no OpenAPI document")
        begun = time.perf_counter()
        tally = asyncio.run(run(file.name, api, kinds=stated.kind, seeds=(0, 1, 2)))
        counts = Counter(item.result for item in tally.outcomes)
        total += counts
        alarms += len(tally.false_alarms)
        for item in tally.outcomes:
            kinds.setdefault(item.kind, Counter())[item.result] += 1
        spent = time.perf_counter() - begun
        print(f"{file.name:<38} {rate(counts)}  false alarms {len(tally.false_alarms)}  {spent:.0f} s")
        for message in tally.false_alarms:
            print(f"    false alarm: {message}")
        shown = ("missed", "equivalent") if stated.verbose else ("missed",)
        for result in shown:
            for item in tally.of(result):
                print(f"    {result}: {item.kind} {item.operation} {item.what}  {item.reason}")
    print()
    for kind, counts in sorted(kinds.items()):
        print(f"{kind:<16} {rate(counts)}")
    print(f"{'all':<16} {rate(total)}  kinds {len(kinds)}  false alarms {alarms}")
    lost = sum(kinds[kind]["missed"] for kind in NEVER & kinds.keys())
    print(f"of the kinds that must never be missed: {lost} missed")
    return 1 if lost or alarms else 0


def rate(counts: Counter[str]) -> str:
    found, missed = counts["found"], counts["missed"]
    share = found / (found + missed) if found + missed else 1.0
    return f"{found}/{found + missed} found ({share:.1%}), {counts['equivalent']} equivalent"


if __name__ == "__main__":
    sys.exit(main())
