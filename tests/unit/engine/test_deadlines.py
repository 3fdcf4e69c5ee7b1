"""Limits of many tasks behave as `asyncio.timeout` does, in virtual time."""

from __future__ import annotations

import asyncio

import pytest

from maestro_dsl.engine.deadlines import Deadlines
from maestro_dsl.testing import run_virtual


async def work(deadlines, limit, seconds):
    loop = asyncio.get_running_loop()
    try:
        with deadlines.limit(limit):
            await asyncio.sleep(seconds)
    except TimeoutError:
        return "late", loop.time()
    return "done", loop.time()


def test_each_limit_falls_due_at_its_own_time():
    async def main():
        deadlines = Deadlines()
        first = asyncio.create_task(work(deadlines, 5, 60))
        await asyncio.sleep(1)
        others = [
            work(deadlines, 5, 2),
            work(deadlines, 5, 60),
            work(deadlines, 2, 60),
            work(deadlines, 5, 5.5),
        ]
        return await asyncio.gather(first, *others)

    ends = run_virtual(main())
    assert ends == [("late", 5), ("done", 3), ("late", 6), ("late", 3), ("late", 6)]


def test_a_limit_that_was_lifted_leaves_the_later_ones_watched():
    async def main():
        deadlines = Deadlines()
        done = await work(deadlines, 5, 1)
        return done, await work(deadlines, 5, 60)

    assert run_virtual(main()) == (("done", 1), ("late", 6))


def test_the_inner_of_two_limits_is_told_from_the_outer():
    async def main():
        deadlines = Deadlines()
        found = []
        try:
            with deadlines.limit(3):
                try:
                    with deadlines.limit(10):
                        await asyncio.sleep(60)
                except TimeoutError:
                    found.append("inner")
        except TimeoutError:
            found.append("outer")
        return found

    assert run_virtual(main()) == ["outer"]


def test_a_cancellation_from_outside_stays_one():
    async def main():
        deadlines = Deadlines()
        task = asyncio.create_task(work(deadlines, 5, 60))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(10)
        deadlines.close()

    run_virtual(main())


def test_a_cancellation_at_the_very_moment_of_the_limit_wins():
    async def main():
        deadlines = Deadlines()
        task = asyncio.create_task(work(deadlines, 5, 60))
        asyncio.get_running_loop().call_later(5, task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task

    run_virtual(main())


def test_an_error_inside_is_passed_on():
    async def main():
        with Deadlines().limit(5):
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        run_virtual(main())
