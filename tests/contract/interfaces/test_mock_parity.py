"""The emitted Express server and the mock served in process give equal answers to one suite of requests."""

import base64
import http.client
import http.server
import json
import os
import queue
import random
import threading
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from support.credentials import GARBLED, MADE, TYPED
from support.express import asked, decided
from support.node import installed, started
from support.openapi import DOCUMENTS, TODO, all_requests, read_api
from support.program import PATIENCE

from maestro_dsl.interfaces.openapi.callbacks import outgoing
from maestro_dsl.interfaces.openapi.credentials import NOTHING
from maestro_dsl.interfaces.openapi.decide import Interpreter
from maestro_dsl.interfaces.openapi.emit import server_source
from maestro_dsl.interfaces.openapi.inputs import Request
from maestro_dsl.interfaces.openapi.table import Table
from maestro_dsl.interfaces.options import Fault, ServeOptions, fate_of

LONG = os.environ.get("MAESTRO_TEST_LONG") == "1"
LEFT_OUT = {"box.json"} if LONG else {"box.json", "spotify-web-api.yml"}
"""Of the two large ones meilisearch.json is in the default suite."""
PART = 0.3
"""Of the requests for real documents; those for our own fixtures are all made."""


@pytest.fixture(scope="session")
def express_folder():
    return installed("express-5", "express", "express@5")


def compare(express_folder, api, part=1.0):
    """Assert that both answer alike, in the order asked; `part` of the requests by chance."""
    table = Table(api)
    interpreter = Interpreter(table)
    chance = random.Random(PART)
    different, count = [], 0
    with started(express_folder, server_source(table)) as connection:
        for request in all_requests(table):
            if chance.random() >= part:
                continue
            count += 1
            here, there = decided(interpreter, request), asked(connection, request)
            if here != there:
                different.append((request, here, there))
    assert count > 0
    assert not different[:3], f"{len(different)} of {count} answers differ"


def test_both_servers_answer_the_same_for_the_example(express_folder):
    compare(express_folder, read_api(TODO))


SHAPES = ("blog", "library", "settings", "payments", "documents", "fleet", "helpdesk")


@pytest.mark.parametrize("document", [f"{name}.yaml" for name in SHAPES])
def test_both_servers_answer_the_same_for_every_shape(express_folder, document):
    compare(express_folder, read_api(Path(__file__).parents[2] / "fixtures" / "openapi" / document))


@pytest.mark.needs_data
@pytest.mark.parametrize("document", [name for name in DOCUMENTS if name not in LEFT_OUT])
def test_both_servers_answer_the_same_for_real_documents(express_folder, shared_data, document):
    compare(express_folder, read_api(shared_data / "openapi" / document), 1.0 if LONG else PART)


def test_both_servers_take_the_same_credentials(express_folder):
    schemes = {
        "head": {"type": "apiKey", "in": "header", "name": "X-Key", "description": "such as `Zz-9`"},
        "query": {"type": "apiKey", "in": "query", "name": "k"},
        "cookie": {"type": "apiKey", "in": "cookie", "name": "sid"},
        "bearer": {"type": "http", "scheme": "bearer"},
        "basic": {"type": "http", "scheme": "Basic"},
        "digest": {"type": "http", "scheme": "digest"},
    }
    paths = {
        f"/{name}": {"get": {"security": [{name: []}], "responses": {"200": {"description": "fine"}}}}
        for name in schemes
    }
    table = Table(read_api({"openapi": "3.1.0", "paths": paths, "components": {"securitySchemes": schemes}}))
    interpreter = Interpreter(table)
    with started(express_folder, server_source(table)) as connection:
        for text in (
            "Zz-9",
            *TYPED,
            *MADE,
            *(text for text in GARBLED if text.isascii()),
            *NOTHING,
            "expired",
        ):
            plain = base64.b64encode(text.encode()).decode()
            for name, headers in (
                ("head", {"x-key": text}),
                ("query", {}),
                ("cookie", {"cookie": f"sid={text}"}),
                ("bearer", {"authorization": f"Bearer {text}"}),
                ("basic", {"authorization": f"basic {plain}"}),
                ("basic", {"authorization": f"Basic {base64.b64encode(f'u:{text}'.encode()).decode()}"}),
                ("digest", {"authorization": f"Digest {text}"}),
            ):
                query = urlencode({"k": text}) if name == "query" else ""
                request = Request(
                    method="GET", raw_path=f"/{name}", query_string=query, headers=headers, body=b""
                )
                assert decided(interpreter, request) == asked(connection, request), (name, text)


