import pytest

from maestro_dsl.lang.expression_check import check_condition, check_text
from maestro_dsl.lang.expression_types import (
    BOOLEAN,
    INTEGER,
    STRING,
    UNTYPED,
    list_of,
    mapping_of,
    record,
    type_of_schema,
)
from maestro_dsl.lang.expressions import ExpressionError, Problem, evaluate, parse, parse_text, render

CONTRACT = record({"id": STRING, "mock_available": BOOLEAN, "size": INTEGER}, "a contract")
CONTEXT = {
    "contract": CONTRACT,
    "contracts": mapping_of(CONTRACT),
    "loose": UNTYPED,
    "names": list_of(STRING),
}


def problems(text):
    return [
        (item.code, text[item.start : item.end], item.message, item.help)
        for item in check_condition(parse(text), CONTEXT)
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.b[0]", 1),
        ("a.b | length == 2", True),
        ("'x' ~ 1 ~ true", "x1true"),
        ("range(3) | list", [0, 1, 2]),
        ("a.b | map('string') | join('-')", "1-2"),
        ("{'k': a.b}.k", [1, 2]),
        ("a.missing | default('none')", "none"),
        ("2 ** 10", 1024),
    ],
)
def test_an_expression_gives_plain_data(text, value):
    assert evaluate(parse(text), {"a": {"b": [1, 2]}}) == value


@pytest.mark.parametrize(
    "text",
    [
        "'a' * 10 ** 9",
        "9 ** 9 ** 9 ** 9",
        "range(10 ** 9) | list",
        "'%s' % 3",
        "[1] * 9",
        "a['__class__']",
        "'a' | replace('', big)",
        "big | join(big)",
        "big ~ big",
        "1 / 0",
        "1e308 * 10",
        "1.5 | round(10 ** 9)",
        "missing",
        "a.b.c",
        "names | map('attr', '__class__') | list",
        "names | map(attribute='__class__') | list",
    ],
)
def test_what_is_dangerous_or_undefined_is_an_error_and_no_more(text):
    with pytest.raises(ExpressionError):
        evaluate(parse(text), {"a": {}, "big": "x" * 900_000, "names": ["n"]})


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a b", "b", "the expression should end here"),
        ("a.__class__", "__class__", "names that start with _ cannot be read: __class__"),
        ("a | uper", "uper", "there is no filter uper"),
        ("a is numbr", "numbr", "there is no test numbr"),
        ("a ? b", "?", '"?" is not part of an expression'),
        ("a and (b or", "or", "the expression ends too early"),
        ("''.format(a)", "''", "only range(…) can be called"),
        ("(" * 500, "(", "the expression is nested too deeply"),
    ],
)
def test_a_syntax_error_points_at_the_mistake(text, place, message):
    found = parse(text)
    assert isinstance(found, Problem)
    assert (found.code, text[found.start : found.end], found.message) == ("EXP001", place, message)


def test_braces_around_a_condition_are_named_and_mended():
    found = parse("  {{ contract.mock_available }} ")
    assert (found.code, found.replacement) == ("EXP005", "contract.mock_available")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("contract.mock_available", []),
        ("contract.size > 1 and not contract.mock_available", []),
        ("contracts | values | selectattr('mock_available') | list | length > 0", []),
        (
            "contract.mock_availabel",
            [
                (
                    "EXP002",
                    "mock_availabel",
                    "mock_availabel is not defined in contract",
                    "did you mean mock_available? known here: id, mock_available, size",
                )
            ],
        ),
        (
            "contrct.id == 'a'",
            [
                (
                    "EXP002",
                    "contrct",
                    "contrct is not defined here",
                    "did you mean contract? known here: contract, contracts, loose, names",
                )
            ],
        ),
        (
            "contract.id",
            [
                (
                    "EXP003",
                    "contract.id",
                    "a condition must be true or false; this is a string",
                    "compare it, for example: contract.id == 'value'",
                )
            ],
        ),
        ("loose", [("EXP003", "loose", "loose has no type", "state its type where it is declared")]),
        ("contract.id[1:] == 'a' and names[:contract.size] | length > 0", []),
        (
            "contract.id[loose.a:] == 'a'",
            [("EXP003", "loose", "loose has no type", "state its type where it is declared")],
        ),
        ("contract.id['a':] == ''", [("EXP003", "'a'", "a slice takes integers, not a string", None)]),
        (
            "contract[1:] == ''",
            [("EXP003", "contract", "a contract cannot be cut into slices", None)],
        ),
        (
            "contract.size == 'one'",
            [("EXP003", "'one'", "an integer never equals a string", None)],
        ),
    ],
)
def test_types_are_checked_without_evaluating(text, expected):
    assert problems(text) == expected


def test_offsets_in_a_text_are_those_of_the_whole_string():
    text = "id {{ contract.id }} of {{ contract.nam }}"
    _, found = check_text(parse_text(text), CONTEXT)
    assert [text[item.start : item.end] for item in found] == ["nam"]


def test_a_whole_string_keeps_its_type_and_a_mixed_one_is_text():
    assert render("{{ a }}", {"a": [1, True]}) == [1, True]
    assert render("n={{ a }}", {"a": 3}) == "n=3"
    with pytest.raises(ExpressionError, match="a list cannot stand inside a text"):
        render("n={{ a }}", {"a": []})


def test_a_result_is_never_rendered_again():
    assert render("{{ a }}!", {"a": "{{ b }}"}) == "{{ b }}!"


def test_braces_in_strings_do_not_end_an_expression():
    assert render("{{ '}}' }} and {{ {'a': {'b': 1}}.a.b }}", {}) == "}} and 1"


def test_types_come_from_json_schema():
    assert type_of_schema({"type": "array", "items": {"type": "string"}}) == list_of(STRING)
    assert type_of_schema({"enum": ["a", "b"]}) == STRING
    assert type_of_schema({}) == UNTYPED
