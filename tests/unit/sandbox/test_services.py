"""Leases of mocks and of real providers: readiness, failures in one clear text, nothing left behind."""

import asyncio
import errno
import hashlib
import os
import socket
import urllib.request
import uuid
from pathlib import Path

import pytest

from maestro_dsl.compiler.plan import CompiledContract
from maestro_dsl.engine.events import FileRef, ServiceReady, ServiceStopped
from maestro_dsl.engine.ports.processes import ServiceSpec
from maestro_dsl.errors import DiskFailure, EnvironmentFailure, UnrecoverableError
from maestro_dsl.lang.model import Contract
from maestro_dsl.sandbox import choose
from maestro_dsl.sandbox.processes import find_orphans
from maestro_dsl.sandbox.services import LocalServices

SERVER = """
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = open('data/greeting.txt').read().encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
HTTPServer((os.environ['HOST'], int(os.environ['PORT'])), Handler).serve_forever()
"""


class Store:
    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}

    def put(self, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        self.content[digest] = content
        return digest

    def get(self, digest: str) -> bytes:
        return self.content[digest]

    def has(self, digest: str) -> bool:
        return digest in self.content


class Ids:
    def new(self) -> str:
        return str(uuid.uuid4())


class Mock:
    """A mock that only listens; what it answers is tested with the interfaces."""

    def __init__(self, server: asyncio.Server) -> None:
        self.server = server
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        self.server.close()
        await self.server.wait_closed()


class Mocks:
    async def serve(self, _contract, _spec, host, port, record):
        record({"seq": 1})
        try:
            return Mock(await asyncio.start_server(lambda _reader, writer: writer.close(), host, port))
        except OSError as error:
            raise EnvironmentFailure(f"port {port} is in use") from error


class Bench:
    def __init__(self, tmp_path: Path) -> None:
        self.store = Store()
        self.events: list[object] = []
        self.scratch = tmp_path / "scratch"
        self.services = LocalServices(
            artifacts=self.store,
            sandbox=choose("auto"),
            mocks=Mocks(),
            scratch=self.scratch,
            ids=Ids(),
            on_event=self.events.append,
        )

    def real(
        self, server: str, *, folder: str = "", path: str = "server.py", timeout_s: float = 20.0
    ) -> ServiceSpec:
        files = {folder + path: server, folder + "data/greeting.txt": "hello"}
        return ServiceSpec(
            contract=_contract(),
            mode="real",
            spec=None,
            user="verify[api]",
            files=tuple(
                FileRef(path=name, digest=self.store.put(text.encode()), size=len(text))
                for name, text in files.items()
            ),
            trusted=True,
            timeout_s=timeout_s,
        )


def _contract(endpoint: str | None = None) -> CompiledContract:
    contract = Contract(id="api", provider_persona_id="dev", deliverables=(), mock_endpoint=endpoint)
    return CompiledContract(contract=contract)


def _mock(endpoint: str | None = None) -> ServiceSpec:
    return ServiceSpec(contract=_contract(endpoint), mode="mock", spec=b"spec", user="build[web]")


@pytest.fixture
def bench(tmp_path) -> Bench:
    return Bench(tmp_path)


async def _get(url: str) -> str:
    return await asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=5).read().decode())


def test_a_real_provider_answers_from_a_copy_of_its_files(bench) -> None:
    async def scenario() -> str:
        async with bench.services.lease(bench.real(SERVER)) as lease:
            assert bench.services.users == {"api": 1}
            assert (lease.contract_id, lease.mode, lease.calls()) == ("api", "real", ())
            return await _get(lease.url)

    assert asyncio.run(scenario()) == "hello"
    ready, stopped = bench.events
    assert isinstance(ready, ServiceReady)
    assert ready.pgid is not None
    assert stopped == ServiceStopped(contract_id="api", mode="real", lease=ready.lease)
    assert find_orphans(ready.lease) == ()
    assert list(bench.scratch.iterdir()) == []
    assert bench.services.users == {}


def test_a_provider_is_started_in_the_folder_of_its_persona(bench) -> None:
    async def scenario() -> str:
        async with bench.services.lease(bench.real(SERVER, folder="dev/")) as lease:
            return await _get(lease.url)

    assert asyncio.run(scenario()) == "hello"


def test_two_users_of_a_provider_get_one_each(bench) -> None:
    async def scenario() -> None:
        spec = bench.real(SERVER)
        async with bench.services.lease(spec) as one, bench.services.lease(spec) as two:
            assert one.url != two.url
            assert await asyncio.gather(_get(one.url), _get(two.url)) == ["hello", "hello"]

    asyncio.run(scenario())


