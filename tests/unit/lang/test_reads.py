"""What expressions and prompt templates read, found without evaluating them."""

import pytest

from maestro_dsl.lang.expression_reads import reads_of
from maestro_dsl.lang.expressions import parse
from maestro_dsl.lang.template_reads import has_text, template_reads


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("inputs.name", [("inputs.name", True)]),
        ("inputs['name']", [("inputs.name", True)]),
        ("inputs.name ~ '-' ~ key", [("inputs.name", True), ("key", True)]),
        ("inputs.name == 'x'", [("inputs.name", False)]),
        ("inputs.names | length", [("inputs.names", False)]),
        ("inputs.names | join(inputs.by)", [("inputs.names", True), ("inputs.by", True)]),
        ("a if b else c", [("b", False), ("a", True), ("c", True)]),
        ("nodes.build.outputs[key].files", [("nodes.build.outputs..files", True), ("key", False)]),
        ("not a", [("a", False)]),
        ("3", []),
    ],
)
def test_what_an_expression_reads(text, expected):
    assert [(".".join(read.path), read.is_text) for read in reads_of(parse(text))] == expected


def test_the_place_is_that_of_the_last_word():
    (read,) = reads_of(parse("project.vars.region"))
    assert (read.start, read.end) == (13, 19)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ persona.name }}", [("persona.name", False)]),
        ("{{ requirement }}", [("requirement", False)]),
        (
            "{% for x in consumed %}{{ x.url }}{{ loop.index }}{% endfor %}",
            [("consumed", False), ("consumed.url", True)],
        ),
        ("{% set x = persona %}{{ x.name }}", [("persona", False)]),
        (
            "{% for x in consumed %}{% endfor %}{% for x in deliverables %}{{ x.a }}{% endfor %}",
            [("consumed", False), ("deliverables", False)],
        ),
        ("{% raw %}{{ x }}{% endraw %}", []),
        ("{{ broken", []),
    ],
)
def test_what_a_template_reads(source, expected):
    assert [(".".join(read.path), read.is_item) for read in template_reads(source)] == expected


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("", False),
        (" \n{# x #}\n", False),
        ("{% if a %} {% endif %}", False),
        ("{{ a }}", True),
        ("a", True),
        ("{{", True),
    ],
)
def test_whether_a_template_says_anything(source, says):
    assert has_text(source) is says
