from __future__ import annotations

import pytest

from maestro_dsl.storage.watermarks import Watermarks


def test_the_last_note_counts_and_outlives_the_writer(tmp_path):
    marks = Watermarks(tmp_path)
    assert marks.reached("r") is None
    for seq in (0, 9, 1_000_000):
        marks.note("r", seq)
    marks.close()
    assert Watermarks(tmp_path).reached("r") == 1_000_000
    assert Watermarks(tmp_path).reached("other") is None


@pytest.mark.parametrize("content", [b"", b"x", b"00000000000000000009 00000000\n", b"9\n"])
def test_an_illegible_mark_claims_nothing(tmp_path, content):
    Watermarks(tmp_path).note("r", 5)
    next((tmp_path / "watermarks").iterdir()).write_bytes(content)
    assert Watermarks(tmp_path).reached("r") is None


def test_a_forgotten_mark_is_gone(tmp_path):
    marks = Watermarks(tmp_path)
    marks.note("r", 5)
    marks.forget("r")
    marks.forget("r")
    assert list((tmp_path / "watermarks").iterdir()) == []


def test_a_mark_that_cannot_be_written_stops_nothing(tmp_path):
    (tmp_path / "watermarks").write_text("a file in the way")
    marks = Watermarks(tmp_path)
    marks.note("r", 5)
    assert marks.reached("r") is None
