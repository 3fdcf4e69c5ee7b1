"""No-op nodes in other engines; run by `benchmarks/engine.py` with the Python that has the engine.

    python benchmarks/peer_engines.py ENGINE NODES FOLDER

Prints the CPU microseconds a node. The graph is that of our own benchmark, ten wide, two needs a node, where
an engine takes a graph; the others run their steps in a row.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

WIDTH = 10


def sources(place: int) -> list[int]:
    return [source for source in (place - WIDTH, place - WIDTH - 1) if source >= 0]


def dask(count: int, _folder: Path) -> float:
    from dask.threaded import get

    graph = {f"n{place}": (nothing, *[f"n{source}" for source in sources(place)]) for place in range(count)}
    last = [f"n{place}" for place in range(count - WIDTH, count)]
    start = time.process_time()
    get(graph, last)
    return time.process_time() - start


def nothing(*_needed: object) -> None:
    return None


def langgraph(count: int, _folder: Path) -> float:
    return _langgraph(count, None)


def langgraph_sqlite(count: int, folder: Path) -> float:
    from langgraph.checkpoint.sqlite import SqliteSaver

    with SqliteSaver.from_conn_string(str(folder / "langgraph.db")) as saver:
        return _langgraph(count, saver)


def _langgraph(count: int, saver: object) -> float:
    import operator
    from typing import Annotated, TypedDict

    from langgraph.graph import END, START, StateGraph

    State = TypedDict("State", {"done": Annotated[int, operator.add]})  # noqa: UP013 - hints are texts here

    builder = StateGraph(State)
    for place in range(count):
        builder.add_node(f"n{place}", lambda _state: {"done": 1})
        needed = [f"n{source}" for source in sources(place)]
        builder.add_edge(needed or START, f"n{place}")
    for place in range(count - WIDTH, count):
        builder.add_edge(f"n{place}", END)
    graph = builder.compile(checkpointer=saver)
    config = {"recursion_limit": count, "configurable": {"thread_id": "1"}, "max_concurrency": 100}
    start = time.process_time()
    found = graph.invoke({"done": 0}, config)
    took = time.process_time() - start
    assert found["done"] == count
    return took


def pydantic_graph(count: int, _folder: Path) -> float:
    from dataclasses import dataclass

    from pydantic_graph import GraphBuilder, StepContext

    @dataclass
    class State:
        left: int

    builder = GraphBuilder(state_type=State, output_type=int)

    @builder.step
    async def step(context: StepContext[State, None, None]) -> bool:
        context.state.left -= 1
        return context.state.left > 0

    builder.add(
        builder.edge_from(builder.start_node).to(step),
        builder.edge_from(step).to(
            builder.decision()
            .branch(builder.match(bool, matches=lambda more: more).to(step))
            .branch(builder.match(bool, matches=lambda more: not more).to(builder.end_node))
        ),
    )
    graph = builder.build()
    start = time.process_time()
    asyncio.run(graph.run(state=State(left=count)))
    return time.process_time() - start


def dbos(count: int, folder: Path) -> float:
    from dbos import DBOS

    DBOS(config={"name": "bench", "system_database_url": f"sqlite:///{folder}/dbos.db", "log_level": "ERROR"})

    @DBOS.step()
    def step(place: int) -> int:
        return place

    @DBOS.workflow()
    def work() -> int:
        return sum(step(place) for place in range(count))

    DBOS.launch()
    start = time.process_time()
    work()
    took = time.process_time() - start
    DBOS.destroy()
    return took


def prefect(count: int, folder: Path) -> float:
    os.environ |= {
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    from prefect import flow, task

    @task
    def step(place: int) -> int:
        return place

    @flow
    def work() -> None:
        for future in [step.submit(place) for place in range(count)]:
            future.result()

    start = time.process_time()
    work()
    return time.process_time() - start


ENGINES = {
    "dask": dask,
    "langgraph": langgraph,
    "langgraph_sqlite": langgraph_sqlite,
    "pydantic_graph": pydantic_graph,
    "dbos": dbos,
    "prefect": prefect,
}

if __name__ == "__main__":
    name, nodes, place = sys.argv[1:]
    print(ENGINES[name](int(nodes), Path(place)) / int(nodes) * 1e6)
