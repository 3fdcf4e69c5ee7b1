import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_dsl.providers.envelope import pack, path_problem, unpack

PATHS = st.from_regex(r"[a-z][a-z0-9_]{0,8}(/[a-z][a-z0-9_]{0,8}){0,2}\.[a-z]{1,3}", fullmatch=True)
CONTENT = st.text(st.characters(exclude_categories=["Cs"])).map(
    lambda t: t if not t or t.endswith("\n") else t + "\n"
)


@given(st.dictionaries(PATHS, CONTENT, min_size=1, max_size=5))
def test_what_is_packed_comes_out_again(files):
    assert unpack(pack(files)) == (files, ())


def test_content_that_looks_like_a_marker_is_carried():
    files = {"a.txt": "=== end ===\n==== end ====\n=== file: b ===\n"}
    assert unpack(pack(files)) == (files, ())


def test_talk_around_files_is_ignored():
    text = "Here you are:\n=== file: a.py ===\nx = 1\n=== end ===\nAnything else?\n"
    assert unpack(text) == ({"a.py": "x = 1\n"}, ())


def test_an_answer_that_was_cut_off_says_so():
    files, problems = unpack("=== file: a.py ===\nx = 1\n")
    assert files == {}
    assert problems == ('the file "a.py" has no end marker; the answer was cut off',)


def test_no_file_at_all_is_a_problem():
    assert unpack("I cannot do that.") == ({}, ("the answer holds no file",))


def test_a_file_that_stands_twice_is_a_problem():
    block = "=== file: a.py ===\nx\n=== end ===\n"
    assert unpack(block * 2)[1] == ('the path "a.py" cannot be used: it stands twice in the answer',)


@pytest.mark.parametrize(
    "path",
    [
        "../a",
        "/etc/passwd",
        "a/../b",
        "a//b",
        "./a",
        ".maestro/manifest.json",
        "a\\b",
        "C:a",
        "a\x00b",
        "",
        "a" * 300,
    ],
)
def test_unsafe_paths_are_refused(path):
    assert path_problem(path) is not None


@given(st.text(max_size=300))
def test_any_text_is_taken_apart_without_an_exception(text):
    files, problems = unpack(text)
    assert files or problems
