import pytest

from maestro_dsl.diagnostics import Edit, Span
from maestro_dsl.lang.edits import Claims, EditConflict, apply_edits, decode, respell


def edit(line, column, end_line, end_column, text):
    return Edit(span=Span("f", line, column, end_line, end_column), replacement=text)


def test_edits_speak_of_the_text_as_it_was():
    edits = [edit(1, 1, 1, 2, "XX"), edit(2, 1, 2, 1, "new "), edit(2, 2, 3, 1, "")]
    assert apply_edits("ab\ncd\nef\n", edits) == "XXb\nnew cef\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_columns_are_code_points_and_line_ends_stay(end):
    text = f"имя: \U0001f600x{end}b: y{end}"
    changed = apply_edits(text, [edit(1, 6, 1, 7, "z"), edit(2, 4, 2, 5, "w")])
    assert changed == f"имя: zx{end}b: w{end}"


def test_equal_edits_count_once():
    assert apply_edits("abc", [edit(1, 1, 1, 2, "x"), edit(1, 1, 1, 2, "x")]) == "xbc"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (edit(1, 1, 1, 3, "x"), edit(1, 2, 1, 4, "y")),
        (edit(1, 2, 1, 2, "x"), edit(1, 2, 1, 2, "y")),
        (edit(1, 2, 1, 2, "x"), edit(1, 1, 1, 2, "y")),
        (edit(1, 1, 1, 2, "x"), edit(1, 1, 1, 2, "y")),
    ],
)
def test_overlaps_are_refused(one, other):
    for edits in ([one, other], [other, one]):
        with pytest.raises(EditConflict, match="overlap"):
            apply_edits("abcd", edits)


@pytest.mark.parametrize("place", [(0, 1, 1, 1), (1, 9, 1, 9), (3, 1, 3, 1), (1, 2, 1, 1)])
def test_places_that_the_text_does_not_have(place):
    with pytest.raises(EditConflict):
        apply_edits("ab\nc", [edit(*place, "x")])


def test_a_fix_is_taken_whole_or_not_at_all():
    claims = Claims("abcdef")
    assert claims.claim([edit(1, 1, 1, 2, "x"), edit(1, 4, 1, 5, "y")])
    assert not claims.claim([edit(1, 2, 1, 3, "q"), edit(1, 4, 1, 6, "z")])
    assert claims.result() == "xbcyef"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_mark_and_encoding_outlive_an_edit(encoding):
    text = "id: é\r\n"
    encoded = decode(text.encode(encoding))
    assert encoded.text == text
    assert encoded.encode(text) == text.encode(encoding)


@pytest.mark.parametrize(
    ("raw", "word", "after"),
    [
        ("old", "new", "new"),
        ('"old"', "new", '"new"'),
        ("'old'", "it's", "'it''s'"),
        ("old", "yes", '"yes"'),
        ('"o\\"d"', 'a"b', '"a\\"b"'),
    ],
)
def test_a_word_is_put_into_the_quotes_that_stand_there(raw, word, after):
    text = f"k: {raw}  # c\n"
    assert apply_edits(text, [respell(text, Span("f", 1, 4, 1, 4 + len(raw)), word)]) == f"k: {after}  # c\n"
