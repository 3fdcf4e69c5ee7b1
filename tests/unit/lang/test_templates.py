import pytest

from maestro_dsl.lang.templates import ExpressionError, render_prompt


def test_a_prompt_has_blocks_loops_and_filters():
    source = "{% for x in items %}{{ loop.index }}:{{ x }}{% if not loop.last %}, {% endif %}{% endfor %}"
    assert render_prompt(source, {"items": ["a", "b"]}) == "1:a, 2:b"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ missing }}", "'missing' is undefined"),
        ("{% include 'x' %}", "line 1: include is not part of prompt templates"),
        ("ok\n{% macro m() %}{% endmacro %}", "line 2: macro is not part of prompt templates"),
        ("{{ a._x }}", "line 1: names that start with _ cannot be read: _x"),
        (
            "{% for a in range(999) %}{% for b in range(999) %}{% endfor %}{% endfor %}",
            "the loops of this prompt take more than 50,000 rounds",
        ),
        ("{{ 'x' * 99 }}", "the operator * takes numbers only"),
        ("{% for a in range(9) %}0123456789{% endfor %}", "the prompt would be longer than 64 bytes"),
    ],
)
def test_a_prompt_cannot_reach_out_or_grow_without_end(source, message):
    with pytest.raises(ExpressionError) as raised:
        render_prompt(source, {"a": {}}, max_bytes=64)
    assert str(raised.value).startswith(message)


def test_values_are_data_and_not_templates():
    assert render_prompt("{{ a }}", {"a": "{{ b }}{% if %}"}) == "{{ b }}{% if %}"
