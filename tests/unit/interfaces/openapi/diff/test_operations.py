"""What a difference means in what travels with an operation, and in the document around it."""

import copy
from datetime import date

import pytest

from maestro_dsl.interfaces.openapi.diff.compare import compare
from maestro_dsl.lang.source import Profile, load

EMPTY = load("{}", "x.yaml").map
TODAY = date(2026, 6, 1)
S, N = {"type": "string"}, {"type": "integer"}
OK = {"200": {"description": "ok"}}


def api(operation=None, path="/x", method="get", **more):
    return {"openapi": "3.1.0", "paths": {path: {method: {"responses": OK} | (operation or {})}}} | more


def said(old, new):
    found = compare(old, new, (EMPTY, EMPTY), today=TODAY).changes
    return {f"{item.id} {item.level.value[0].upper()}" for item in found}


def parameter(place="query", name="a", **more):
    return {"name": name, "in": place, "schema": S} | more


def with_parameters(*listed):
    return api({"parameters": list(listed)})


PARAMETERS = [
    ("required comes", [], [parameter(required=True)], {"required-parameter-added B"}),
    ("optional comes", [], [parameter()], {"optional-parameter-added S"}),
    ("goes", [parameter()], [], {"parameter-removed D"}),
    ("moves", [parameter()], [parameter("header")], {"parameter-location-changed B"}),
    ("required now", [parameter()], [parameter(required=True)], {"parameter-became-required B"}),
    ("optional now", [parameter(required=True)], [parameter()], {"parameter-became-optional S"}),
    ("deprecated", [parameter()], [parameter(deprecated=True)], {"parameter-deprecated S"}),
    ("current again", [parameter(deprecated=True)], [parameter()], {"parameter-reactivated S"}),
    ("no empty value", [parameter(allowEmptyValue=True)], [parameter()], {"parameter-empty-refused B"}),
    ("an empty value", [parameter()], [parameter(allowEmptyValue=True)], {"parameter-empty-allowed S"}),
    (
        "another type",
        [parameter(schema=N)],
        [parameter(schema={"type": "boolean"})],
        {"parameter-type-changed B"},
    ),
    ("text holds numbers", [parameter(schema=N)], [parameter()], {"parameter-type-widened S"}),
    ("numbers only", [parameter()], [parameter(schema=N)], {"parameter-type-narrowed B"}),
    ("a default", [parameter()], [parameter(schema=S | {"default": "x"})], {"parameter-default-added B"}),
    (
        "one is a list of one",
        [parameter()],
        [parameter(schema={"type": "array", "items": S})],
        {"parameter-type-widened S"},
    ),
    (
        "a list of less is none",
        [parameter()],
        [parameter(schema={"type": "array", "items": S | {"pattern": "^a"}})],
        {"parameter-type-widened S", "parameter-pattern-added B"},
    ),
    (
        "written in another way",
        [parameter(schema={"type": "array"})],
        [parameter(schema={"type": "array"}, explode=False)],
        {"parameter-style-changed B"},
    ),
    ("the way of one value means nothing", [parameter()], [parameter(explode=False)], set()),
    (
        "a document instead of text",
        [parameter()],
        [{"name": "a", "in": "query", "content": {"application/json": {"schema": S}}}],
        {"parameter-style-changed B"},
    ),
    ("headers know no case", [parameter("header", "X-A")], [parameter("header", "x-a")], set()),
    ("another order", [parameter(), parameter(name="b")], [parameter(name="b"), parameter()], set()),
]


@pytest.mark.parametrize(
    ("old", "new", "expected"), [case[1:] for case in PARAMETERS], ids=[case[0] for case in PARAMETERS]
)
def test_parameters(old, new, expected):
    assert said(with_parameters(*old), with_parameters(*new)) == expected


def test_a_path_parameter_may_be_called_otherwise():
    old = api({"parameters": [parameter("path", "petId", required=True)]}, "/pets/{petId}")
    new = api({"parameters": [parameter("path", "id", required=True)]}, "/pets/{id}")
    assert said(old, new) == set()
    new["paths"]["/pets/{id}"]["get"]["parameters"][0]["schema"] = N
    assert said(old, new) == {"parameter-type-narrowed B"}


def test_parameters_of_the_path_are_those_of_its_operations():
    old = api({"parameters": [parameter()]})
    new = api()
    new["paths"]["/x"]["parameters"] = [parameter()]
    assert said(old, new) == set()


