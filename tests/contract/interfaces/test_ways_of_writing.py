"""Values in every style of OpenAPI, read alike by the mock served in process and by the emitted one."""

from pathlib import Path

import pytest
from support.express import asked, decided
from support.node import installed, started
from support.openapi import read_api

from maestro_dsl.interfaces.openapi.decide import Interpreter
from maestro_dsl.interfaces.openapi.emit import server_source
from maestro_dsl.interfaces.openapi.inputs import Request
from maestro_dsl.interfaces.openapi.table import Table

DOCUMENT = Path(__file__).parents[2] / "fixtures" / "openapi" / "ways_of_writing.yaml"
FORM = {"content-type": "application/x-www-form-urlencoded"}

CASES = [
    ("/query", "deep[x]=1", {}, "", 200),
    ("/query", "deep[x]=a", {}, "", 422),
    ("/query", "deep[y]=1", {}, "", 422),
    ("/query", "pipe=1|2", {}, "", 200),
    ("/query", "pipe=1%7C2", {}, "", 200),
    ("/query", "pipe=1,2", {}, "", 422),
    ("/query", "space=1%202", {}, "", 200),
    ("/query", "comma=1,2", {}, "", 200),
    ("/query", "comma=1,2,3", {}, "", 422),
    ("/query", "pairs=r,3", {}, "", 200),
    ("/query", "pairs=r,x", {}, "", 422),
    ("/query", "json=%7B%22k%22:1%7D", {}, "", 200),
    ("/query", "json=%7B%7D", {}, "", 422),
    ("/query", "json=%7B", {}, "", 422),
    ("/query", "", {"x-list": "1,2"}, "", 200),
    ("/query", "", {"x-list": "1, 2"}, "", 200),
    ("/query", "", {"x-list": "1, b"}, "", 422),
    ("/query", "", {"x-pairs": "r, 3"}, "", 200),
    ("/query", "", {"x-pairs": "r, b"}, "", 422),
    ("/query", "", {"cookie": "age=3"}, "", 200),
    ("/query", "", {"cookie": "age=old"}, "", 422),
    ("/matrix/;id=5/.1.2", "", {}, "", 200),
    ("/matrix/;id=5/.1,2", "", {}, "", 200),
    ("/matrix/;id=5/.1.2.3", "", {}, "", 422),
    ("/matrix/;id=a/.1.2", "", {}, "", 422),
    ("/number/.1.5", "", {}, "", 200),
    ("/number/.a", "", {}, "", 422),
    ("/form", "", FORM, "one=1,2", 200),
    ("/form", "", FORM, "one=1,2,3", 422),
    ("/form", "", FORM, "one=1,b", 422),
    ("/form", "", FORM, "many=1&many=2", 200),
    ("/form", "", FORM, "many=1&many=2&many=3", 422),
    ("/form", "", FORM, "word=a%2Cb", 200),
    ("/form", "", FORM, "word=a,b", 422),
]


def request_of(path, query, headers, body):
    method = "POST" if body else "GET"
    return Request(method=method, raw_path=path, query_string=query, headers=headers, body=body.encode())


@pytest.fixture(scope="module")
def express_folder():
    return installed("express-5", "express", "express@5")


@pytest.fixture(scope="module")
def table():
    return Table(read_api(DOCUMENT))


@pytest.mark.parametrize(("path", "query", "headers", "body", "status"), CASES)
def test_each_way_is_read(table, path, query, headers, body, status):
    assert Interpreter(table).answer(request_of(path, query, headers, body)).status == status


def test_the_emitted_server_reads_alike(table, express_folder):
    with started(express_folder, server_source(table)) as connection:
        for *case, status in CASES:
            request = request_of(*case)
            there = asked(connection, request)
            assert there == decided(Interpreter(table), request), case
            assert there[0] == status, case


def test_a_request_below_the_base_path_gets_the_same_values(table, express_folder):
    bare, based = (request_of(path, "", {}, "") for path in ("/words", "/root/v2/words"))
    assert decided(Interpreter(table), bare) == decided(Interpreter(table), based)
    with started(express_folder, server_source(table)) as connection:
        assert asked(connection, bare) == asked(connection, based) == decided(Interpreter(table), bare)
