"""What does not parse in a prompt: each mistake once, at its word, in words of our own."""

import pytest

from maestro_dsl.diagnostics import MOST
from maestro_dsl.lang.expressions import parse
from maestro_dsl.lang.template_reads import template_reads
from maestro_dsl.lang.templates import check_prompt, render_prompt

FILTERS = "write a filter behind |: abs, "
ENDS = "the expression ends too early"
END_HERE = "the expression should end here"
JOIN = "join two values with an operator"
NOT_HERE = "is not part of prompt templates"

# template, and for each mistake: the word, the message, the beginning of the help
CASES = [
    ("{{ a b }}", [("b", END_HERE, JOIN)]),
    ("{{ a", [("{{", "this {{ has no matching }}", "write }} where it ends")]),
    ("{% if a", [("{%", "this {% has no matching %}", "write %} where it ends")]),
    ("{# a", [("{#", "this {# has no matching #}", "write #} where it ends")]),
    ("{% raw %} a", [("{% raw %}", "this {% raw %} has no matching {% endraw %}", "write {% endraw %}")]),
    ("{{ a }\nand {{ b c }}", [("{{", "this {{ has no matching }}", "write }}"), ("c", END_HERE, JOIN)]),
    ("{{ }}", [(" ", "an expression is expected here", "write what should stand here")]),
    ("{{ {{ a }} }}", [("{{", "an expression already stands here", "write {{ }} once")]),
    ("{{ a. }}", [(".", ENDS, "write the name of a key behind the dot")]),
    ("{{ a | }}", [("|", ENDS, FILTERS)]),
    ("{{ a | 3 }}", [("3", "a filter is expected here", FILTERS)]),
    ("{{ a || b }}", [("|", "a filter is expected here", "write or for one of two")]),
    ("{{ a && b }}", [("&&", '"&&" is not part of an expression', "write and")]),
    ("{{ !a }}", [("!", '"!" is not part of an expression', "write not, or != to compare")]),
    ("{{ a ? b }}", [("?", '"?" is not part of an expression', "write A if CONDITION else B")]),
    ("{{ a is }}", [("is", ENDS, "write a test behind is: boolean")]),
    ("{{ a is b is c }}", [("is", "a second test stands here", "join two tests with and")]),
    ("{{ a = b }}", [("=", END_HERE, "write == to compare")]),
    ("{{ a === b }}", [("=", 'a value is expected here, and "=" is none', "write == to compare")]),
    ("{{ a <> b }}", [(">", 'a value is expected here, and ">" is none', "write != for other than")]),
    ("{{ 'a }}", [("'", "this quote is never closed", "write ' at the end")]),
    ("{{ a ) }}", [(")", 'this ")" closes nothing', "take it away")]),
    ("{{ (a] }}", [("]", 'this "]" does not close the "(" before it', 'close that with ")" first')]),
    ("{{ [a b] }}", [("b", 'a comma or "]" is expected here', JOIN)]),
    ("{{ {'a' b} }}", [("b", "a : is expected here, between a key and its value", '{"key": value}')]),
    ("{{ a[] }}", [("[", "nothing stands between [ and ]", "write a key or a number")]),
    ("{{ '\\x' }}", [("'\\x'", "this text has an escape that is none", "write \\\\ for one")]),
    ("{{ range(a=1, 2) }}", [("(", "the arguments cannot stand like this", "those without a name")]),
    ("{{ a.upper() }}", [("(", "only range(…) can be called", "use a filter")]),
    ("{{ a | uper }}", [("uper", "there is no filter uper", "did you mean upper? filters: ")]),
    ("{% filter uper %}a{% endfilter %}", [("uper", "there is no filter uper", "did you mean upper?")]),
    ("{{ a if b is numbr }}", [("numbr", "there is no test numbr", "did you mean number? tests: ")]),
    ("{{ _a }}", [("_a", "names that start with _ cannot be read: _a", None)]),
    ("{% %}", [("%", "the name of a tag is expected here", "tags: if, for, set")]),
    ("{% fro a in b %}{% endfor %}", [("fro", "there is no tag fro", "did you mean for? tags: ")]),
    ("{% if a %}{% elseif b %}{% edif %}", [
        ("elseif", "there is no tag elseif", "did you mean elif?"),
        ("edif", "there is no tag edif", "did you mean endif?"),
    ]),
    ("{% if a %}b", [("if", "this {% if %} has no {% endif %}", "write {% endif %} where it ends")]),
    ("{% endif %}", [("endif", "this endif closes nothing", "take it away, or write {% if")]),
    ("{% if a %}{% endfor %}", [("endfor", "endfor does not close {% if %}", "write {% endif %}")]),
    ("{% for a in b %}{% if c %}{% endfor %}{% endif %}", [("if", "this {% if %} has no {% endif %}", "")]),
    ("{% else %}", [("else", "this else stands in no {% if %} or {% for %}", "")]),
    ("{% if a %}{% else %}{% else %}{% endif %}", [("else", "the else of this if stands before it", "")]),
    ("{% if a %}{% else if b %}{% endif %}", [("if", "else takes nothing", "write {% elif CONDITION %}")]),
    ("{% if %}{% endif %}", [("if", "{% if %} ends too early", "{% if CONDITION %}")]),
    ("{% if a }}b{% endif %}", [("}}", "this }} does not close {%", "write %}")]),
    ("{{ a %}", [("%}", "this %} does not close {{", "write }}")]),
    ("{% for a b %}{% endfor %}", [("b", "in is expected here", "write {% for ITEM in LIST %}")]),
    ("{% for loop in a %}{% endfor %}", [("loop", "loop is the loop's own name", "use another name")]),
    ("{% for a in b recursive %}{% endfor %}", [("for", f"recursive loops are {NOT_HERE[3:]}", "write one")]),
    ("{% set 1 = 2 %}", [("1", "1 cannot be given a value", "use a name of your own")]),
    ("{% set a = %}", [("=", ENDS, "write a value behind =")]),
    ("{% set %}", [("set", "{% set %} ends too early", "{% set NAME = VALUE %}")]),
    ("{% with a 1 %}{% endwith %}", [("1", "= is expected here", "write {% with NAME = VALUE %}")]),
    ("{% macro m() %}{% endmacro %}", [("macro", f"macro {NOT_HERE}", "tags: ")]),
    ("{% include 'x' %}{{ a b }}", [("include", f"include {NOT_HERE}", "tags: "), ("b", END_HERE, JOIN)]),
    ("{% autoescape true %}{% endautoescape %}", [("autoescape", f"autoescape {NOT_HERE}", "tags: ")]),
    ("{% nonsense %}", [("nonsense", "there is no tag nonsense", "tags: ")]),
]  # fmt: skip