def test_the_emitted_server_is_told_credentials_as_well(express_folder):
    options = ServeOptions(credentials=("x", "tom:tom"))
    scheme = {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}}
    paths = {"/me": {"get": {"security": [{"key": []}], "responses": {"200": {"description": "fine"}}}}}
    table = Table(read_api({"openapi": "3.1.0", "paths": paths, "components": scheme}), options=options)
    with started(express_folder, server_source(table)) as connection:
        for text, status in (("x", 200), ("secret", 401), ("", 401)):
            request = Request(
                method="GET", raw_path="/me", query_string="", headers={"x-key": text}, body=b""
            )
            answer = asked(connection, request)
            assert (answer[0], answer) == (status, decided(Interpreter(table), request))


HOSTILE = ["it's", 'a "quote"', "`tick`", "${1+1}", "new\nline", "</script>", "\\", "\u2028", "__proto__"]


def test_hostile_names_stay_data(express_folder):
    properties = {name: {"type": "string"} for name in HOSTILE}
    schema = {"type": "object", "properties": {"id": {"type": "integer"}, **properties}, "required": ["id"]}
    content = {"application/json": {"schema": schema}}
    ok = {"description": "fine", "content": content}
    paths = {
        f"/{index}{name.replace('/', '')}/things": {
            "post": {
                "operationId": name,
                "requestBody": {"content": content},
                "responses": {"201": ok},
                "summary": name,
            },
            "get": {
                "operationId": name + "!",
                "parameters": [{"name": name, "in": "query", "schema": {"type": "integer"}}],
                "responses": {
                    "200": {
                        "description": name,
                        "content": {"application/json": {"schema": {"type": "array", "items": schema}}},
                    }
                },
            },
        }
        for index, name in enumerate(HOSTILE)
    }
    paths |= {
        path + "/{" + name + "}": {"get": {"operationId": f"read {name}", "responses": {"200": ok}}}
        for path, name in zip(list(paths), ["id", "__proto__", "constructor"], strict=False)
    }
    info = {"title": "`${process.exit(9)}`\n*/", "version": "1"}
    compare(express_folder, read_api({"openapi": "3.1.0", "info": info, "paths": paths}))


BLOW_UP = ["^(a+)+$", "^(a|a)*$", "(x+x+)+y", r"^(\w+\s?)*$", "^.*,.*,.*,.*,.*,.*;$"]


def test_patterns_that_blow_up_do_not_stop_the_emitted_server(express_folder):
    properties = {f"p{index}": {"type": "string", "pattern": text} for index, text in enumerate(BLOW_UP)}
    schema = {"type": "object", "properties": {**properties, "plain": {"type": "string", "pattern": "^b+$"}}}
    content = {"application/json": {"schema": schema}}
    answer = {"204": {"description": "done"}}
    paths = {
        "/a": {"post": {"requestBody": {"content": content}, "responses": answer}},
        "/{a}{b}{c}{d}{e}.x": {"get": {"responses": answer}},
    }
    api = read_api({"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": paths})
    slow = {f"p{index}": "a" * 20_000 + ",x!" for index in range(len(BLOW_UP))}
    with started(express_folder, server_source(Table(api))) as connection:
        for value, status in ((slow, 204), ({**slow, "plain": "a"}, 422), ({"plain": "bbb"}, 204)):
            headers = {"content-type": "application/json"}
            request = Request(method="POST", raw_path="/a", headers=headers, body=json.dumps(value).encode())
            assert asked(connection, request)[0] == status
        long = Request(method="GET", raw_path="/" + "." * 9_000)
        assert asked(connection, long)[0] == 404


