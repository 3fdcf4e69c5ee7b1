"""GraphQL over WebSocket: the client of graphql-ws hears the same of both mocks."""

import asyncio
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from support.graphql import read_schema
from support.node import installed
from support.program import PATIENCE

from maestro_dsl.interfaces.graphql.emit import server_source
from maestro_dsl.interfaces.graphql.serve import mock_app
from maestro_dsl.interfaces.graphql.table import Table
from maestro_dsl.net.server import serve

PACKAGES = ("@apollo/server@5", "graphql@16", "graphql-ws@6", "ws@8")
SCRIPT = Path(__file__).parents[2] / "support" / "graphql_sockets.js"
CREATE = 'mutation { createBook(input: {title: "Fresh", genre: NOVEL, pages: 1, authorId: 1}) { title } }'
QUESTIONS = {
    "subscription": {"query": "subscription { bookAdded { title } }"},
    "mutation": {"query": CREATE},
    "query": {"query": "query B($id: ID!) { book(id: $id) { id title } }", "variables": {"id": "1"}},
    "wrong": {"query": "subscription { nothing }"},
    "unknown": {"query": "query A { __typename } query B { __typename }", "operationName": "C"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("sockets")
    (made / "node_modules").symlink_to(installed("apollo-5-ws", "graphql-ws", *PACKAGES) / "node_modules")
    shutil.copy(SCRIPT, made)
    return made


async def told(folder, url):
    """What the script hears from the server at `url`."""
    program = ("node", SCRIPT.name, url.replace("http", "ws", 1), json.dumps(QUESTIONS))
    process = await asyncio.create_subprocess_exec(*program, cwd=folder, stdout=subprocess.PIPE)
    content, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    return json.loads(content)


async def told_by_ours(folder):
    calls = []
    server = await serve(mock_app(read_schema("library"), record=calls.append))
    try:
        return await told(folder, f"{server.url}/graphql"), calls
    finally:
        await server.stop()


async def told_by_apollo(folder):
    (folder / "server.js").write_text(server_source(Table(read_schema("library"))), encoding="utf-8")
    environment = {**os.environ, "PORT": "0", "MOCK_LOG": "0"}
    process = await asyncio.create_subprocess_exec(
        "node", "server.js", cwd=folder, env=environment, stdout=subprocess.PIPE
    )
    try:
        line = await asyncio.wait_for(process.stdout.readline(), PATIENCE)
        return await told(folder, json.loads(line)["ready"])
    finally:
        process.kill()
        await process.communicate()


def codes(answers):
    return {
        name: answer.get("code", answer.get("error")) for name, answer in answers.items() if name != "garbage"
    }


def test_a_real_client_hears_the_same_of_both(folder):
    ours, calls = asyncio.run(told_by_ours(folder))
    theirs = asyncio.run(told_by_apollo(folder))
    first, second = ours["followed"]["events"]
    assert first["data"]["bookAdded"]["title"]
    assert ours["followed"]["made"] == {"results": [{"data": {"createBook": {"title": "Fresh"}}}]}
    assert second == {"data": {"bookAdded": {"title": "Fresh"}}}
    assert ours["query"]["results"][0]["data"]["book"]["id"] == "1"
    assert "nothing" in ours["wrong"]["error"][0]["message"]
    assert [item["type"] for item in ours["pings"]["heard"]] == ["connection_ack", "pong", "pong"]
    assert {item["code"] for item in ours["refused"]["garbage"]} == {4400}
    assert codes(ours["refused"]) == {
        "protocol": "Server sent no subprotocol",
        "noProtocol": 4406,
        "early": 4401,
        "twice": 4429,
        "same": 4409,
        "path": "Unexpected server response: 403",
    }
    for error in (*ours["wrong"]["error"], *theirs["wrong"]["error"]):
        error["message"] = "worded by each library"
    for heard in (ours, theirs):  # an event may come before a subscription is stopped, or not
        del heard["refused"]["same"]["heard"]
        assert heard["stopped"].pop("heard")[-1] == {"type": "pong", "payload": {"last": True}}
    assert ours == theirs
    assert {call["method"] for call in calls} == {"POST"}
    assert [call["operation"] for call in calls[:3]] == [
        "subscription bookAdded",
        "mutation createBook",
        "query book",
    ]