def test_a_provider_that_dies_at_its_start_says_its_last_lines(bench) -> None:
    async def scenario() -> None:
        async with bench.services.lease(bench.real("import nothing_like_this")):
            pytest.fail("it cannot be ready")

    with pytest.raises(UnrecoverableError) as caught:
        asyncio.run(scenario())
    lines = caught.value.message.splitlines()
    start = 'the provider of "api" (python server.py) ended with code 1 at its start; its last lines:'
    assert lines[0] == start
    assert lines[-1] == "ModuleNotFoundError: No module named 'nothing_like_this'"
    assert bench.events == []
    assert list(bench.scratch.iterdir()) == []


def test_a_provider_that_never_answers_is_stopped(bench) -> None:
    async def scenario() -> None:
        async with bench.services.lease(bench.real("import time; time.sleep(60)", timeout_s=0.3)):
            pytest.fail("it cannot be ready")

    with pytest.raises(UnrecoverableError, match=r"did not answer within 0\.3 s and wrote nothing"):
        asyncio.run(scenario())
    assert bench.services.users == {}


@pytest.mark.parametrize("path", ["../server.py", "/tmp/server.py", "a/../../server.py"])
def test_a_file_that_leads_out_of_the_folder_is_refused(bench, path) -> None:
    async def scenario() -> None:
        async with bench.services.lease(bench.real(SERVER, path=path)):
            pytest.fail("it cannot be started")

    with pytest.raises(UnrecoverableError, match="leads out of the output folder"):
        asyncio.run(scenario())
    assert not (bench.scratch.parent / "server.py").exists()


def test_an_error_in_the_block_still_stops_the_provider(bench) -> None:
    async def scenario() -> None:
        async with bench.services.lease(bench.real(SERVER)):
            raise RuntimeError("the check broke")

    with pytest.raises(RuntimeError, match="the check broke"):
        asyncio.run(scenario())
    assert find_orphans(bench.events[0].lease) == ()


def test_close_stops_what_still_runs(bench) -> None:
    async def scenario() -> None:
        await bench.services.lease(bench.real(SERVER)).__aenter__()
        await bench.services.close()

    asyncio.run(scenario())
    assert [type(event) for event in bench.events] == [ServiceReady, ServiceStopped]
    assert find_orphans(bench.events[0].lease) == ()


def test_a_mock_is_served_at_the_stated_port_and_its_second_user_elsewhere(bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    async def scenario() -> tuple[str, str]:
        spec = _mock(f"http://localhost:{port}")
        async with bench.services.lease(spec) as one, bench.services.lease(spec) as two:
            assert len(one.calls()) == 1
            return one.url, two.url

    one, two = asyncio.run(scenario())
    assert one == f"http://127.0.0.1:{port}"
    assert two != one
    assert [event.pgid for event in bench.events if isinstance(event, ServiceReady)] == [None, None]


def test_two_users_of_a_stated_port_may_start_at_the_same_time(bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    async def use() -> str:
        async with bench.services.lease(_mock(f"http://localhost:{port}")) as lease:
            await asyncio.sleep(0)
            return lease.url

    async def scenario() -> list[str]:
        return [*await asyncio.gather(use(), use()), await use()]

    urls = asyncio.run(scenario())
    assert f"http://127.0.0.1:{port}" in urls[:2]
    assert urls[0] != urls[1]
    assert urls[2] == f"http://127.0.0.1:{port}"


def test_a_stated_port_that_is_in_use_is_one_clear_line(bench) -> None:
    async def scenario(port: int) -> None:
        async with bench.services.lease(_mock(f"http://localhost:{port}")):
            pytest.fail("the port is taken")

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EnvironmentFailure) as caught:
            asyncio.run(scenario(port))
    expected = f'port {port}, which the contract "api" states for its mock, is in use'
    assert caught.value.message == expected


def test_a_machine_without_room_for_a_mock_is_no_port_in_use(bench, monkeypatch) -> None:
    async def serve(*_: object) -> Mock:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    async def scenario() -> None:
        async with bench.services.lease(_mock("http://localhost:4010")):
            pytest.fail("nothing can be opened")

    monkeypatch.setattr(Mocks, "serve", serve)
    with pytest.raises(DiskFailure, match="Too many open files"):
        asyncio.run(scenario())
