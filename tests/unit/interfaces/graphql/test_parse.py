"""Schemas as they are in the wild: read, mended with a warning, or refused in one clear line."""

import json

import pytest
from graphql import build_schema, introspection_from_schema
from support.graphql import read_schema

from maestro_dsl.diagnostics import Severity
from maestro_dsl.interfaces.graphql.parse import parse

OLD = "type A implements B, C { id: ID! }\ninterface B { a: Int } interface C { b: Int } type Query { a: A }"
NO = "is no GraphQL schema that can be served"


def read(text, file="api.graphql"):
    return parse(text.encode() if isinstance(text, str) else text, file)


def told(diagnostics):
    return [(item.severity.value, item.span.line, item.span.column, item.message) for item in diagnostics]


@pytest.mark.parametrize("name", ["library", "shop"])
def test_a_correct_schema_has_no_findings(name):
    api = read_schema(name)
    assert api.operations
    assert told(read(api.text)[1]) == []


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        (
            "type Query { a: Missing }",
            [("warning", 1, 17, '"Missing" is defined nowhere; it is taken as a scalar')],
        ),
        (
            "type Query { a: Int @auth(role: ADMIN) }",
            [("warning", 1, 22, "the directive @auth is declared nowhere; it is taken as one")],
        ),
        (
            OLD,
            [
                ("warning", 1, 8, '"implements A, B" is an old spelling of "implements A & B"'),
                ("warning", 1, 19, 'A lacks "a" of the interface B; it is added'),
                ("warning", 1, 22, 'A lacks "b" of the interface C; it is added'),
            ],
        ),
        (
            "type Query { a: Int }\ntype Query { b: Int, a: Int }",
            [
                ("warning", 2, 6, '"Query" is defined twice; both are read as one'),
                ("warning", 2, 22, '"Query.a" is stated twice; the first one counts'),
            ],
        ),
        (
            "type Query { a: Int }\n\ntype B {\n  x Int\n}\ntype C { y: Int }",
            [
                (
                    "warning",
                    4,
                    5,
                    "this definition cannot be read and is left out: expected ':', found Name 'Int'",
                )
            ],
        ),
        ("type Query { a: E }\ntype E {}", [("warning", 2, 6, "E has no fields; _empty is added")]),
        (
            "type Query { a(x: Query): Int }",
            [
                (
                    "warning",
                    1,
                    19,
                    '"Query" is no input type, and no argument can have it; any value is taken there',
                )
            ],
        ),
        (
            "interface I { a: Int b: Int }\ntype Query implements I { a: Int }",
            [("warning", 2, 23, 'Query lacks "b" of the interface I; it is added')],
        ),
        (
            "union U = Dog | Int\ntype Query { u: U }",
            [
                ("warning", 1, 11, '"Dog" is defined nowhere; it is taken as a type that has an id'),
                ("warning", 1, 17, 'the union U may hold object types only; "Int" is left out'),
            ],
        ),
        (
            "extend type User { id: ID! }\ntype Query { u: User }",
            [
                (
                    "warning",
                    1,
                    13,
                    '"User" is extended but defined nowhere; the extension is read as its definition',
                )
            ],
        ),
        (
            "query Old { a }\ntype Query { a: Int }",
            [("warning", 1, 7, "an operation or a fragment is no part of a schema and is left out")],
        ),
    ],
)
def test_what_is_slightly_wrong_is_served_with_a_warning(text, findings):
    api, diagnostics = read(text)
    assert api is not None
    assert told(diagnostics) == findings
    assert build_schema(api.sdl)  # what is emitted needs no mending any more


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (" \n", f"api.graphql {NO}: it is empty"),
        (
            b"type Query { a: \xff }",
            f"api.graphql:1:17 {NO}: it is not UTF-8 text: byte 0xff",
        ),
        (
            "type A { a: Int }",
            f"api.graphql {NO}: it defines no type Query, Mutation or Subscription",
        ),
        (
            "schema {\n  query: Root\n}",
            f'api.graphql:2:10 {NO}: the schema starts at "Root", which is not defined',
        ),
        ("openapi: 3.0.0", f"api.graphql {NO}: unexpected Name 'openapi'"),
        (
            "{}",
            f'api.graphql {NO}: it is JSON without the "__schema" of an introspection',
        ),
        ("{", f"api.graphql:1:2 {NO}: it starts like JSON and is none"),
        ('{"data": {"__schema": {}}}', None),
        (
            "type Query { a: " + "[" * 5000 + "Int" + "]" * 5000 + " }",
            f"api.graphql:1:116 {NO}: it is nested too deeply",
        ),
    ],
)
def test_what_cannot_be_served_is_refused_in_one_line(content, message):
    api, diagnostics = read(content)
    assert api is None
    [found] = diagnostics
    assert (found.code, found.severity) == ("CTR001", Severity.ERROR)
    assert "\n" not in found.message
    assert message is None or found.message == message


def test_a_subgraph_gets_what_its_federation_leaves_out():
    api, diagnostics = read('type Item @key(fields: "id") @shareable { id: ID! @external }')
    assert told(diagnostics) == []
    assert api.operations == ("query _service", "query _entities")
    assert {"key", "shareable", "external"} <= {item.name for item in api.schema.directives}
    assert build_schema(api.sdl)


def test_an_introspection_is_read_as_the_schema_it_tells_of():
    schema = read_schema("library").schema
    text = json.dumps({"data": introspection_from_schema(schema)})
    api, diagnostics = read(text, "schema.json")
    assert told(diagnostics) == []
    assert api.operations == read_schema("library").operations


@pytest.mark.parametrize(
    "text",
    [
        "type Query { a: Int }" + "type X { " * 300,
        "type Query { a: Int }\n" + "implements " + "," * 60_000,
        '"""' * 9_001,
        "type T {} " * 3_000 + "type Query { a: Int }",
        "type Query { " + " ".join(f"f{n}: Nope{n}" for n in range(2_000)) + " }",
        "interface A implements B { x: Int } interface B implements A { x: Int } type Query { a: A }",
        "\0" * 1000,
    ],
)
def test_hostile_schemas_end(text):
    api, diagnostics = read(text)
    assert api is not None or len(diagnostics) == 1
    assert len(diagnostics) <= 42


@pytest.mark.needs_data
def test_every_real_schema_starts_or_is_refused_in_one_line(shared_data):
    files = sorted((shared_data / "graphql").glob("*.graphql"))
    assert files
    for file in files:
        api, diagnostics = read(file.read_bytes(), file.name)
        assert api is not None or [item.message.count("\n") for item in diagnostics] == [0]
        assert api is None or build_schema(api.sdl)


@pytest.mark.parametrize(
    ("text", "guess"),
    [
        ("type Query { a: Usr } type User { id: ID! }", 'did you mean "User"?'),
        ("type Query { a: Strng }", 'did you mean "String"?'),
        ("type Query { a: All } union All = Usr type User { id: ID! }", 'did you mean "User"?'),
        ("type Query { a: DateTime } type User { id: ID! }", None),
    ],
)
def test_an_undefined_name_is_marked_whole_with_what_was_probably_meant(text, guess):
    (found,) = read(text)[1]
    name = text[found.span.column - 1 : found.span.end_column - 1]
    assert (f'"{name}" is defined nowhere' in found.message, found.help) == (True, guess)
