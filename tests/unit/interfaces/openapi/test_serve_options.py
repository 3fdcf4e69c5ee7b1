"""Latency, faults, callbacks and the mock's own paths."""

import asyncio
import json

import pytest
from support.asgi import Client
from support.openapi import TODO, read_api

from maestro_dsl.errors import UsageError
from maestro_dsl.interfaces.openapi.admin import is_local
from maestro_dsl.interfaces.openapi.callbacks import refusal
from maestro_dsl.interfaces.openapi.serve import mock_app
from maestro_dsl.interfaces.options import (
    Fault,
    ServeOptions,
    fate_of,
    options_of,
    overridden,
    parse_latency,
)
from maestro_dsl.lang.model import MockOptions
from maestro_dsl.net.server import serve


@pytest.mark.parametrize(
    ("text", "expected"),
    [("50ms", (50, 50)), ("50-200ms", (50, 200)), ("0.5s-2s", (500, 2000)), ("1s", (1000, 1000))],
)
def test_a_latency_is_a_time_or_a_range(text, expected):
    assert parse_latency(text) == expected


@pytest.mark.parametrize("text", ["", "50", "200-50ms", "-5ms", "1h", "11m", "700s", "1-2", "50ms-"])
def test_other_texts_are_no_latency(text):
    with pytest.raises(UsageError, match="is no latency"):
        parse_latency(text)


def test_the_command_line_wins_over_the_contract():
    stated = options_of(MockOptions(latency="50-200ms", error_rate=0.2, callback_hosts=("a",)))
    found = overridden(stated, error_rate=0.0, callback_hosts=("b",), is_dynamic=True)
    assert found == ServeOptions(
        latency_ms=(50, 200), error_rate=0.0, is_dynamic=True, callback_hosts=("a", "b")
    )


def test_faults_come_at_their_rates_and_the_same_for_the_same_seed():
    options = ServeOptions(error_rate=0.2, timeout_rate=0.1, latency_ms=(10, 30))
    fates = [fate_of(options, "7", count) for count in range(1, 4001)]
    assert fates == [fate_of(options, "7", count) for count in range(1, 4001)]
    assert fates[:50] != [fate_of(options, "8", count) for count in range(1, 51)]
    shares = [sum(fate.fault is fault for fate in fates) / 4000 for fault in (Fault.ERROR, Fault.TIMEOUT)]
    assert shares == pytest.approx([0.2, 0.1], abs=0.02)
    assert {fate.delay_ms for fate in fates} == set(range(10, 31))


def slept(options, *requests, api=None):
    waits = []

    async def sleep(seconds):
        waits.append(seconds)

    client = Client(mock_app(api or read_api(TODO), options=options, sleep=sleep))
    return [client(*request)[0] for request in requests], waits


def test_an_answer_waits_as_long_as_its_latency_says():
    statuses, waits = slept(ServeOptions(latency_ms=(5, 9)), ("GET", "/lists"), ("GET", "/lists"))
    assert statuses == [200, 200]
    assert len(waits) == 2
    assert all(0.005 <= wait <= 0.009 for wait in waits)


def test_a_timeout_is_held_and_then_answered():
    statuses, waits = slept(ServeOptions(timeout_rate=1.0), ("GET", "/lists"))
    assert (statuses, waits) == ([504], [60.0])


def error_api(*statuses):
    body = {"type": "object", "properties": {"message": {"type": "string"}}, "required": ["message"]}
    content = {"application/json": {"schema": body}}
    answers = {status: {"description": "x", "content": content} for status in statuses}
    return read_api(
        {
            "openapi": "3.1.0",
            "info": {"title": "x", "version": "1"},
            "paths": {"/a": {"get": {"responses": answers}}},
        }
    )


@pytest.mark.parametrize(
    ("declared", "expected"),
    [(("200", "503", "504"), 503), (("200", "5XX"), 500), (("200", "default"), 500), (("200",), 500)],
)
def test_a_simulated_failure_is_the_declared_one(declared, expected):
    client = Client(mock_app(error_api(*declared), options=ServeOptions(error_rate=1.0)))
    status, headers, body = client("GET", "/a")
    assert status == expected
    assert (headers["content-type"] == "application/problem+json") == (declared == ("200",))
    assert "simulated" in (body.get("message") or body["detail"])


def test_who_asks_for_an_answer_gets_it_whatever_the_error_rate():
    client = Client(mock_app(error_api("200", "500"), options=ServeOptions(error_rate=1.0)))
    assert client("GET", "/a", prefer="code=200")[0] == 200


def test_dynamic_makes_values_where_there_are_examples():
    shape = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
    content = {"application/json": {"schema": shape, "example": {"id": -12345}}}
    answers = {"200": {"description": "x", "content": content}}
    api = {
        "openapi": "3.1.0",
        "info": {"title": "x", "version": "1"},
        "paths": {"/a": {"get": {"responses": answers}}},
    }
    assert Client(mock_app(read_api(api)))("GET", "/a")[2] == {"id": -12345}
    made = Client(mock_app(read_api(api), options=ServeOptions(is_dynamic=True)))("GET", "/a")[2]
    assert made != {"id": -12345}


# ---- the mock's own paths ----


