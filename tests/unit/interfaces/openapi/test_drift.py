"""A proxy before a provider tells where the provider differs from its contract, and changes nothing."""

import asyncio
import json

import pytest
from support.asgi import Client
from support.openapi import TODO, read_api

from maestro_dsl.interfaces.openapi.drift import Proxy
from maestro_dsl.interfaces.openapi.serve import mock_app
from maestro_dsl.net.server import serve

LIST = {"id": 1, "name": "Garden", "color": "#4f46e5", "created_at": "2026-01-05T08:00:00Z"}


def provider(answers):
    """An application that answers each "METHOD /path" with (status, media type, body)."""

    async def app(scope, receive, send):
        await receive()
        default = (404, "application/problem+json", {})
        status, media, body = answers.get(f"{scope['method']} {scope['path']}", default)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = [(b"content-type", media.encode()), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    return app


def passed_on(app, *requests):
    """Send requests through a proxy; return its report and the answers."""

    async def talk():
        server = await serve(app)
        proxy = Proxy(api=read_api(TODO), base_url=server.url, name="todo")
        answers = [await asyncio.to_thread(Client(proxy), *request) for request in requests]
        await server.stop()
        return proxy.report(), answers

    return asyncio.run(talk())


def test_a_provider_that_keeps_its_contract_shows_no_drift():
    requests = [
        ("GET", "/lists"),
        ("POST", "/lists", {"name": "Garden"}),
        ("GET", "/lists/4"),
        ("DELETE", "/lists/4"),
        ("GET", "/lists/4"),
        ("GET", "/nowhere"),
    ]
    report, answers = passed_on(mock_app(read_api(TODO)), *requests)
    assert [status for status, _, _ in answers] == [200, 201, 200, 204, 404, 404]
    assert (report.drift, report.requests, report.unanswered) == ((), 6, 0)
    assert len(report.operations_seen) == 4
    assert len(report.operations_seen) + len(report.operations_unseen) == 11


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        ((202, "application/json", []), "body", "answers 202 with a body that its schema does not allow"),
        ((200, "text/html", b"<p>"), "content", 'answers 200 as "text/html"; declared is application/json'),
        ((200, "application/json", b"{"), "body", "a body that is no JSON"),
        ((200, "application/json", [{**LIST, "id": "one"}]), "body", "/0/id"),
        ((200, "application/json", [{"id": 1}]), "body", '"name" is a required property'),
    ],
)
def test_what_differs_is_told_once_with_its_number(answer, kind, said):
    report, answers = passed_on(provider({"GET /lists": answer}), ("GET", "/lists"), ("GET", "/lists?x=1"))
    found = report.drift[0]
    assert (found.kind, found.operation, found.count) == (kind, "GET /lists (listLists)", 2)
    assert said in found.message
    assert answers[0][0] == answer[0]
    assert answers[0][1]["x-maestro-drift"] == kind


def test_a_route_that_the_contract_lacks_is_drift():
    report, _ = passed_on(provider({"GET /extra": (200, "application/json", {})}), ("GET", "/extra"))
    assert [(item.kind, item.message) for item in report.drift] == [
        ("route", "GET /extra is answered and not in the contract")
    ]


def test_bad_requests_that_are_taken_are_counted():
    made = {"POST /lists": (201, "application/json", LIST)}
    report, _ = passed_on(provider(made), ("POST", "/lists", {"name": 5}), ("POST", "/lists", {"name": "x"}))
    assert (report.lenient, report.drift[:1]) == (1, report.drift[:1])


def test_a_provider_that_is_away_is_502_and_no_drift():
    proxy = Proxy(api=read_api(TODO), base_url="http://127.0.0.1:9", name="todo")
    assert Client(proxy)("GET", "/lists")[0] == 502
    assert (proxy.report().unanswered, proxy.report().drift) == (1, ())


def test_the_report_is_shown_and_forgotten_on_request():
    proxy = Proxy(api=read_api(TODO), base_url="http://127.0.0.1:9", name="todo")
    client = Client(proxy)
    client("GET", "/lists")
    assert client("GET", "/__admin/drift")[2]["requests"] == 1
    assert client("DELETE", "/__admin/drift")[0] == 204
    assert client("GET", "/__admin/drift")[2]["requests"] == 0
    assert client("GET", "/__admin/drift", host="evil.example")[0] == 403
