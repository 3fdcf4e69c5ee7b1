"""What is kept of a stream: all of it up to the limit, else its beginning and its end around a mark."""

from __future__ import annotations

import pytest

from maestro_dsl.sandbox.runner import Captured


def kept(limit, *pieces):
    captured = Captured(limit=limit)
    for piece in pieces:
        captured.add(piece)
    return captured.text()


@pytest.mark.parametrize("size", [1, 3, 10])
def test_nothing_is_cut_up_to_the_limit(size):
    text = b"0123456789"
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    assert kept(10, *pieces) == "0123456789"


@pytest.mark.parametrize("size", [1, 4, 12])
def test_the_middle_goes_and_how_much_it_was_is_said(size):
    text = b"begin..end!!"
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    assert kept(9, *pieces) == "begi\n… 3 bytes were cut here …\nend!!"


def test_a_character_on_the_edge_is_replaced_and_never_an_error():
    assert kept(0, b"abc") == "\n… 3 bytes were cut here …\n"
    assert kept(2, "é".encode()) == "é"
    assert kept(2, "éxé".encode()).count("\ufffd") == 2
