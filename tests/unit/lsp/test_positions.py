import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol.types import Position
from support.desk import changed

from maestro_dsl.diagnostics import Span
from maestro_dsl.lsp.positions import Positions, lines_in

TEXT = "a: é\r\nb: 🎼x\rc: \u2028y\n"


def test_lines_break_where_yaml_breaks_them():
    assert lines_in(TEXT) == ["a: é", "b: 🎼x", "c: \u2028y", ""]


@pytest.mark.parametrize(
    ("encoding", "line", "column", "character"),
    [
        ("utf-8", 1, 5, 5), ("utf-8", 2, 5, 7), ("utf-8", 3, 5, 6),
        ("utf-16", 1, 5, 4), ("utf-16", 2, 5, 5), ("utf-16", 3, 5, 4),
        ("utf-32", 1, 5, 4), ("utf-32", 2, 5, 4), ("utf-32", 3, 5, 4),
    ],
)  # fmt: skip
def test_columns_are_counted_in_the_agreed_units_and_back(encoding, line, column, character):
    places = Positions(TEXT, encoding)
    assert places.position(line, column) == Position(line=line - 1, character=character)
    assert places.column(Position(line=line - 1, character=character)) == column - 1


def test_places_outside_of_the_text_are_the_nearest_inside():
    places = Positions(TEXT)
    assert places.column(Position(line=1, character=99)) == len("b: 🎼x")
    assert places.column(Position(line=99, character=3)) == 0
    assert places.position(99, 7) == Position(line=98, character=0)


def test_a_span_becomes_a_range():
    found = Positions(TEXT).range(Span("x", 2, 4, 2, 6))
    assert (found.start.character, found.end.character) == (3, 6)


def test_the_whole_text_ends_with_its_last_line():
    assert Positions("a\nbc").whole().end == Position(line=1, character=2)


@given(*[st.lists(st.sampled_from(["a", "bb", "", "c"])).map("\n".join)] * 2)
def test_edits_make_the_other_text_and_leave_equal_lines(before, after):
    made = [
        {
            "range": {
                end: {"line": place.line, "character": place.character}
                for end, place in (("start", edit.range.start), ("end", edit.range.end))
            },
            "newText": edit.new_text,
        }
        for edit in Positions(before).edits_to(after)
    ]
    assert changed(before, made) == after
    assert (made == []) == (before == after)


def test_one_line_of_many_is_one_edit_of_that_line():
    lines = [f"key_{number}: 1\r\n" for number in range(5_000)]
    (edit,) = Positions("".join(lines)).edits_to("".join([*lines[:7], "other: 2\r\n", *lines[8:]]))
    assert (edit.range.start.line, edit.range.end.line, edit.new_text) == (7, 8, "other: 2\r\n")


def test_a_text_that_is_all_new_is_one_edit():
    before, after = ("".join(f"{letter}{number}\n" for number in range(3_000)) for letter in "ab")
    (edit,) = Positions(before).edits_to(after)
    assert (edit.range.start.line, edit.range.end.line, edit.new_text) == (0, 3_000, after)