@pytest.mark.parametrize(("source", "expected"), CASES, ids=[source for source, _ in CASES])
def test_each_mistake_is_said_once_at_its_word(source, expected):
    found = [(source[item.start : item.end], item.message, item.help) for item in check_prompt(source)]
    assert [item[:2] for item in found] == [item[:2] for item in expected]
    for (_, _, hint), (_, _, wanted) in zip(found, expected, strict=True):
        assert (hint or "").startswith(wanted or "")


def test_marks_that_strip_space_leave_places_as_they_are():
    source = "You are\n  {%- if persona.id -%}  {{ persona.nmae }} {%- endif -%} {{ a b }}"
    (problem,) = check_prompt(source)
    assert source[problem.start : problem.end] == "b"
    source = source.replace("a b", "a")
    (read,) = [item for item in template_reads(source) if item.path[-1] == "nmae"]
    assert source[read.start :].startswith("nmae")


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("a and", "and", ENDS, "write a value behind and"),
        ("(a", "a", ENDS, 'close the "(" with ")"'),
        ("a is not", "not", ENDS, "write a test behind is not: "),
        ("a ; b", ";", END_HERE, "one expression stands here"),
        ("$a", "$", '"$" is not part of an expression', "names stand without $"),
        ("a if", "if", ENDS, "write a condition behind if"),
        ("a[]", "[", "nothing stands between [ and ]", "write a key"),
    ],
)
def test_expressions_of_documents_use_the_same_words(text, place, message, hint):
    found = parse(text)
    assert (text[found.start : found.end], found.message) == (place, message)
    assert found.help.startswith(hint)


def test_a_template_that_cannot_be_written_says_in_which_line():
    with pytest.raises(Exception, match="line 2: the expression should end here") as raised:
        render_prompt("a\n{{ a b }}", {})
    assert raised.value.line == 2
    with pytest.raises(Exception, match="takes numbers only") as raised:
        render_prompt("a\n\n{{ 'x' * 9 }}", {})
    assert raised.value.line == 3


def test_no_more_is_looked_for_than_is_told():
    assert MOST < len(check_prompt("{{ a b }}\n" * 2000)) <= MOST + 3