def test_both_servers_fail_at_the_same_requests(express_folder):
    table = Table(read_api(TODO), "5", ServeOptions(error_rate=0.4))
    request = Request(method="GET", raw_path="/lists", headers={})
    interpreter, different = Interpreter(table), []
    with started(express_folder, server_source(table)) as connection:
        for count in range(1, 61):
            failing = fate_of(table.options, table.seed, count).fault is Fault.ERROR
            here = interpreter.answer(request, failing=failing).status
            if here != asked(connection, request)[0]:
                different.append((count, here))
    assert not different


def test_both_servers_hold_and_take_the_same_items(express_folder):
    table = Table(read_api(TODO))
    interpreter = Interpreter(table)
    with started(express_folder, server_source(table)) as connection:

        def both(method, path, data=None):
            body = b"" if data is None else json.dumps(data).encode()
            headers = {"content-type": "application/json"} if data is not None else {}
            request = Request(method=method, raw_path=path, headers=headers, body=body)
            here, there = decided(interpreter, request), asked(connection, request)
            assert here == there
            return there

        both("POST", "/lists", {"name": "Garden"})
        both("GET", "/lists/1/tasks")
        held = both("GET", "/__admin/export")[-1]
        both("DELETE", "/lists/1")
        both("POST", "/__admin/seed", held)
        both("GET", "/lists/1")
        for wrong in ({"/nowhere": []}, {"/lists": [{}]}, [], {"/lists": 1}):
            assert both("POST", "/__admin/seed", wrong)[0] == 422
        both("GET", "/__admin/export")
        both("GET", "/__admin/nothing")


def test_the_emitted_server_keeps_its_own_paths_to_this_machine(express_folder):
    with started(express_folder, server_source(Table(read_api(TODO)))) as connection:
        for headers in ({"origin": "https://evil.example"}, {"host": "evil.example"}):
            connection.request("POST", "/__admin/reset", headers=headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 403


def test_the_emitted_server_sends_the_same_callbacks(express_folder):
    event = {"type": "object", "properties": {"id": {"type": "integer"}, "kind": {"enum": ["a", "b"]}}}
    event["required"] = ["id", "kind"]
    content = {"application/json": {"schema": event}}
    operation = {
        "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
        "callbacks": {
            "onEvent": {
                "{$request.body#/hook}/e?id={$response.body#/id}": {
                    "post": {"requestBody": {"content": content}, "responses": {}}
                }
            }
        },
        "responses": {"201": {"description": "x", "content": content}},
    }
    info = {"title": "x", "version": "1"}
    api = read_api({"openapi": "3.1.0", "info": info, "paths": {"/s": {"post": operation}}})
    table = Table(api)
    with caller() as (address, got), started(express_folder, server_source(table)) as connection:
        for hook in (address, "http://192.0.2.1", address.replace("http", "ftp")):
            body = json.dumps({"hook": hook}).encode()
            headers = {"content-type": "application/json"}
            request = Request(method="POST", raw_path="/s", headers=headers, body=body)
            asked(connection, request)
            (wanted,) = outgoing(table, request, Interpreter(table).answer(request))
            if hook == address:
                assert got.get(timeout=PATIENCE) == (
                    wanted.method,
                    wanted.url.removeprefix(address),
                    wanted.body,
                )
        assert got.empty()
        connection.request("GET", "/__admin/requests")
        noted = [
            call["error"]
            for call in json.loads(connection.getresponse().read())["requests"]
            if "callback" in call and call["error"]
        ]
    assert noted == [
        "192.0.2.1 is not this machine; allow it with callback_hosts",
        "only http and https addresses are called",
    ]


@contextmanager
def caller():
    """A server that keeps what it is sent."""
    got = queue.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.put((self.command, self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
