import contextlib

from hypothesis import given
from hypothesis import strategies as st

from maestro_dsl.lang.expression_check import check_condition, check_text
from maestro_dsl.lang.expression_types import BOOLEAN, STRING, list_of, record
from maestro_dsl.lang.expressions import Expression, ExpressionError, evaluate, parse, parse_text, render

WORDS = [
    "a",
    "a.b",
    "names",
    "1",
    "1.5",
    "'x'",
    "true",
    "none",
    "+",
    "-",
    "*",
    "**",
    "/",
    "%",
    "~",
    "==",
    "<",
    "in",
    "and",
    "or",
    "not",
    "is",
    "if",
    "else",
    "|",
    "length",
    "join",
    "upper",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ":",
    ",",
    ".",
    "range",
    "{{",
    "}}",
    "_x",
    "defined",
    "map",
]
TEXTS = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join))
TYPES = {"a": record({"b": BOOLEAN}), "names": list_of(STRING)}
VALUES = {"a": {"b": True}, "names": ["n", "m"]}


@given(TEXTS)
def test_any_text_is_parsed_checked_and_evaluated_without_a_crash(text):
    parsed = parse(text)
    if not isinstance(parsed, Expression):
        assert 0 <= parsed.start <= parsed.end <= max(len(text), 1)
        return
    for problem in check_condition(parsed, TYPES):
        assert 0 <= problem.start <= problem.end <= len(text) + 1
    with contextlib.suppress(ExpressionError):
        evaluate(parsed, VALUES)


@given(TEXTS, TEXTS)
def test_any_string_is_rendered_or_refused(before, inside):
    text = before + "{{" + inside + "}}"
    parsed = parse_text(text)
    if hasattr(parsed, "parts"):
        check_text(parsed, TYPES)
    with contextlib.suppress(ExpressionError):
        render(text, VALUES)


@given(st.text(max_size=30).filter(lambda text: "{{" not in text))
def test_a_string_without_braces_is_itself(text):
    assert render(text, {}) == text