def test_what_was_exported_can_be_put_back():
    client = Client(mock_app(read_api(TODO)))
    client("POST", "/lists", {"name": "Garden"})
    held = client("GET", "/__admin/export")[2]
    client("POST", "/__admin/reset")
    assert client("POST", "/__admin/seed", held)[0] == 204
    assert client("GET", "/__admin/export")[2] == held
    assert client("GET", "/lists")[2] == held["/lists"]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"/nowhere": []}, "/nowhere is no collection"),
        ({"/lists": {"id": 1}}, "/lists is no collection of this mock, or holds no list"),
        ({"/lists": [{"name": "x"}]}, '/lists/0: an item has to be a mapping with "id"'),
        ({"/lists": [{"id": "x", "name": 1}]}, "/lists/0: /"),
        ([], "send collections by their path"),
    ],
)
def test_what_does_not_fit_is_not_put_in(wanted, said):
    client = Client(mock_app(read_api(TODO)))
    before = client("GET", "/lists")[2]
    status, _, body = client("POST", "/__admin/seed", wanted)
    assert status == 422
    assert said in body["detail"]
    assert client("GET", "/lists")[2] == before


def test_the_last_requests_are_listed_and_forgotten():
    client = Client(mock_app(read_api(TODO)))
    client("GET", "/lists?limit=-1")
    client("GET", "/lists/1")
    found = client("GET", "/__admin/requests")[2]["requests"]
    assert [(call["method"], call["path"], call["status"]) for call in found] == [
        ("GET", "/lists", found[0]["status"]),
        ("GET", "/lists/1", 200),
    ]
    assert client("DELETE", "/__admin/requests")[0] == 204
    assert client("GET", "/__admin/requests")[2] == {"requests": []}


@pytest.mark.parametrize(
    ("client", "headers", "expected"),
    [
        ("127.0.0.1", {"host": "127.0.0.1:4010"}, True),
        ("::1", {"host": "[::1]:4010"}, True),
        ("127.0.0.1", {"host": "localhost:1", "origin": "http://localhost:3000"}, True),
        ("10.0.0.7", {"host": "127.0.0.1"}, False),
        ("127.0.0.1", {"host": "evil.example"}, False),
        ("127.0.0.1", {"host": "localhost", "origin": "https://evil.example"}, False),
        ("127.0.0.1", {"host": "localhost", "origin": "null"}, False),
        (None, {}, True),
    ],
)
def test_the_own_paths_are_for_this_machine_only(client, headers, expected):
    assert is_local(client, headers) is expected


def test_a_page_of_another_site_is_refused():
    client = Client(mock_app(read_api(TODO)))
    assert client("POST", "/__admin/reset", host="localhost", origin="https://evil.example")[0] == 403


# ---- callbacks ----


def subscription_api(url="{$request.body#/hook}/events?id={$response.body#/id}"):
    event = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
    wanted = {"type": "object", "properties": {"hook": {"type": "string"}}, "required": ["hook"]}
    sent = {"post": {"requestBody": {"content": {"application/json": {"schema": event}}}, "responses": {}}}
    operation = {
        "requestBody": {"required": True, "content": {"application/json": {"schema": wanted}}},
        "callbacks": {"onEvent": {url: sent}},
        "responses": {"201": {"description": "x", "content": {"application/json": {"schema": event}}}},
    }
    info = {"title": "x", "version": "1"}
    return read_api({"openapi": "3.1.0", "info": info, "paths": {"/subscriptions": {"post": operation}}})


async def _called_back(api, hook, options):
    """Send one request over sockets; return what the caller was sent, and what the mock noted."""
    got, told = asyncio.Queue(), asyncio.Queue()

    async def caller(scope, receive, send):
        body = (await receive()).get("body", b"")
        await got.put((scope["method"], scope["path"], scope["query_string"].decode(), json.loads(body)))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    server = await serve(caller)
    said = ServeOptions(callback_hosts=options, on_callback=told.put_nowait)
    app = mock_app(api, options=said)
    body = json.dumps({"hook": hook.format(url=server.url)}).encode()
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/subscriptions",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }
    sent = []

    async def receive():
        return {"type": "http.request", "body": body}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    line = await asyncio.wait_for(told.get(), 10)
    await server.stop()
    return json.loads(sent[1]["body"]), None if got.empty() else got.get_nowait(), line


def test_a_callback_is_sent_with_what_the_answer_says():
    answer, got, line = asyncio.run(_called_back(subscription_api(), "{url}", ()))
    assert got == ("POST", "/events", f"id={answer['id']}", {"id": answer["id"]})
    assert line.endswith("was sent: 204")


def test_a_callback_never_leaves_this_machine_unasked():
    _, got, line = asyncio.run(_called_back(subscription_api(), "http://example.com", ()))
    assert got is None
    assert "example.com is not this machine" in line


def test_a_callback_without_an_address_is_noted():
    api = subscription_api("{$request.query.hook}")
    _, got, line = asyncio.run(_called_back(api, "{url}", ()))
    assert got is None
    assert "$request.query.hook has no value in this request" in line


@pytest.mark.parametrize(
    ("url", "hosts", "is_fine"),
    [
        ("http://127.0.0.1:9/x", (), True),
        ("http://localhost/x", (), True),
        ("http://[::1]:9/x", (), True),
        ("https://hooks.example/x", ("hooks.example",), True),
        ("https://hooks.example:8443/x", ("Hooks.example:8443",), True),
        ("https://hooks.example:8444/x", ("hooks.example:8443",), False),
        ("http://169.254.169.254/latest", (), False),
        ("http://10.0.0.1/", (), False),
        ("http://0.0.0.0/", (), False),
        ("http://127.0.0.1.evil.example/", (), False),
        ("http://localhost@evil.example/", (), False),
        ("http://user:x@127.0.0.1/", (), False),
        ("file:///etc/passwd", (), False),
        ("gopher://127.0.0.1/", (), False),
        ("http://127.0.0.1:99999/", (), False),
        ("", (), False),
    ],
)
def test_where_callbacks_may_go(url, hosts, is_fine):
    assert (refusal(url, hosts) is None) is is_fine
