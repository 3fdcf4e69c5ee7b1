"""Conversations over WebSocket with the served mock, message by message."""

import asyncio
import json

import pytest
from support.graphql import read_schema

from maestro_dsl.interfaces.graphql.serve import mock_app
from maestro_dsl.interfaces.options import ServeOptions

INIT = {"type": "connection_init"}
ACK = {"type": "connection_ack"}
CREATE = 'mutation { createBook(input: {title: "Fresh", genre: NOVEL, pages: 1, authorId: 1}) { title } }'


class Socket:
    """One socket of `app`: what is said to it, what it says, how it is closed."""

    def __init__(self, app, *, path="/graphql", protocols=("graphql-transport-ws",)):
        self._inbox, self.outbox = asyncio.Queue(), asyncio.Queue()
        scope = {
            "type": "websocket",
            "path": path,
            "subprotocols": protocols,
            "headers": [(b"upgrade", b"websocket")],
        }
        self._inbox.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.ensure_future(app(scope, self._inbox.get, self.outbox.put))

    def say(self, *messages):
        for item in messages:
            text = item if isinstance(item, str) else json.dumps(item)
            self._inbox.put_nowait({"type": "websocket.receive", "text": text})

    async def hear(self):
        """The next message as it was meant; a closing as its code."""
        message = await self.outbox.get()
        if message["type"] == "websocket.accept":
            return message.get("subprotocol")
        return message.get("code") if message["type"] == "websocket.close" else json.loads(message["text"])

    async def leave(self):
        self._inbox.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await self.task


def subscribe(identity, query, **more):
    return {"type": "subscribe", "id": identity, "payload": {"query": query, **more}}


def library(**more):
    return mock_app(read_schema("library"), **more)


async def begun(app):
    socket = Socket(app)
    socket.say(INIT)
    assert [await socket.hear(), await socket.hear()] == ["graphql-transport-ws", ACK]
    return socket


def test_a_subscription_goes_on_until_it_is_stopped_and_a_query_is_complete():
    async def talk():
        socket = await begun(library())
        socket.say(subscribe("s", "subscription { bookAdded { title } }"))
        assert (await socket.hear())["type"] == "next"
        socket.say(subscribe("m", CREATE))
        heard = [await socket.hear() for _ in range(3)]
        assert {"type": "complete", "id": "m"} in heard
        assert {"type": "next", "id": "s", "payload": {"data": {"bookAdded": {"title": "Fresh"}}}} in heard
        socket.say({"type": "complete", "id": "s"}, {"type": "complete", "id": "s"}, subscribe("m", CREATE))
        assert [(await socket.hear())["id"], (await socket.hear())["id"]] == ["m", "m"]
        await socket.leave()
        assert socket.outbox.empty()

    asyncio.run(talk())


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        (["{"], 4400),
        (['"x"'], 4400),
        ([{"type": "next", "id": "1", "payload": {}}], 4400),
        ([INIT, subscribe("", "{ x }")], 4400),
        ([INIT, {"type": "subscribe", "id": "1", "payload": {"query": "{ x }", "variables": []}}], 4400),
        ([INIT, "[" * 500], 4400),
        ([subscribe("1", "{ __typename }")], 4401),
        ([INIT, INIT], 4429),
        ([INIT, *[subscribe("1", "subscription { bookAdded { id } }")] * 2], 4409),
    ],
)
def test_what_breaks_the_protocol_closes_the_socket(messages, code):
    async def talk():
        socket = Socket(library())
        socket.say(*messages)
        await socket.task
        while not socket.outbox.empty():
            last = await socket.hear()
        return last

    found = asyncio.run(talk())
    assert found == code


def test_another_protocol_another_path_and_a_late_beginning_are_refused():
    async def at_once(_):
        return None

    async def talk():
        older = Socket(library(), protocols=("graphql-ws",))
        assert [await older.hear(), await older.hear()] == [None, 4406]
        elsewhere = Socket(library(), path="/other")
        assert (await elsewhere.outbox.get())["type"] == "websocket.close"
        late = Socket(library(sleep=at_once))
        assert [await late.hear(), await late.hear()] == ["graphql-transport-ws", 4408]
        await late.leave()

    asyncio.run(talk())


def test_errors_are_told_by_operation_and_faults_as_they_are_asked_for():
    async def talk(query, **options):
        socket = await begun(library(options=ServeOptions(**options)))
        socket.say(subscribe("1", query))
        told = await socket.hear()
        await socket.leave()
        return told["type"], told["payload"][0]["message"]

    assert asyncio.run(talk("{ nothing }"))[0] == "error"
    assert asyncio.run(talk(" ")) == ("error", 'the text "query" is missing')
    assert asyncio.run(talk("{ __typename }", error_rate=1.0)) == ("error", "this failure is simulated")


def test_operations_are_recorded_like_others():
    calls = []

    async def talk():
        socket = await begun(library(record=calls.append))
        socket.say(subscribe("1", "{ books { id } }"), subscribe("2", "{ nothing }"))
        for _ in range(3):
            await socket.hear()
        await socket.leave()

    asyncio.run(talk())
    first, second = calls
    assert (first["method"], first["operation"], first["headers"]["upgrade"]) == (
        "POST",
        "query books",
        "websocket",
    )
    assert json.loads(first["body"]) == {"query": "{ books { id } }"}
    assert "nothing" in second["violations"][0]
