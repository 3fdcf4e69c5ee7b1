"""The emitted Apollo server and the mock served in process give equal answers to one suite of queries."""

import json
import os
import subprocess

import pytest
from support.graphql import REAL, SCHEMAS, comparable, questions, read_schema
from support.node import installed, started
from support.streams import Client

from maestro_dsl.interfaces.graphql.emit import emit, server_source
from maestro_dsl.interfaces.graphql.serve import mock_app
from maestro_dsl.interfaces.graphql.table import Table

PACKAGES = ("@apollo/server@5", "graphql@16", "graphql-ws@6", "ws@8")


@pytest.fixture(scope="session")
def apollo_folder():
    return installed("apollo-5-ws", "graphql-ws", *PACKAGES)


def asked(connection, method, target, headers, content):
    # node closes a connection that is idle for five seconds
    connection.request(method, target, content, {**headers, "connection": "close"})
    answer = connection.getresponse()
    return answer.status, answer.getheader("content-type"), answer.getheader("allow"), answer.read()


def same(here, there):
    status, media, allow, content = there
    assert (here.status, here.headers.get("content-type"), here.headers.get("allow")) == (
        status,
        media,
        allow,
    )
    own, other = (json.loads(item) if item else None for item in (here.body, content))
    return own == other or (comparable(own) == comparable(other) and len(own) == len(other))


def compare(folder, api, limit=None):
    count, different = 0, []
    client = Client(mock_app(api))
    with started(folder, server_source(Table(api))) as connection:
        for body in questions(api, limit):
            count += 1
            request = "POST", "/graphql", {"content-type": "application/json"}, json.dumps(body).encode()
            here, there = client.send(*request), asked(connection, *request)
            if not same(here, there):
                different.append((body, here.body[:2000], there[3][:2000]))
        exports = [
            client.send("GET", "/__admin/export").body,
            asked(connection, "GET", "/__admin/export", {}, None)[3],
        ]
    assert json.loads(exports[0]) == json.loads(exports[1])
    assert not different[:2], f"{len(different)} of {count} answers differ"
    assert count > 10


@pytest.mark.parametrize("name", SCHEMAS)
def test_both_servers_answer_the_same_queries_alike(apollo_folder, name):
    compare(apollo_folder, read_schema(name))


@pytest.mark.needs_data
@pytest.mark.parametrize("name", REAL)
def test_both_servers_answer_the_same_for_real_schemas(apollo_folder, shared_data, name):
    limit = None if os.environ.get("MAESTRO_TEST_ALL_QUERIES") == "1" else 30
    compare(apollo_folder, read_schema(shared_data / "graphql" / name), limit)


QUERY = json.dumps({"query": "{ __typename }"}).encode()
JSON = {"content-type": "application/json"}
REQUESTS = [
    ("POST", "/", JSON, QUERY),
    ("POST", "/other", JSON, QUERY),
    ("PUT", "/graphql", JSON, QUERY),
    ("POST", "/graphql", {"content-type": "text/plain"}, QUERY),
    ("POST", "/graphql", {**JSON, "accept": "image/png"}, QUERY),
    ("POST", "/graphql", {**JSON, "accept": "application/graphql-response+json"}, QUERY),
    ("POST", "/graphql", {**JSON, "accept": "application/graphql-response+json"}, b'{"query": "{ no }"}'),
    ("POST", "/graphql", JSON, b"[" + QUERY + b"]"),
    ("POST", "/graphql", JSON, b"{"),
    ("POST", "/graphql", JSON, b"{}"),
    ("POST", "/graphql", JSON, b'{"query": "{ __typename }", "variables": []}'),
    ("POST", "/graphql", JSON, b'{"extensions": {"persistedQuery": {}}}'),
    ("POST", "/graphql", JSON, b'{"query": "subscription { clock }"}'),
    ("GET", "/graphql?query=%7B__typename%7D", {}, None),
    ("GET", "/graphql?query=mutation%7B__typename%7D", {}, None),
    ("GET", "/graphql", {}, None),
    ("OPTIONS", "/graphql", {"origin": "http://page.example"}, None),
    ("POST", "/__admin/reset", {}, None),
    ("GET", "/__admin/nothing", {}, None),
    ("POST", "/__admin/seed", JSON, b'{"Book": [{"id": "77", "title": "Emma", "authorId": "2"}]}'),
    ("POST", "/__admin/seed", JSON, b'{"Book": [{"id": "78", "pages": "x"}, {"no": 1}], "No": []}'),
    ("POST", "/__admin/seed", JSON, b'{"__proto__": [{"id": 1}], "constructor": []}'),
    ("POST", "/__admin/seed", JSON, b"["),
    ("POST", "/graphql", JSON, b'{"query": "{ book(id: 77) { title pages author { id } } books { id } }"}'),
    ("GET", "/__admin/export", {}, None),
    ("GET", "/__admin/export", {"host": "shop.example"}, None),
    ("GET", "/__admin/export", {"host": "localhost:4000", "origin": "http://page.example"}, None),
]


def test_both_servers_keep_the_same_rules_of_http(apollo_folder):
    api = read_schema("library")
    client = Client(mock_app(api))
    with started(apollo_folder, server_source(Table(api))) as connection:
        for request in REQUESTS:
            assert same(client.send(*request), asked(connection, *request)), request
        own, other = (
            json.loads(text)["requests"]
            for text in (
                client.send("GET", "/__admin/requests").body,
                asked(connection, "GET", "/__admin/requests", {}, None)[3],
            )
        )
        seen = ("seq", "method", "path", "query", "body", "status", "operation")
        assert [[call[key] for key in seen] for call in own] == [
            [call[key] for key in seen] for call in other
        ]
        assert [len(call["violations"]) for call in own] == [len(call["violations"]) for call in other]


HOSTILE = """
type Query { constructor(toString: String, hasOwnProperty: Int): prototype valueOf: [valueOf!]! then: then }
"It's a `${process.exit(9)}` */ </script> \\" \u2028"
type prototype { constructor: String! id: ID! __proto: Int toString: valueOf }
type valueOf { id: ID! length: Int! hasOwnProperty: constructor }
type then { catch: Int finally: String }
enum constructor { toString prototype }
type Mutation {
  createprototype(constructor: String!, toString: ID): prototype
  deletevalueOf(id: ID!): Boolean
}
"""


def test_hostile_names_stay_data(apollo_folder):
    compare(apollo_folder, read_schema(HOSTILE))


def test_the_emitted_files_start_as_the_readme_says(apollo_folder, tmp_path):
    api = read_schema("board")
    for path, content in emit(api, "board", api.text.encode(), "board.graphql").items():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
    modules = tmp_path / "contracts" / "board_mock" / "node_modules"
    modules.symlink_to(apollo_folder / "node_modules")
    environment = {**os.environ, "PORT": "0"}
    command = ["node", "board_mock_server.js"]
    process = subprocess.Popen(command, cwd=tmp_path / "contracts", env=environment, stdout=subprocess.PIPE)
    try:
        assert json.loads(process.stdout.readline())["ready"].endswith("/graphql")
    finally:
        process.kill()
        process.communicate()
