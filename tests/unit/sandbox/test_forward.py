"""Ways in and out of a sandbox: each end is closed, however far a connection had come."""

import asyncio

from maestro_dsl.sandbox import forward
from maestro_dsl.sandbox.forward import Forwards


def test_a_connection_that_had_no_other_side_yet_is_closed_too(monkeypatch):
    async def main():
        begun, ways = asyncio.Event(), Forwards()

        async def never(*_address):
            begun.set()
            await asyncio.Event().wait()

        name = await ways.reach(1)
        connect = asyncio.open_unix_connection
        monkeypatch.setattr(forward.asyncio, "open_connection", never)
        reader, writer = await connect(ways.folder / name)
        await begun.wait()
        await ways.close()
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()

    asyncio.run(main())
