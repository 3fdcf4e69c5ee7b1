"""How long sleeping nodes take in other engines; run by `benchmarks/makespan.py` with their Python.

    python benchmarks/peer_makespans.py ENGINE NODES SECONDS LIMIT FOLDER

Prints the seconds from the start of the run to its end. Nodes need nothing; at most LIMIT are at work.
Only what has SQLite in its name keeps anything as it goes.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path


def dask(count: int, seconds: float, limit: int, _folder: Path) -> float:
    from dask.threaded import get

    graph = {f"n{place}": (time.sleep, seconds) for place in range(count)}
    start = time.perf_counter()
    get(graph, list(graph), num_workers=limit)
    return time.perf_counter() - start


def langgraph(count: int, seconds: float, limit: int, _folder: Path) -> float:
    return asyncio.run(_langgraph(count, seconds, limit, None))


def langgraph_sqlite(count: int, seconds: float, limit: int, folder: Path) -> float:
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    async def main() -> float:
        async with AsyncSqliteSaver.from_conn_string(str(folder / "langgraph.db")) as saver:
            return await _langgraph(count, seconds, limit, saver)

    return asyncio.run(main())


async def _langgraph(count: int, seconds: float, limit: int, saver: object) -> float:
    import operator
    from typing import Annotated, TypedDict

    from langgraph.graph import END, START, StateGraph

    State = TypedDict("State", {"done": Annotated[int, operator.add]})  # noqa: UP013 - hints are texts here

    async def work(_state: object) -> dict[str, int]:
        await asyncio.sleep(seconds)
        return {"done": 1}

    builder = StateGraph(State)
    for place in range(count):
        builder.add_node(f"n{place}", work)
        builder.add_edge(START, f"n{place}")
        builder.add_edge(f"n{place}", END)
    graph = builder.compile(checkpointer=saver)
    config = {"recursion_limit": count, "configurable": {"thread_id": "1"}, "max_concurrency": limit}
    start = time.perf_counter()
    found = await graph.ainvoke({"done": 0}, config)
    took = time.perf_counter() - start
    assert found["done"] == count
    return took


ENGINES = {"dask": dask, "langgraph": langgraph, "langgraph_sqlite": langgraph_sqlite}

if __name__ == "__main__":
    name, nodes, lasting, most, place = sys.argv[1:]
    print(ENGINES[name](int(nodes), float(lasting), int(most), Path(place)))
