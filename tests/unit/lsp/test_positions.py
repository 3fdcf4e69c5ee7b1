import pytest
from lsprotocol.types import Position

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
