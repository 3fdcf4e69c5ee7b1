"""Consumers' recorded queries against the real provider: ids are mapped, strangers named with their line."""

import asyncio
import json

import pytest
from support.graphql import read_schema
from support.graphql_faults import FAULTS
from support.streams import Client

from maestro_dsl.interfaces.graphql.kind import outside
from maestro_dsl.interfaces.graphql.replay import replay_calls
from maestro_dsl.interfaces.graphql.serve import mock_app
from maestro_dsl.interfaces.verification import Outcome
from maestro_dsl.net.server import serve

PAGE = """\
export const titles = `query Titles { books { id title } }`;
export async function broken() {
  return ask(`query Broken { books { id colour } }`);
}
"""
CREATE = 'mutation { createBook(input: {title: "New", genre: NOVEL, pages: 3, authorId: "1"}) { id title } }'


@pytest.fixture(scope="module")
def api():
    return read_schema("library")


def recorded(api, *queries):
    calls = []
    client = Client(mock_app(api, record=calls.append))
    answers = []
    for item in queries:
        query, variables = item if isinstance(item, tuple) else (item, {})
        if callable(variables):
            variables = variables(answers)
        body = json.dumps({"query": query, "variables": variables}).encode()
        answer = client.send("POST", "/graphql", {"content-type": "application/json"}, body)
        answers.append(json.loads(answer.body))
    return calls


def replayed(api, app, calls, files=None):
    async def run():
        server = await serve(app)
        try:
            return await replay_calls(
                api, server.url, calls, contract_id="shop_api", consumer_files=files or {"page.js": PAGE}
            )
        finally:
            await server.stop()

    return asyncio.run(run())


READ = "query Read($id: ID!) { book(id: $id) { id title author { name } } }"
LIFE = (
    CREATE,
    (READ, lambda answers: {"id": answers[0]["data"]["createBook"]["id"]}),
    (
        "mutation Drop($id: ID!) { deleteBook(id: $id) }",
        lambda answers: {"id": answers[0]["data"]["createBook"]["id"]},
    ),
    (READ, lambda answers: {"id": answers[0]["data"]["createBook"]["id"]}),
    "{ books { id title } }",
)


def other_ids(api):
    """Return a provider that gives other identities than the mock: its own are spent first."""
    app = mock_app(api)
    client = Client(app)
    for _ in range(3):
        body = json.dumps({"query": CREATE}).encode()
        client.send("POST", "/graphql", {"content-type": "application/json"}, body)
    return app


def test_a_life_is_replayed_with_the_identities_of_the_provider(api):
    result = replayed(api, other_ids(api), recorded(api, *LIFE))
    assert [item.message for item in result.issues] == []
    assert (result.fulfilled, result.score) == (True, 1.0)


@pytest.mark.parametrize(
    "fault",
    ["creation is lost", "deleted stays", "field left out", "null where none may be", "missing mutation"],
)
def test_a_provider_that_answers_otherwise_is_found(api, fault):
    result = replayed(api, FAULTS[fault](api), recorded(api, *LIFE))
    assert result.verdict is Outcome.NOT_FULFILLED


def test_literals_in_queries_are_mapped_too(api):
    calls = recorded(api, '{ book(id: "3") { id title } }')
    result = replayed(api, mock_app(api), calls)
    assert result.fulfilled


def test_a_query_outside_the_contract_is_named_with_its_line(api):
    result = replayed(api, mock_app(api), recorded(api, "query Broken { books { id colour } }"))
    [found] = [item for item in result.issues if item.severity == "error"]
    assert found.message.startswith("the consumer asks against the contract: Cannot query field 'colour'")
    assert (found.file, found.line) == ("page.js", 3)
    assert result.verdict is Outcome.NOT_FULFILLED


def test_tests_may_ask_on_purpose_for_what_is_refused(api):
    files = {"test_page.py": "ask('{ books { id colour } }')"}
    calls = recorded(api, "{ books { id colour } }")
    assert replayed(api, mock_app(api), calls, files).fulfilled
    assert not replayed(api, FAULTS["errors are hidden"](api), calls, files).fulfilled


def test_no_calls_are_no_proof(api):
    assert replayed(api, mock_app(api), []).verdict is Outcome.COULD_NOT_VERIFY


def test_a_stray_call_is_told_with_its_fault(api):
    [call] = recorded(api, "query Broken { books { id colour } }")
    message, place = outside(call, {"page.js": PAGE})
    assert "colour" in message
    assert place == ("page.js", 3)
    message, place = outside({"method": "POST", "path": "/x", "body": None, "violations": []}, {})
    assert (message, place) == ("POST /x is no GraphQL request", None)
