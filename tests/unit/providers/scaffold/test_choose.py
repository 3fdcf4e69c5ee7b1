import pytest
from support.scaffold import TODO_SPEC, task

from maestro_dsl.providers.scaffold.choose import Impossible, Target, choose

SPEC = TODO_SPEC.read_bytes()
PAGE = ("*.html", "*.js", "*.css", "*.py")


@pytest.mark.parametrize(
    ("made", "target"),
    [
        (task(globs=("*.py",), spec=SPEC), Target.SERVICE),
        (task(globs=PAGE, spec=SPEC, role="consumes"), Target.PAGE),
        (task(globs=("test_*.py",), spec=SPEC, role="consumes"), Target.TESTS),
        (task(globs=("*.py",), spec=SPEC, role="consumes", name="acceptance_tests"), Target.TESTS),
        (task(globs=("*.py",), name="shortest_path"), Target.ALGORITHM),
        (task(globs=("*.py",), requirement="An LRU cache for our pages"), Target.ALGORITHM),
    ],
)
def test_the_table(made, target):
    choice = choose(made)
    assert choice.target is target
    assert choice.why


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (task(globs=("*.graphql",), spec=b"x", spec_type="graphql"), "not for graphql"),
        (task(globs=("*.md",), spec=SPEC, role="consumes"), r"its globs are \*\.md"),
        (task(globs=("*.py",), requirement="Prove that P is not NP"), "shortest_path, lru_cache"),
    ],
)
def test_what_fits_no_row_says_what_would(made, message):
    with pytest.raises(Impossible, match=message):
        choose(made)
