"""The verifier itself: correct providers are fulfilled, and each planted fault is found."""

import asyncio
import os
from contextlib import asynccontextmanager

import pytest
from support.graphql import REAL, SCHEMAS, read_schema
from support.graphql_faults import EQUIVALENT, FAULTS

from maestro_dsl.interfaces.graphql.serve import mock_app
from maestro_dsl.interfaces.graphql.verify import verify
from maestro_dsl.interfaces.verification import Outcome
from maestro_dsl.net.server import serve

ALL = os.environ.get("MAESTRO_TEST_ALL_FAULTS") == "1"


@asynccontextmanager
async def running(app):
    server = await serve(app)
    try:
        yield server.url
    finally:
        await server.stop()


def judged(api, app, suffix="", **options):
    async def judge():
        async with running(app) as url:
            return await verify(api, url + suffix, contract_id="shop_api", **options)

    return asyncio.run(judge())


@pytest.mark.parametrize("name", SCHEMAS)
def test_our_own_mock_keeps_its_contract(name):
    api = read_schema(name)
    result = judged(api, mock_app(api))
    assert (result.verdict, result.score, result.missing) == (Outcome.FULFILLED, 1.0, ())
    assert [item.message for item in result.issues if item.severity != "info"] == []
    assert {"schema", "shape", "state", "http", "errors", "refusals"} <= set(result.parts)
    assert result.checks > 100


@pytest.mark.needs_data
@pytest.mark.parametrize("name", REAL[:2])
def test_our_own_mock_of_a_real_schema_keeps_its_contract(shared_data, name):
    api = read_schema(shared_data / "graphql" / name)
    result = judged(api, mock_app(api))
    assert (result.verdict, result.score, result.missing) == (Outcome.FULFILLED, 1.0, ())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_other_values_raise_no_false_alarm(seed):
    api = read_schema("library")
    result = judged(api, mock_app(api, seed=seed), seed=seed)
    assert (result.fulfilled, result.score) == (True, 1.0)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_planted_fault_is_found(name):
    """Each fault in one of the schemas; MAESTRO_TEST_ALL_FAULTS=1 plants every one into all of them."""
    api = read_schema(name)
    planted, missed = 0, []
    for number, (fault, plant) in enumerate(FAULTS.items()):
        wanted = ALL or SCHEMAS[number % len(SCHEMAS)] == name
        app = plant(api) if wanted and (name, fault) not in EQUIVALENT else None
        if app is None:
            continue
        planted += 1
        result = judged(api, app)
        found = any(item.severity == "error" for item in result.issues) or result.missing
        if result.fulfilled or not found or result.score >= 1.0:
            missed.append(fault)
    print(f"{name}: {planted - len(missed)} of {planted} planted faults found")  # noqa: T201 - the suite reports its figures
    assert missed == []
    assert planted >= (24 if ALL else 7)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("missing query", "query book"),
        ("missing mutation", "mutation deleteBook"),
    ],
)
def test_what_is_missing_is_named(fault, expected):
    api = read_schema("library")
    result = judged(api, FAULTS[fault](api))
    assert expected in result.missing
    assert result.verdict is Outcome.NOT_FULFILLED


def test_equal_providers_give_equal_results():
    api = read_schema("library")
    results = [judged(api, FAULTS["update is ignored"](api)) for _ in range(2)]
    assert results[0] == results[1]


def test_a_provider_at_its_own_path_is_found():
    api = read_schema("library")
    result = judged(api, mock_app(api), "/graphql")
    assert result.fulfilled


def test_a_provider_without_introspection_is_judged_by_its_answers():
    api = read_schema("library")
    inner = mock_app(api)

    async def app(scope, receive, send):
        messages = [await receive()]
        closed = b"__schema" in messages[0].get("body", b"")

        async def again():
            return messages.pop() if messages else await receive()

        if not closed:
            await inner(scope, again, send)
            return
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 400, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"errors":[{"message":"no introspection"}]}'})

    result = judged(api, app)
    assert result.fulfilled
    assert "schema" not in result.parts
    assert any("does not tell its schema" in item.message for item in result.issues)


async def _closed(_scope, _receive, send):
    await send({"type": "http.response.start", "status": 401, "headers": []})
    await send({"type": "http.response.body", "body": b'{"errors":[{"message":"who are you"}]}'})


def test_a_provider_that_wants_credentials_cannot_be_verified():
    assert judged(read_schema("library"), _closed).verdict is Outcome.COULD_NOT_VERIFY


async def _page(_scope, _receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": b"<p>hello"})


def test_a_server_without_graphql_is_not_fulfilled():
    result = judged(read_schema("library"), _page)
    assert result.verdict is Outcome.NOT_FULFILLED
    assert "query books" in result.missing


def test_nobody_at_the_address_is_could_not_verify():
    result = asyncio.run(verify(read_schema("library"), "http://127.0.0.1:9", contract_id="x"))
    assert result.verdict is Outcome.COULD_NOT_VERIFY


NOTEBOOK = """
interface Node { id: ID! }
type Page implements Node { id: ID! title: String! mood: Mood }
type Author implements Node { id: ID! name: String! }
enum Mood { CALM WILD }
input PageInput { title: String! mood: String }
type Query { node(id: ID!): Node }
type Mutation { pageCreate(input: PageInput!): Page! pageUpdate(id: ID!, input: PageInput!): Page }
"""


def test_a_page_of_a_site_is_found_and_a_text_is_no_value_of_an_enum():
    api = read_schema(NOTEBOOK)
    result = judged(api, mock_app(api))
    assert ([item.message for item in result.issues], result.score) == ([], 1.0)
