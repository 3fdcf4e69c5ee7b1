"""Patterns that are compiled late are those of `re`."""

import re

from maestro_dsl.lang.late import pattern


def test_it_does_what_the_compiled_pattern_does():
    late, known = pattern(r"(?P<a>x+)y", re.IGNORECASE), re.compile(r"(?P<a>x+)y", re.IGNORECASE)
    for text in ("XXy", "zxy", ""):
        assert bool(late.fullmatch(text)) == bool(known.fullmatch(text))
        assert [match["a"] for match in late.finditer(text)] == [match["a"] for match in known.finditer(text)]
    assert late.pattern == known.pattern
    assert late.sub("-", "axyb") == "a-b"


def test_bytes_too():
    assert pattern(rb"a+").search(b"baab").span() == (1, 3)


def test_nothing_is_compiled_before_it_is_asked_for():
    late = pattern(r"(")
    assert not vars(late).keys() & {"search", "match"}
