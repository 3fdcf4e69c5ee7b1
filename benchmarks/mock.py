"""The mock server beside a bare ASGI application under the same server, and beside Prism 5 where it is there.

One run, alternating rounds, one load generator for all: `wrk` where it is installed, else one in Python in a
process of its own. Start, requests a second and memory of `maestro mock serve` as a person starts it.

    python benchmarks/mock.py [--prism PATH/TO/prism] [--express FOLDER] [--big LARGE_OPENAPI_FILE]
                              [--seconds 4] [--rounds 3]

Prism: npm install @stoplight/prism-cli@5 in any folder; its program is node_modules/.bin/prism there.
Express: npm install express@5 in any folder; a mock of the two paths, written by hand, is started in it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

SPEC = Path(__file__).parents[1] / "examples" / "todo-app" / "contracts" / "api_spec.yaml"
CONNECTIONS = 16
START_TIMEOUT_S = 120
BY_HAND = """
const express = require('express');
const lists = [1, 2, 3].map((id) => ({ id, name: 'Garden', created_at: '2026-01-05T08:00:00Z' }));
const app = express();
app.get('/lists', (request, response) => response.json(lists));
app.get('/lists/:id', (request, response) => {
  const found = lists.find((list) => String(list.id) === request.params.id);
  if (found) response.json(found); else response.status(404).json({ code: 'not_found' });
});
app.listen(Number(process.argv[1]), '127.0.0.1');
"""
BODY = b'[{"id":1,"title":"Sow","done":false,"created_at":"2026-01-05T08:00:00Z"}]' * 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One server: how it is started for a file and a port."""

    name: str
    command: tuple[str, ...]
    cwd: Path | None = None

    def started(self, file: Path, port: int) -> tuple[str, ...]:
        """The command with its places filled in."""
        places = {"{file}": str(file.resolve()), "{port}": str(port)}
        return tuple(places.get(part, part) for part in self.command)


@contextlib.contextmanager
def running(peer: Peer, file: Path, path: str):
    """Start a server; gives its process, port and the seconds until it first answered."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    begun = time.perf_counter()
    process = subprocess.Popen(
        peer.started(file, port),
        cwd=peer.cwd,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while not answers(port, path):
            if process.poll() is not None or time.perf_counter() - begun > START_TIMEOUT_S:
                raise SystemExit(f"{peer.name} did not start")
            time.sleep(0.01)
        yield process, port, time.perf_counter() - begun
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        connection.getresponse().read()
    except OSError:
        return False
    finally:
        connection.close()
    return True


def resident_mb(process: subprocess.Popen) -> float:
    """Memory of a process and its children, as they are now."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    pids = [process.pid, *map(int, children.read_text().split())]
    return (
        sum(int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) for pid in pids)
        / 1024
    )


def rate(port: int, path: str, seconds: float) -> float:
    """Requests a second over connections that are kept."""
    address = f"http://127.0.0.1:{port}{path}"
    if shutil.which("wrk"):
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:g}s", address]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        if "Non-2xx" in text:
            raise SystemExit(f"{address} answers with errors")
        return float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
    command = [sys.executable, __file__, "--generate", str(port), "--path", path, "--seconds", str(seconds)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


async def generate(port: int, path: str, seconds: float) -> float:
    """The load generator: each connection sends its next request when the last was answered."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    done = 0
    end = time.perf_counter() + seconds

    async def one() -> None:
        nonlocal done
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < end:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(re.search(rb"(?i)content-length: (\d+)", head)[1]))
            done += 1
        writer.close()

    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return done / seconds


async def bare(port: int) -> None:
    """Serve one fixed answer with our server."""
    from maestro_dsl.net.server import serve

    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]

    async def app(_scope, receive, send) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": BODY})

    server = await serve(app, port=port)
    await server.wait()


def measure(peers: list[Peer], file: Path, paths: list[str], seconds: float, rounds: int) -> None:
    rates: dict[tuple[str, str], list[float]] = {}
    starts: dict[str, list[float]] = {}
    memory: dict[str, float] = {}
    for _ in range(rounds):
        for peer in peers:
            with running(peer, file, paths[0]) as (process, port, started):
                starts.setdefault(peer.name, []).append(started)
                for path in paths:
                    rates.setdefault((peer.name, path), []).append(rate(port, path, seconds))
                memory[peer.name] = resident_mb(process)
    for path in paths:
        for peer in peers:
            found = statistics.median(rates[peer.name, path])
            others = [(other.name, statistics.median(rates[other.name, path])) for other in peers]
            ratios = ", ".join(f"{found / value:.2f} x {name}" for name, value in others if name != peer.name)
            print(f"GET {path:<12} {peer.name:<8} {found:>8.0f} req/s   {ratios}")
    for peer in peers:
        started = statistics.median(starts[peer.name])
        print(f"{peer.name:<8} first answer after {started:.2f} s, {memory[peer.name]:.0f} MB after the load")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--prism", default=shutil.which("prism"))
    parser.add_argument("--express", type=Path, metavar="FOLDER")
    parser.add_argument("--big", type=Path)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--path", action="append")
    parser.add_argument("--bare", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--generate", type=int, help=argparse.SUPPRESS)
    stated = parser.parse_args()
    paths = stated.path or ["/lists", "/lists/1"]
    if stated.bare:
        asyncio.run(bare(stated.bare))
        return
    if stated.generate:
        print(asyncio.run(generate(stated.generate, paths[0], stated.seconds)))
        return
    ours = Peer(
        name="maestro",
        command=(sys.executable, "-m", "maestro_dsl", "mock", "serve", "{file}", "--port", "{port}"),
    )
    peers = [ours, Peer(name="bare", command=(sys.executable, __file__, "--bare", "{port}"))]
    if stated.prism:
        peers.append(Peer(name="prism", command=(stated.prism, "mock", "{file}", "-p", "{port}")))
    else:
        print("prism is not installed: measured without it (see --help)")
    if stated.express is not None:
        by_hand = ("node", "-e", BY_HAND, "{port}")
        peers.append(Peer(name="express", command=by_hand, cwd=stated.express))
    measure(peers, SPEC, paths, stated.seconds, stated.rounds)
    if stated.big is not None:
        for peer in (peer for peer in peers if peer.name not in {"bare", "express"}):
            with running(peer, stated.big, "/nowhere") as (process, _, started):
                print(f"{peer.name:<8} {stated.big.name}: {started:.2f} s, {resident_mb(process):.0f} MB")


if __name__ == "__main__":
    main()
