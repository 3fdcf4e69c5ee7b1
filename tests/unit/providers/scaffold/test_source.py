"""Names, literals and patterns of a document in generated source: text never becomes code."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_dsl.providers.scaffold import names
from maestro_dsl.providers.scaffold.patterns import matching_text, usable
from maestro_dsl.providers.scaffold.pysource import call, show

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_values_come_back_as_they_were(value):
    assert ast.literal_eval(show(value)) == value


@given(st.text())
def test_names_are_identifiers(text):
    assert names.snake(text).isidentifier()
    assert names.camel(text).isidentifier()
    assert names.pascal(text).isidentifier()


@given(st.text())
def test_lines_are_safe_in_docstrings_and_comments(text):
    line = names.line(text)
    assert not set(line) & set('\n\r"\\`<>|')
    assert "*/" not in line


def test_long_expressions_are_broken():
    node = call(
        "Record",
        required=("name",),
        fields={"name": call("Text", min_length=1), "note": call("Text", max_length=100)},
    )
    assert show(node, 20) == (
        "Record(\n"
        '                        required=("name",),\n'
        '                        fields={"name": Text(min_length=1), "note": Text(max_length=100)},\n'
        "                    )"
    )


@pytest.mark.parametrize(
    ("pattern", "python"),
    [
        ("^[a-z]+$", r"^[a-z]+\Z"),
        (r"^\d{4}$", r"^\d{4}\Z"),
        ("^(a+)+$", None),
        (r"^\p{L}+$", None),
        (r"(a)\1*", None),
        ("(", None),
    ],
)
def test_patterns_that_could_hang_or_are_unknown_are_refused(pattern, python):
    assert usable(pattern) == python


@pytest.mark.parametrize("pattern", ["^#[0-9a-f]{6}$", r"^([01]\d|2[0-3]):?([0-5]\d)$", "^[^/]+$", "^a|b$"])
def test_texts_for_patterns(pattern):
    assert matching_text(pattern) is not None


@pytest.mark.parametrize(
    ("many", "one"),
    [
        ("tasks", "task"),
        ("categories", "category"),
        ("user_statuses", "user status"),
        ("boxes", "box"),
        ("news", "news"),
        ("address", "address"),
    ],
)
def test_singular(many, one):
    assert names.singular(many) == one
