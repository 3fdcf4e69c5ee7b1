"""The single writer with a thread that waits for the disk: order, acknowledgement and failure."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_dsl.codec import digest_bytes
from maestro_dsl.engine.events import AlertRaised, Event, RunStarted
from maestro_dsl.engine.state import RunState, apply
from maestro_dsl.engine.writer import GROUP_EVENTS, Writer
from maestro_dsl.errors import StateError
from maestro_dsl.testing import FixedClock, MemoryArtifacts, MemoryStore


class SlowStore(MemoryStore):
    """A journal whose appends wait until they are let through."""

    def __init__(self):
        super().__init__()
        self.begun, self.through = threading.Semaphore(0), threading.Semaphore(0)
        self.refuse = False

    def append(self, events, epoch, *rest):
        self.begun.release()
        assert self.through.acquire(timeout=5)
        if self.refuse:
            raise StateError("taken over")
        super().append(events, epoch, *rest)


class Elsewhere:
    """An appender that leaves everything to its thread."""

    is_quick = False

    def __init__(self, pool):
        self.submit = pool.submit

    def here(self, append):
        append()


class Changing:
    """An appender that makes appends here or in its thread, as it is told."""

    def __init__(self, pool, turns):
        self.pool, self.turns, self.here_made = pool, list(turns), 0

    @property
    def is_quick(self):
        return bool(self.turns and self.turns[0])

    def _next(self):
        if self.turns:
            self.turns.pop(0)

    def here(self, append):
        self._next()
        self.here_made += 1
        append()

    def submit(self, append):
        self._next()
        return self.pool.submit(append)


class Sink:
    def __init__(self):
        self.seen = []

    def on_event(self, event):
        self.seen.append(event.body.subject)


async def committed(writer, *bodies):
    await writer.commit(*bodies)


def alert(name):
    return AlertRaised(kind="k", subject=name, message="m")


async def until_begun(store):
    assert await asyncio.get_running_loop().run_in_executor(None, store.begun.acquire, True, 5)


def writer_of(store, sink, appender):
    state = RunState()
    begin = RunStarted(plan_id="plan", plan_digest="d", output="build", tool_version="1")
    apply(state, Event(run_id="run", seq=1, at=0.0, body=begin))
    writer = Writer(
        store=store,
        artifacts=MemoryArtifacts(),
        clock=FixedClock(),
        state=state,
        run_id="run",
        plan_id="plan",
        epoch=1,
        appender=appender,
    )
    writer.subscribe([sink])
    return writer


@pytest.fixture
def desk():
    store, sink = SlowStore(), Sink()
    with ThreadPoolExecutor(1) as pool:
        yield store, writer_of(store, sink, Elsewhere(pool)), sink
        store.through.release(100)


def stored(store):
    return [event.body.subject for event in store.journal.get("run", [])]


def test_the_loop_goes_on_while_the_disk_works_and_what_is_posted_meanwhile_is_one_group(desk):
    store, writer, sink = desk

    async def main():
        first = asyncio.create_task(committed(writer, alert("a")))
        await until_begun(store)
        others = [asyncio.create_task(committed(writer, alert(name))) for name in "bcd"]
        await asyncio.sleep(0)
        assert not first.done()
        assert sink.seen == []
        store.through.release()
        await first
        assert stored(store) == sink.seen == ["a"]
        store.through.release()
        await asyncio.gather(*others)

    asyncio.run(main())
    assert stored(store) == sink.seen == ["a", "b", "c", "d"]
    assert store.groups == [1, 3]
    assert [event.seq for event in store.journal["run"]] == [2, 3, 4, 5]


def test_nothing_is_acknowledged_before_it_is_durable(desk):
    store, writer, sink = desk

    async def main():
        task = asyncio.create_task(committed(writer, alert("a")))
        await until_begun(store)
        for _ in range(20):
            await asyncio.sleep(0)
        assert not task.done()
        assert sink.seen == []
        store.through.release()
        await task
        assert sink.seen == stored(store) == ["a"]

    asyncio.run(main())


def test_flush_waits_for_the_group_under_way_and_stores_the_rest_behind_it(desk):
    store, writer, sink = desk

    async def main():
        task = asyncio.create_task(committed(writer, alert("a")))
        await until_begun(store)
        writer.post(alert("b"))
        store.through.release(2)
        writer.flush()
        assert stored(store) == sink.seen == ["a", "b"]
        await task
        await asyncio.sleep(0)

    asyncio.run(main())
    assert store.groups == [1, 1]
    assert sink.seen == ["a", "b"]


@pytest.mark.parametrize("flushes", [False, True])
def test_the_first_of_many_do_not_wait_for_the_last(desk, flushes):
    store, writer, sink = desk
    names = [str(number) for number in range(3 * GROUP_EVENTS)]

    async def main():
        writer.post(*map(alert, names[:1]))
        await until_begun(store)
        waiters = [writer.commit(alert(name)) for name in names[1:]]
        if flushes:
            store.through.release(100)
            writer.flush()
            await asyncio.gather(*waiters)
            return
        for group in range(3):
            store.through.release()
            await until_begun(store)
            await asyncio.wait(waiters[: group * GROUP_EVENTS], timeout=5) if group else None
            assert [waiter.done() for waiter in waiters] == [
                place < group * GROUP_EVENTS for place in range(len(waiters))
            ]
        store.through.release()
        await asyncio.gather(*waiters)

    asyncio.run(main())
    assert stored(store) == sink.seen == names


def test_flush_stores_all_that_was_posted_before_the_loop_had_a_turn(desk):
    store, writer, sink = desk
    names = [str(number) for number in range(3 * GROUP_EVENTS)]
    store.through.release(100)

    async def main():
        for name in names:
            writer.post(alert(name))
        writer.flush()
        assert stored(store) == sink.seen == names

    asyncio.run(main())


@given(
    turns=st.lists(st.booleans(), max_size=12),
    bursts=st.lists(st.tuples(st.integers(1, 2 * GROUP_EVENTS + 3), st.integers(0, 3)), max_size=8),
    flushed=st.booleans(),
)
def test_the_order_holds_whoever_appends(turns, bursts, flushed):
    store, sink = MemoryStore(), Sink()
    names = []

    async def main():
        waiters = []
        with ThreadPoolExecutor(1) as pool:
            writer = writer_of(store, sink, Changing(pool, turns))
            for count, pauses in bursts:
                for _ in range(count):
                    names.append(str(len(names)))
                    waiters.append(writer.commit(alert(names[-1])))
                for _ in range(pauses):
                    await asyncio.sleep(0)
                    done = [waiter.done() for waiter in waiters]
                    assert done == sorted(done, reverse=True)
                    assert len(stored(store)) >= len(sink.seen) == sum(done)
            if flushed:
                writer.flush()
                assert stored(store) == sink.seen == names
            await asyncio.gather(*waiters)

    asyncio.run(main())
    assert stored(store) == sink.seen == names


def test_a_quick_disk_is_waited_for_by_the_loop():
    store, sink = MemoryStore(), Sink()

    async def main():
        with ThreadPoolExecutor(1) as pool:
            appender = Changing(pool, [True] * 9)
            writer = writer_of(store, sink, appender)
            waiters = [writer.commit(alert(str(number))) for number in range(3 * GROUP_EVENTS)]
            await asyncio.gather(*waiters)
            assert appender.here_made == 1

    asyncio.run(main())
    assert store.groups == [3 * GROUP_EVENTS]


def test_large_content_is_never_waited_for_by_the_loop():
    store, sink = MemoryStore(), Sink()

    async def main():
        with ThreadPoolExecutor(1) as pool:
            appender = Changing(pool, [True] * 9)
            writer = writer_of(store, sink, appender)
            digest = writer.hold(digest_bytes(b"content"), b"content")
            await writer.commit(alert(digest))
            assert writer._artifacts.has(digest)
            assert appender.here_made == 0
            await writer.commit(alert("small"))
            assert appender.here_made == 1

    asyncio.run(main())


def test_a_refusal_reaches_full_groups_too(desk):
    store, writer, _ = desk

    async def main():
        writer.post(alert("first"))
        await until_begun(store)
        waiters = [writer.commit(alert(str(number))) for number in range(2 * GROUP_EVENTS + 1)]
        store.refuse = True
        store.through.release(100)
        found = await asyncio.gather(*waiters, return_exceptions=True)
        assert {type(item) for item in found} == {StateError}
        with pytest.raises(StateError):
            writer.post(alert("more"))

    asyncio.run(main())
    assert stored(store) == []


def test_a_refusal_reaches_those_in_the_group_and_those_behind_it(desk):
    store, writer, sink = desk

    async def main():
        first = asyncio.create_task(committed(writer, alert("a")))
        await until_begun(store)
        second = asyncio.create_task(committed(writer, alert("b")))
        await asyncio.sleep(0)
        store.refuse = True
        store.through.release()
        found = await asyncio.gather(first, second, return_exceptions=True)
        assert [type(item) for item in found] == [StateError, StateError]
        with pytest.raises(StateError):
            writer.post(alert("c"))
        writer.flush()

    asyncio.run(main())
    assert stored(store) == sink.seen == []


def test_flush_raises_what_the_group_under_way_met(desk):
    store, writer, _ = desk

    async def main():
        task = asyncio.create_task(committed(writer, alert("a")))
        await until_begun(store)
        store.refuse = True
        store.through.release()
        with pytest.raises(StateError):
            writer.flush()
        with pytest.raises(StateError):
            await task

    asyncio.run(main())


def test_content_is_stored_before_the_event_that_names_it(desk):
    store, writer, _ = desk

    async def main():
        digest = writer.hold(digest_bytes(b"content"), b"content")
        writer.flush()  # nothing to store yet: the content waits for its event
        assert not writer._artifacts.has(digest)
        task = asyncio.create_task(committed(writer, alert(digest)))
        await until_begun(store)
        assert writer._artifacts.has(digest)
        store.through.release()
        await task

    asyncio.run(main())
