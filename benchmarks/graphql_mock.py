"""Start and speed of the GraphQL mock on one schema file, and how many of its answers are valid.

    python benchmarks/graphql_mock.py SCHEMA.graphql

Starts `maestro mock serve` as a process, waits for its first answer, then asks it from two connections for
some seconds. Validity is counted in this process: every operation, asked in two ways.
"""

import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from maestro_dsl.interfaces.graphql.ask import Asker, Style
from maestro_dsl.interfaces.graphql.execute import Executor
from maestro_dsl.interfaces.graphql.judge import faults
from maestro_dsl.interfaces.graphql.parse import parse
from maestro_dsl.interfaces.graphql.table import Table

SECONDS = 5.0
STYLES = (Style(), Style(depth=4, rich=True, seed="9", optional=lambda _: True))


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def post(connection, body):
    connection.request("POST", "/graphql", body, {"content-type": "application/json"})
    return json.loads(connection.getresponse().read())


def started(file):
    port = free_port()
    command = [sys.executable, "-m", "maestro_dsl", "mock", "serve", str(file), "--port", str(port)]
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while True:
        try:
            post(http.client.HTTPConnection("127.0.0.1", port, timeout=30), b'{"query":"{ __typename }"}')
        except OSError:
            time.sleep(0.02)
        else:
            return process, port, time.perf_counter() - begin


def rate(port, body):
    counts = [0, 0]
    until = time.perf_counter() + SECONDS

    def ask(number):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while time.perf_counter() < until:
            assert "data" in post(connection, body)
            counts[number] += 1

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / SECONDS


def validity(api):
    executor, asker, count, wrong = Executor(Table(api)), Asker(api), 0, 0
    for style in STYLES:
        for operation in api.operations:
            executor.world.reset()
            request = asker.ask(operation, style=style)
            result = executor.execute(executor.prepare(request), request)
            count += 1
            found = "errors" in result or faults(api.schema, request.query, result["data"], request.variables)
            wrong += bool(found)
    return count - wrong, count


def main():
    file = Path(sys.argv[1])
    api, _ = parse(file.read_bytes(), file.name)
    operation = next(item for item in api.operations if item.startswith("query "))
    process, port, start_s = started(file)
    try:
        print(f"{file.name}: {len(api.operations)} operations, {len(api.schema.type_map)} types")
        print(f"first answer after {start_s:.2f} s")
        for depth in (1, 3):
            request = Asker(api).ask(operation, style=Style(depth=depth))
            body = json.dumps({"query": request.query, "variables": dict(request.variables)}).encode()
            size = len(json.dumps(Executor(Table(api)).execute(*_prepared(api, request))))
            print(f"{operation}, depth {depth}, {size} bytes: {rate(port, body):.0f} requests/s")
    finally:
        process.terminate()
        process.wait()
    good, count = validity(api)
    print(f"{good} of {count} answers valid")


def _prepared(api, request):
    return Executor(Table(api)).prepare(request), request


if __name__ == "__main__":
    main()