BODY = {"content": {"application/json": {"schema": {"type": "object"}}}}
BODIES = [
    ("required comes", None, BODY | {"required": True}, {"required-body-added B"}),
    ("optional comes", None, BODY, {"optional-body-added S"}),
    ("goes", BODY, None, {"body-removed B"}),
    ("required now", BODY, BODY | {"required": True}, {"body-became-required B"}),
    ("optional now", BODY | {"required": True}, BODY, {"body-became-optional S"}),
    (
        "a media type goes",
        {"content": {"a/b": {}, "a/c": {}}},
        {"content": {"a/b": {}}},
        {"request-media-type-removed B"},
    ),
    (
        "a media type comes",
        {"content": {"a/b": {}}},
        {"content": {"a/b": {}, "a/c": {}}},
        {"request-media-type-added S"},
    ),
    (
        "in other words",
        {"content": {"A/B; charset=UTF-8": {}}},
        {"content": {"a/b;charset=utf-8": {}}},
        set(),
    ),
    ("utf-8 is usual", {"content": {"a/b": {}}}, {"content": {"a/b; charset=utf-8": {}}}, set()),
    (
        "a parameter that counts",
        {"content": {"a/b; v=1": {}}},
        {"content": {"a/b; v=2": {}}},
        {"request-media-type-removed B", "request-media-type-added S"},
    ),
    ("a range holds it", {"content": {"a/b": {}}}, {"content": {"a/*": {}}}, set()),
    (
        "less than a range",
        {"content": {"a/*": {}}},
        {"content": {"a/b": {}}},
        {"request-media-type-removed B", "request-media-type-added S"},
    ),
    ("any parameter", {"content": {"a/b; v=1": {}}}, {"content": {"a/b": {}}}, set()),
    (
        "another way to write a part",
        {"content": {"multipart/form-data": {}}},
        {"content": {"multipart/form-data": {"encoding": {"a": {"contentType": "text/csv"}}}}},
        {"request-encoding-changed B"},
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "expected"), [case[1:] for case in BODIES], ids=[case[0] for case in BODIES]
)
def test_bodies(old, new, expected):
    sides = [api({"requestBody": body} if body else {}, method="post") for body in (old, new)]
    assert said(*sides) == expected


def answers(**more):
    return api({"responses": {key.lstrip("_"): {"description": "x"} | value for key, value in more.items()}})


def header(**more):
    return {"headers": {"X-A": {"schema": S} | more}}


LINK = {"links": {"next": {"operationId": "a"}}}
ANSWERS = [
    ("a success goes", {"_200": {}, "_201": {}}, {"_200": {}}, {"success-status-removed B"}),
    ("an error goes", {"_200": {}, "_404": {}}, {"_200": {}}, {"error-status-removed S"}),
    ("a status comes", {"_200": {}}, {"_200": {}, "_202": {}}, {"status-added S"}),
    ("a range holds it", {"_200": {}}, {"_2XX": {}}, set()),
    ("the rest goes", {"_200": {}, "default": {}}, {"_200": {}}, {"default-response-removed D"}),
    (
        "the only answer goes",
        {"default": {}},
        {"_404": {}},
        {"success-status-removed B", "status-added S"},
    ),
    ("a required header goes", {"_200": header(required=True)}, {"_200": {}}, {"required-header-removed B"}),
    ("an optional header goes", {"_200": header()}, {"_200": {}}, {"optional-header-removed D"}),
    ("a header comes", {"_200": {}}, {"_200": header()}, {"header-added S"}),
    (
        "an optional header now",
        {"_200": header(required=True)},
        {"_200": header()},
        {"header-became-optional B"},
    ),
    (
        "a required header now",
        {"_200": header()},
        {"_200": header(required=True)},
        {"header-became-required S"},
    ),
    (
        "a header of another type",
        {"_200": header()},
        {"_200": header(schema=N)},
        {"response-type-narrowed S"},
    ),
    ("a link goes", {"_200": LINK}, {"_200": {}}, {"link-removed D"}),
    ("a link comes", {"_200": {}}, {"_200": LINK}, {"link-added S"}),
    ("another link", {"_200": LINK}, {"_200": {"links": {"next": {"operationId": "b"}}}}, {"link-changed D"}),
    ("one of a range", {"_200": {"content": {"a/*": {}}}}, {"_200": {"content": {"a/b": {}}}}, set()),
    (
        "a range of one",
        {"_200": {"content": {"a/b": {}}}},
        {"_200": {"content": {"a/*": {}}}},
        {"response-media-type-removed B", "response-media-type-added S"},
    ),
    ("a content goes", {"_200": {"content": {"a/b": {}}}}, {"_200": {}}, {"response-media-type-removed B"}),
    ("a content comes", {"_200": {}}, {"_200": {"content": {"a/b": {}}}}, {"response-media-type-added S"}),
]


@pytest.mark.parametrize(
    ("old", "new", "expected"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS]
)
def test_answers(old, new, expected):
    assert said(answers(**old), answers(**new)) == expected


