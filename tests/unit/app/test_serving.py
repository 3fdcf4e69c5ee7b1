"""Mocks for people in one process: ports, prefixes, a log, a proxy."""

import asyncio
import http.client
import json
from contextlib import asynccontextmanager

import pytest
from support.openapi import TODO

from maestro_dsl.app.mocks import mock_serve
from maestro_dsl.app.serving import Listeners, ServeSettings
from maestro_dsl.errors import EnvironmentFailure, UsageError
from maestro_dsl.testing import FixedClock


@asynccontextmanager
async def served(files, **settings):
    """Yield the mocks, then the reports, in one list each."""
    ready, stop = asyncio.get_running_loop().create_future(), asyncio.Event()
    task = asyncio.create_task(
        mock_serve(
            files,
            ServeSettings(**settings),
            Listeners(ready=ready.set_result),
            environ={},
            stop=stop,
            clock=FixedClock(start=1_800_000_000.0),
        )
    )
    await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    reports = []
    try:
        yield ready.result(), reports
    finally:
        stop.set()
        reports += await task


def ask(url, method="GET", path="", body=None):
    host, _, prefix = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=20)
    try:
        headers = {"content-type": "application/json"} if body else {}
        connection.request(method, (f"/{prefix}" if prefix else "") + path, body=body, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("location"), answer.read()
    finally:
        connection.close()


@pytest.fixture
def two(tmp_path):
    files = []
    for name in ("first", "second"):
        files.append(tmp_path / f"{name}.yaml")
        files[-1].write_bytes(TODO.read_bytes())
    return files


def test_several_mocks_have_a_port_each(two):
    async def talk():
        async with served(two) as (mocks, _):
            assert [mock.name for mock in mocks] == ["first", "second"]
            assert len({mock.url for mock in mocks}) == 2
            return [(await asyncio.to_thread(ask, mock.url, path="/lists"))[0] for mock in mocks]

    assert asyncio.run(talk()) == [200, 200]


def test_several_mocks_share_a_port_by_their_names(two):
    async def talk():
        async with served(two, has_one_port=True) as (mocks, _):
            first, second = (mock.url for mock in mocks)
            made = await asyncio.to_thread(ask, first, "POST", "/lists", json.dumps({"name": "Garden"}))
            nowhere = await asyncio.to_thread(ask, first.rpartition("/")[0], "GET", "/third/lists")
            read = [await asyncio.to_thread(ask, url, "GET", "/lists/4") for url in (first, second)]
            return made, nowhere, read

    made, nowhere, read = asyncio.run(talk())
    assert made[:2] == (201, "/first/lists/4")
    assert (nowhere[0], b"/first, /second" in nowhere[2]) == (404, True)
    assert [answer[0] for answer in read] == [200, 404]


def test_a_log_has_one_line_a_request(two, tmp_path):
    log = tmp_path / "calls.jsonl"

    async def talk():
        async with served(two[:1], log=log) as (mocks, _):
            for path in ("/lists", "/nowhere"):
                await asyncio.to_thread(ask, mocks[0].url, "GET", path)

    asyncio.run(talk())
    asyncio.run(talk())
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    assert [(line["mock"], line["path"], line["status"]) for line in lines] == [
        ("first", "/lists", 200),
        ("first", "/nowhere", 404),
    ] * 2
    assert lines[0]["at"] == "2027-01-15T08:00:00.000+00:00"


def test_a_proxy_reports_at_its_end(two):
    async def talk():
        async with (
            served(two[:1]) as (mocks, none),
            served(two[:1], proxy=mocks[0].url) as (proxies, reports),
        ):
            await asyncio.to_thread(ask, proxies[0].url, "GET", "/lists")
        return none, reports

    none, (report,) = asyncio.run(talk())
    assert none == []
    assert (report.requests, report.drift, report.operations_seen) == (1, (), ("GET /lists (listLists)",))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"proxy": "localhost:8000"}, "is no address"),
        ({"proxy": "http://127.0.0.1:1"}, "one provider is compared with one interface"),
        ({"latency": "soon"}, '"soon" is no latency'),
    ],
)
def test_settings_that_do_not_fit_are_refused(two, settings, said):
    async def talk():
        async with served(two, **settings):
            pass

    with pytest.raises(UsageError, match=said):
        asyncio.run(talk())


def test_a_log_that_cannot_be_written_is_one_sentence(two, tmp_path):
    async def talk():
        async with served(two, log=tmp_path / "no" / "calls"):
            pass

    with pytest.raises(EnvironmentFailure, match="cannot write"):
        asyncio.run(talk())


@pytest.mark.usefixtures("two")
def test_a_contract_says_how_its_mock_misbehaves(tmp_path):
    contract = tmp_path / "api.contract.yaml"
    contract.write_text(
        "apiVersion: maestro/v1\nkind: Contract\nid: api\nname: Api\n"
        "type: REST_API\nprovider_persona_id: dev\n"
        "interface_spec: {type: openapi, spec_file: first.yaml}\nmock_options: {error_rate: 1}\n"
        "deliverables: [{name: all, artifacts: ['**/*.py']}]\n"
    )

    async def talk():
        async with served([contract]) as (mocks, _):
            bad = await asyncio.to_thread(ask, mocks[0].url, "GET", "/lists")
        async with served([contract], error_rate=0.0) as (mocks, _):
            return bad[0], (await asyncio.to_thread(ask, mocks[0].url, "GET", "/lists"))[0]

    assert asyncio.run(talk()) == (500, 200)
