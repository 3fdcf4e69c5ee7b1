import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_dsl.reporters import text


@given(st.text())
def test_safe_text_holds_nothing_that_steers_a_terminal(value):
    shown = text.safe(value)
    allowed = set("\u200c\u200d\ufe0f")
    assert all(char.isprintable() or unicodedata.category(char) == "Zs" or char in allowed for char in shown)
    assert text.safe(shown) == shown


@given(st.text(), st.integers(min_value=2, max_value=40))
def test_cut_text_fits(value, width):
    shown = text.safe(value)
    assert text.cells(text.cut(shown, width)) <= width
    assert text.cells(text.cut_middle(shown, width)) <= width


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "unknown"),
        (0.04, "0.0 s"),
        (1, "1 s"),
        (59.6, "1m"),
        (185, "3m 05s"),
        (8100, "2h 15m"),
        (3600, "1h"),
    ],
)
def test_durations(seconds, shown):
    assert text.duration(seconds) == shown


@pytest.mark.parametrize(
    ("count", "shown"), [(None, "unknown"), (999, "999"), (12_400, "12.4k"), (999_960, "1.0M")]
)
def test_tokens(count, shown):
    assert text.tokens(count) == shown


def test_tables_align_wide_characters():
    assert text.table([("漢", "a"), ("xyz", "b")], indent=0) == ["漢   a", "xyz  b"]


def test_cut_middle_keeps_both_ends():
    assert text.cut_middle("recheck[backend_api/build[web_app]]", 21) == "recheck[ba…[web_app]]"