KEY = {"type": "apiKey", "in": "header", "name": "X-Key"}
OAUTH = {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://a/t", "scopes": {}}}}


def secured(*ways, schemes=None, **root):
    known = schemes or {"key": KEY, "oauth": OAUTH}
    operation = {} if not ways else {"security": list(ways)}
    return api(operation, components={"securitySchemes": known}, **root)


SECURITY = [
    ("credentials are needed", secured({}), secured({"key": []}), {"security-removed B", "security-added S"}),
    ("nobody has to sign in", secured({"key": []}), secured({}), {"security-added S"}),
    ("one more way", secured({"key": []}), secured({"key": []}, {"oauth": []}), {"security-added S"}),
    ("one way less", secured({"key": []}, {"oauth": []}), secured({"key": []}), {"security-removed B"}),
    (
        "both are needed",
        secured({"key": []}),
        secured({"key": [], "oauth": []}),
        {"security-removed B", "security-added S"},
    ),
    (
        "one more scope",
        secured({"oauth": ["a"]}),
        secured({"oauth": ["a", "b"]}),
        {"security-removed B", "security-added S"},
    ),
    ("one scope less", secured({"oauth": ["a", "b"]}), secured({"oauth": ["a"]}), {"security-added S"}),
    ("scopes in another order", secured({"oauth": ["a", "b"]}), secured({"oauth": ["b", "a"]}), set()),
    ("for the whole document", secured({"key": []}), secured(security=[{"key": []}]), set()),
    ("another name of a scheme", secured({"key": []}), secured({"k": []}, schemes={"k": KEY}), set()),
    (
        "another header",
        secured({"key": []}),
        secured({"key": []}, schemes={"key": KEY | {"name": "X-Other"}}),
        {"security-removed B", "security-added S"},
    ),
    (
        "another address",
        secured({"oauth": []}),
        secured(
            {"oauth": []},
            schemes={
                "oauth": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://b/t"}}}
            },
        ),
        {"security-address-changed D"},
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "expected"), [case[1:] for case in SECURITY], ids=[case[0] for case in SECURITY]
)
def test_security(old, new, expected):
    assert said(old, new) == expected


def test_a_base_path_may_move_into_the_paths():
    old, new = api(path="/pets", servers=[{"url": "https://a/v1"}]), api(path="/v1/pets")
    assert said(old, new) == said(new, old) == set()
    new["paths"]["/v1/pets"]["get"]["parameters"] = [parameter(required=True)]
    assert said(old, new) == {"required-parameter-added B"}


GONE = {"openapi": "3.1.0", "paths": {}}
OPERATIONS = [
    ("goes", api(), GONE, {"operation-removed B"}),
    ("comes", GONE, api(), {"operation-added S"}),
    ("goes deprecated", api({"deprecated": True}), GONE, {"deprecated-operation-removed D"}),
    (
        "goes in time",
        api({"deprecated": True, "x-sunset": "2026-05-31"}),
        GONE,
        {"operation-removed-after-sunset S"},
    ),
    ("goes too early", api({"deprecated": True, "x-sunset": "2026-06-02"}), GONE, {"operation-removed B"}),
    ("goes at no date", api({"deprecated": True, "x-sunset": "soon"}), GONE, {"operation-removed B"}),
    ("deprecated", api(), api({"deprecated": True}), {"operation-deprecated S"}),
    ("current again", api({"deprecated": True}), api(), {"operation-reactivated S"}),
    (
        "earlier than announced",
        api({"deprecated": True, "x-sunset": "2027-01-01"}),
        api({"deprecated": True, "x-sunset": "2026-12-01"}),
        {"sunset-earlier B"},
    ),
    (
        "later than announced",
        api({"deprecated": True, "x-sunset": "2027-01-01"}),
        api({"deprecated": True, "x-sunset": "2027-12-01"}),
        set(),
    ),
    (
        "no date any more",
        api({"deprecated": True, "x-sunset": "2027-01-01"}),
        api({"deprecated": True}),
        {"sunset-removed B"},
    ),
    ("another id", api({"operationId": "a"}), api({"operationId": "b"}), {"operation-id-changed S"}),
    ("other tags", api({"tags": ["a"]}), api({"tags": ["b"]}), {"tags-changed S"}),
    ("tags in another order", api({"tags": ["a", "b"]}), api({"tags": ["b", "a"]}), set()),
    ("an extension", api(), api({"x-a": 1}), {"extension-changed S"}),
    ("less stable", api(), api({"x-stability-level": "alpha"}), {"stability-decreased B"}),
    ("more stable", api({"x-stability-level": "beta"}), api(), {"stability-increased S"}),
    ("words", api({"summary": "a"}), api({"summary": "b", "description": "c"}), set()),
    (
        "a base path",
        api(servers=[{"url": "/v1"}]),
        api(servers=[{"url": "/v1"}, {"url": "/v2"}]),
        {"base-path-added S"},
    ),
    ("no base path", api(servers=[{"url": "/v1"}]), api(), {"base-path-removed D", "base-path-added S"}),
    (
        "another host",
        api(servers=[{"url": "https://a/v1"}]),
        api(servers=[{"url": "https://b/v1/"}]),
        {"server-changed S"},
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "expected"), [case[1:] for case in OPERATIONS], ids=[case[0] for case in OPERATIONS]
)
def test_operations(old, new, expected):
    assert said(old, new) == expected


def hook(schema, kind="webhook"):
    item = {"post": {"requestBody": {"content": {"application/json": {"schema": schema}}}, "responses": OK}}
    if kind == "webhook":
        return {"openapi": "3.1.0", "paths": {}, "webhooks": {"new": item}}
    return api({"callbacks": {"new": {"{$request.body#/url}": item}}}, method="post")


@pytest.mark.parametrize("kind", ["webhook", "callback"])
def test_in_webhooks_and_callbacks_the_provider_sends(kind):
    one, two = {"type": "object"}, {"type": "object", "properties": {"a": S}, "required": ["a"]}
    assert said(hook(one, kind), hook(two, kind)) == {"response-required-property-added S"}
    assert said(hook(two, kind), hook(one, kind)) == {"response-required-property-removed B"}
    without = hook(one, kind)
    if kind == "webhook":
        without["webhooks"] = {}
    else:
        del without["paths"]["/x"]["post"]["callbacks"]
    assert said(hook(one, kind), without) == {f"{kind}-removed B"}
    assert said(without, hook(one, kind)) == {f"{kind}-added S"}


def test_places_are_those_of_both_files():
    old = "openapi: 3.1.0\npaths:\n  /x:\n    get:\n      parameters:\n      - {name: a, in: query}\n"
    new = old.replace("in: query", "in: query, required: true").replace(
        "openapi: 3.1.0\n", "openapi: 3.1.0\n\n"
    )
    sides = [load(text, name, profile=Profile.INTERFACE) for text, name in ((old, "o.yaml"), (new, "n.yaml"))]
    found = compare(sides[0].data, sides[1].data, (sides[0].map, sides[1].map), today=TODAY)
    (change,) = found.changes
    assert (change.old.file, change.old.line, change.old.column) == ("o.yaml", 6, 9)
    assert (change.new.file, change.new.line, change.new.column) == ("n.yaml", 7, 40)
    assert change.operation == "GET /x"
    assert change.where == 'query parameter "a"'


def test_what_has_the_wrong_type_is_passed_over():
    right = api(
        {
            "parameters": [parameter()],
            "requestBody": BODY,
            "responses": {
                "200": {"content": BODY["content"], "headers": header()["headers"], "links": LINK["links"]}
            },
            "callbacks": {"a": {"b": {"post": {}}}},
            "security": [{"key": []}],
            "servers": [{"url": "/"}],
            "tags": ["a"],
        },
        components={"securitySchemes": {"key": KEY}},
        webhooks={"a": {"post": {}}},
    )

    def spots(node, way=()):
        yield way
        children = (
            node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        )
        for key, value in children:
            yield from spots(value, (*way, key))

    for way in list(spots(right))[1:]:
        for wrong in (None, 7, "x", [], [None, 7, [], {"a": None}], {}, {"a": None, "b": [1]}, True):
            broken = copy.deepcopy(right)
            node = broken
            for step in way[:-1]:
                node = node[step]
            node[way[-1]] = wrong
            for old, new in ((right, broken), (broken, right), (broken, broken)):
                compare(old, new, (EMPTY, EMPTY), today=TODAY)


def test_paths_that_differ_in_names_only_are_paired_by_them():
    texts = {"200": {"description": "ok", "content": {"text/plain": {}}}}
    one, two = {"get": {"responses": OK}}, {"get": {"responses": texts}}
    old = {"openapi": "3.1.0", "paths": {"/{a}": one, "/{b}": two}}
    assert said(old, {"openapi": "3.1.0", "paths": {"/{b}": two, "/{a}": one}}) == set()
    assert said(old, {"openapi": "3.1.0", "paths": {"/{b}": two}}) == {"operation-removed B"}
    assert said({"openapi": "3.1.0", "paths": {"/{a}": one}}, old) == {"operation-added S"}
    assert said(old, {"openapi": "3.1.0", "paths": {"/{a}": one, "/{c}": two}}) == set()
