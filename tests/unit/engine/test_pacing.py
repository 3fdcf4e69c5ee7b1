"""Signals wake those who wait in the order in which they came, also where some have gone."""

from __future__ import annotations

import asyncio

from maestro_dsl.engine.pacing import Signal


def test_those_who_wait_are_woken_in_the_order_in_which_they_came():
    woken = []

    async def wait(signal, name, timeout_s=None):
        await signal.wait(timeout_s)
        woken.append(name)

    async def main():
        signal = Signal()
        names = [f"n{number}" for number in range(50)]
        tasks = [asyncio.ensure_future(wait(signal, name)) for name in names]
        await asyncio.sleep(0)
        tasks[7].cancel()
        await asyncio.sleep(0)
        signal.fire()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert woken == [name for name in names if name != "n7"]

    asyncio.run(main())
