import itertools
import re

from hypothesis import given
from hypothesis import strategies as st

from maestro_dsl.lang.patterns import glob_match, globs_overlap

PIECES = ["a", "b", "*", "?", "[ab]", "[!a]", "ab*", "*b"]
GLOBS = st.lists(st.sampled_from([*PIECES, "**"]), min_size=1, max_size=3).map("/".join)
NAMES = ["".join(name) for size in (1, 2) for name in itertools.product("abc", repeat=size)]
PATHS = [
    "/".join(path)
    for size, names in ((1, NAMES), (2, NAMES), (3, ["a", "b", "c"]))
    for path in itertools.product(names, repeat=size)
]


def by_regex(glob, path):
    """Translate by hand, the slow and obvious way."""
    pattern = ""
    names = glob.split("/")
    for index, name in enumerate(names):
        last = index == len(names) - 1
        if name == "**":
            pattern += ".+" if last else "(?:[^/]+/)*"
            continue
        pattern += name.replace("[!", "[^").replace("*", "[^/]*").replace("?", "[^/]") + ("" if last else "/")
    return re.fullmatch(pattern, path) is not None


@given(GLOBS)
def test_matching_agrees_with_a_regular_expression(glob):
    assert [path for path in PATHS if glob_match(glob, path)] == [p for p in PATHS if by_regex(glob, p)]


@given(GLOBS, GLOBS)
def test_overlap_agrees_with_trying_paths(left, right):
    common = any(by_regex(left, path) and by_regex(right, path) for path in PATHS)
    assert globs_overlap(left, right) == globs_overlap(right, left)
    if common:
        assert globs_overlap(left, right)
    elif "**" not in left and "**" not in right and left.count("/") < 2:
        assert not globs_overlap(left, right)


@given(st.text("ab*?[]!-/", max_size=8), st.text("ab*?[]!-/", max_size=8))
def test_any_text_is_a_glob(left, right):
    assert globs_overlap(left, right) in {True, False}
    assert glob_match(left, right or "a") in {True, False}
