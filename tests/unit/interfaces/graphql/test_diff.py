import random
from pathlib import Path

import pytest

from maestro_dsl.interfaces.changes import Level
from maestro_dsl.interfaces.graphql.diff import compare_schemas
from maestro_dsl.interfaces.graphql.parse import parse

BASE = """\
type Query { film(id: ID!, lang: String = "en"): Film  films: [Film!] }
type Mutation { add(input: New!): Film }
interface Node { id: ID! }
type Film implements Node { id: ID! title: String! kind: Kind }
type Book { id: ID! }
union Any = Film | Book
enum Kind { SHORT LONG }
input New { title: String! year: Int = 1 }
directive @hot(level: Int) on FIELD
"""


def api(text):
    found, problems = parse(text.encode(), "x.graphql")
    assert found is not None, [item.message for item in problems]
    return found


def changes(old, new):
    return compare_schemas(api(old), api(new), ("old.graphql", "new.graphql")).changes


CASES = [
    ("films: [Film!]", "", "graphql-field-removed B Query.films"),
    ("title: String! kind", "title: String kind", "graphql-field-changed-kind B Film.title"),
    ("kind: Kind }", "kind: Kind! }", "graphql-field-changed-kind-safe S Film.kind"),
    ("kind: Kind }", "kind: Kind more: Int }", "graphql-field-added S Film.more"),
    ("film(id: ID!, ", "film(id: ID!, more: Int!, ", "graphql-required-arg-added B Query.film"),
    ("film(id: ID!, ", "film(id: ID!, more: Int, ", "graphql-optional-arg-added D Query.film"),
    (', lang: String = "en"', "", "graphql-arg-removed B Query.film"),
    ('= "en"', '= "de"', "graphql-arg-default-value-change D Query.film"),
    (' = "en"', "", "graphql-arg-default-value-change D Query.film"),
    ("SHORT LONG", "SHORT", "graphql-value-removed-from-enum B Kind.LONG"),
    ("SHORT LONG", "SHORT LONG OTHER", "graphql-value-added-to-enum D Kind.OTHER"),
    ("Film | Book", "Film", "graphql-type-removed-from-union B Any"),
    ("union Any = Film", "union Any = Query | Film", "graphql-type-added-to-union D Any"),
    ("year: Int = 1", "year: Int = 2", "graphql-input-field-default-value-change D New.year"),
    ("year: Int = 1", "year: Int = 1 more: Int!", "graphql-required-input-field-added B New.more"),
    ("year: Int = 1", "year: Int = 1 more: Int", "graphql-optional-input-field-added D New.more"),
    ("title: String! year", "title: Int! year", "graphql-field-changed-kind B New.title"),
    ("Film implements Node", "Film", "graphql-implemented-interface-removed B Film"),
    ("directive @hot(level: Int) on FIELD", "", "graphql-directive-removed B @hot"),
    ("type Mutation", "type Other", "graphql-root-removed B Mutation"),
    ("input New", "input New @oneOf", "graphql-one-of-changed B New"),
    ("kind: Kind }", 'kind: Kind @deprecated(reason: "old") }', "graphql-deprecated S Film.kind"),
    ("type Book", '"words" type Book', "graphql-description-changed S Book"),
]


@pytest.mark.parametrize(("old", "new", "expected"), CASES, ids=[case[2] for case in CASES])
def test_what_a_difference_means(old, new, expected):
    other = BASE.replace(old, new, 1)
    if "@oneOf" in new:
        other = other.replace("title: String! year: Int = 1", "title: String year: Int")
    found = {f"{item.id} {item.level.value[0].upper()} {item.operation}" for item in changes(BASE, other)}
    assert expected in found


def test_places_are_those_of_the_names():
    found = changes(BASE, BASE.replace("title: String! kind", "title: String kind"))
    (change,) = found
    assert (change.old.file, change.old.line, change.old.column) == ("old.graphql", 4, 37)
    assert (change.new.file, change.new.line, change.new.column) == ("new.graphql", 4, 37)
    removed = next(item for item in changes(BASE, BASE.replace("films: [Film!]", "")))
    assert (removed.new.line, removed.new.column) == (1, 6)  # the type that it is missing in


def test_the_same_in_another_order_is_no_change():
    lines = BASE.splitlines()
    random.Random(1).shuffle(lines)
    other = "\n".join(lines).replace("SHORT LONG", "LONG SHORT").replace("Film | Book", "Book | Film")
    other = other.replace('film(id: ID!, lang: String = "en")', 'film(lang: String = "en", id: ID!)')
    assert changes(BASE, other) == ()


@pytest.mark.needs_data
@pytest.mark.parametrize("name", ["spotify-playback-subgraph", "swapi"])
def test_real_schemas(shared_data, name):
    file = Path(shared_data / "graphql" / f"{name}.graphql")
    if not file.is_file():
        pytest.skip(f"the real schema is absent: {file}")
    one, _ = parse(file.read_bytes(), name)
    assert one is not None
    again, _ = parse(file.read_bytes(), name)
    assert compare_schemas(one, again, (name, name)).changes == ()
    query = one.schema.query_type
    assert query is not None
    field = next(iter(query.fields))
    again.schema.query_type.fields.pop(field)
    found = compare_schemas(one, again, (name, name)).changes
    assert f"{query.name}.{field}" in {item.operation for item in found if item.level is Level.BREAKING}
