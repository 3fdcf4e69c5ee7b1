"""What the mock takes for credentials, what it refuses and why, and how others are told to it."""

import base64

import pytest
from support.asgi import Client
from support.credentials import GARBLED, MADE, TYPED
from support.openapi import read_api

from maestro_dsl.interfaces.openapi.credentials import (
    DISOWNED,
    MISSING,
    NOTHING,
    UNLIKELY,
    UNLISTED,
    Accepted,
    problem,
)
from maestro_dsl.interfaces.openapi.serve import mock_app
from maestro_dsl.interfaces.options import ServeOptions

NO_LIST = Accepted()


@pytest.mark.parametrize("text", [*TYPED, *MADE])
def test_what_people_type_and_programs_make_is_taken(text):
    assert problem(text, NO_LIST) is None
    assert problem(f" {text}\t", NO_LIST) is None


@pytest.mark.parametrize("text", GARBLED)
def test_what_looks_like_no_credential_is_refused(text):
    assert problem(text, NO_LIST) == UNLIKELY


@pytest.mark.parametrize("text", [*NOTHING, " ", " null "])
def test_what_a_program_sends_without_a_token_is_missing(text):
    assert problem(text, NO_LIST) == MISSING


@pytest.mark.parametrize("text", ["invalid", "expired-token", "WRONG_KEY", "SCHEMATHESIS-INVALID-VALUE"])
def test_a_consumer_sees_a_refusal_by_saying_that_its_token_is_not_valid(text):
    assert problem(text, NO_LIST) == DISOWNED
    assert problem("validity-of-invalidation", NO_LIST) is None


def test_a_list_is_all_there_is_and_a_star_takes_anything():
    listed = Accepted(texts=frozenset({"x", "expired"}), is_all=True)
    assert [problem(text, listed) for text in ("x", "expired", "test", "")] == [None, None, UNLISTED, MISSING]
    anything = Accepted(texts=frozenset({"*"}), is_all=True)
    assert [problem(text, anything) for text in ("x", "💥", "undefined")] == [None, None, MISSING]


def secured(scheme, **more):
    """A description with one operation behind `scheme`."""
    ok = {"200": {"description": "fine"}, **more.pop("responses", {})}
    return read_api(
        {
            "openapi": "3.1.0",
            "paths": {"/me": {"get": {"security": [{"it": []}], "responses": ok}}, **more.pop("paths", {})},
            "components": {"securitySchemes": {"it": scheme}},
        }
    )


def basic(text):
    return "Basic " + base64.b64encode(text.encode("latin-1")).decode()


@pytest.mark.parametrize(
    ("plain", "status"),
    [
        *[
            ("user:pass", 200),
            ("alice:secret", 200),
            ("tom:hunter2", 200),
            ("sk_test_4eC39HqLyjWDarjtT1zdp7dc:", 200),
        ],
        *[
            (":token", 200),
            ("ivo:ivo", 401),
            ("ÿþ:secret", 401),
            ("user:expired", 401),
            (":", 401),
            ("test", 401),
        ],
        *[("undefined:undefined", 401), ("a\nb:test", 401), ("Infinity:Infinity", 401)],
    ],
)
def test_one_of_user_and_password_looks_like_a_credential(plain, status):
    client = Client(mock_app(secured({"type": "http", "scheme": "basic"})))
    assert client("GET", "/me", authorization=basic(plain))[0] == status


def test_users_with_their_passwords_are_listed_as_one():
    options = ServeOptions(credentials=("ivo:ivo",))
    client = Client(mock_app(secured({"type": "http", "scheme": "basic"}), options=options))
    assert client("GET", "/me", authorization=basic("ivo:ivo"))[0] == 200
    assert client("GET", "/me", authorization=basic("user:secret"))[0] == 401


def test_other_schemes_want_something_after_their_name():
    client = Client(mock_app(secured({"type": "http", "scheme": "Digest"})))
    sent = ("Digest", "Digest ", 'Digest username="test", response="6629fae49393a05397450978507c4ef1"')
    assert [client("GET", "/me", authorization=text)[0] for text in sent] == [401, 401, 200]


def test_keys_in_cookies_and_queries_are_judged_alike():
    cookie = Client(mock_app(secured({"type": "apiKey", "in": "cookie", "name": "sid"})))
    assert [cookie("GET", "/me", cookie=f"sid={text}")[0] for text in ("session-1", "%%", "12345")] == [
        200,
        401,
        200,
    ]
    query = Client(mock_app(secured({"type": "apiKey", "in": "query", "name": "k"})))
    assert [query("GET", f"/me?k={text}")[0] for text in ("abc", "%F0%9F%92%A5", "q", "q&k=test")] == [
        200,
        401,
        401,
        200,
    ]


def test_the_answer_says_what_is_wrong():
    client = Client(mock_app(secured({"type": "http", "scheme": "bearer"})))
    status, headers, body = client("GET", "/me", authorization="Bearer x")
    assert (status, headers["www-authenticate"]) == (401, "Bearer")
    assert body["detail"] == UNLIKELY
    assert client("GET", "/me")[2]["detail"] == MISSING


def test_a_credential_that_the_description_shows_is_taken():
    scheme = {
        "type": "apiKey",
        "in": "header",
        "name": "X-Q7",
        "description": "Send `X-Q7` with `Zz-9`.",
    }
    token = {"type": "object", "required": ["accessToken"], "properties": {"accessToken": {"type": "string"}}}
    content = {"application/json": {"schema": token, "example": {"accessToken": "QpwL5"}}}
    login = {"/login": {"post": {"responses": {"200": {"description": "in", "content": content}}}}}
    client = Client(mock_app(secured(scheme, paths=login)))
    handed = client("POST", "/login")[2]["accessToken"]
    assert handed == "QpwL5"
    sent = (handed, "Zz-9", "X-Q7", "zZ-9")
    assert [client("GET", "/me", **{"x-q7": text})[0] for text in sent] == [200, 200, 401, 401]


def test_a_token_that_the_mock_makes_is_taken():
    token = {"type": "object", "required": ["jwt"], "properties": {"jwt": {"type": "string"}}}
    content = {"application/json": {"schema": token}}
    login = {"/login": {"post": {"responses": {"200": {"description": "in", "content": content}}}}}
    client = Client(mock_app(secured({"type": "http", "scheme": "bearer"}, paths=login)))
    made = client("POST", "/login")[2]["jwt"]
    assert client("GET", "/me", authorization=f"Bearer {made}")[0] == 200


def test_a_declared_403_answers_where_no_401_is_declared():
    responses = {"403": {"description": "no"}}
    client = Client(mock_app(secured({"type": "http", "scheme": "bearer"}, responses=responses)))
    assert client("GET", "/me")[0] == 403
    assert Client(mock_app(secured({"type": "http", "scheme": "bearer"})))("GET", "/me")[0] == 401
