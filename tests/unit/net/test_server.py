import asyncio
import socket
from urllib.request import urlopen

import pytest

from maestro_dsl.errors import EnvironmentFailure
from maestro_dsl.net.server import serve


async def app(_scope, _receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def test_it_answers_when_serve_returns_and_frees_its_port_when_stopped():
    async def run():
        server = await serve(app)
        body = await asyncio.to_thread(lambda: urlopen(server.url, timeout=5).read())
        await server.stop()
        await server.stop()
        again = await serve(app, port=server.port)
        await again.stop()
        return body

    assert asyncio.run(run()) == b"ok"


def test_a_port_in_use_is_one_clear_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EnvironmentFailure) as caught:
            asyncio.run(serve(app, port=port))
    assert (caught.value.message, caught.value.exit_code) == (
        f"port {port} on 127.0.0.1 is already in use",
        8,
    )


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70000), ("256.0.0.1", 0)])
def test_an_address_that_does_not_exist_is_one_clear_line(host, port):
    with pytest.raises(EnvironmentFailure, match="cannot listen on"):
        asyncio.run(serve(app, host=host, port=port))
