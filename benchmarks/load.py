"""Loading a generated plan: our reader, and the whole way to a document, against libyaml's events alone."""

from __future__ import annotations

import gc
import statistics
import sys
import time
from pathlib import Path

from maestro_dsl.lang.read import read_content
from maestro_dsl.lang.source import load, parser_of

NODE = """  node_{number}:
    action: fulfil
    description: Work item number {number} of the big plan
    persona: backend_developer
    contract: backend_api
    needs: [node_{before}]
    timeout: 15m
"""


def plan(nodes: int) -> str:
    body = "".join(NODE.format(number=number, before=max(number - 1, 0)) for number in range(nodes))
    return "apiVersion: maestro/v1\nkind: Blueprint\nid: big\nnodes:\n" + body


def events(text: str) -> None:
    next_event = parser_of(text)
    gc.disable()
    while type(next_event()).__name__ != "StreamEndEvent":
        pass
    gc.enable()


def median_ms(work, rounds: int) -> float:
    took = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
    return statistics.median(took) * 1000


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    for nodes in (1_000, 10_000):
        text = plan(nodes)
        floor = median_ms(lambda text=text: events(text), rounds)
        ours = median_ms(lambda text=text: load(text, "f"), rounds)
        whole = median_ms(lambda text=text: read_content(text.encode(), Path("f"), "f"), rounds)
        rate = len(text) / ours / 1000
        print(
            f"{nodes:>6} nodes, {len(text) / 1e6:.2f} MB: events {floor:.0f} ms, load {ours:.0f} ms "
            f"({rate:.1f} MB/s, {floor / ours:.2f} of events), with grammar and values {whole:.0f} ms"
        )


if __name__ == "__main__":
    main()
