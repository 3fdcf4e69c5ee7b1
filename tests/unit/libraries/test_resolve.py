"""One version of every library that suits all who ask, or who asks for what."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_dsl.errors import CompileError
from maestro_dsl.lang.units import is_in_range
from maestro_dsl.libraries.candidates import Candidate
from maestro_dsl.libraries.manifest import core_version
from maestro_dsl.libraries.resolve import resolve
from maestro_dsl.libraries.sources import GitSource, LocalSource, Stated, parse_stated

COMMIT = "1" * 40


class Shop:
    """A catalogue in memory: name → version → what it requires."""

    def __init__(self, **libraries):
        self.libraries = {name.replace("_", "-"): versions for name, versions in libraries.items()}
        self.refused = {}
        self.looked_at = []

    def versions(self, name, source, fits):
        for version in sorted(self.libraries.get(name, {}), reverse=True):
            if fits(version):
                self.looked_at.append((name, version))
                yield Candidate(
                    name=name, version=version, source=source, requires=self.libraries[name][version]
                )

    def at(self, name, source, commit):
        found = [
            self.libraries[name][version] for version in self.libraries.get(name, {}) if commit == COMMIT
        ]
        if not found:
            return None
        return Candidate(name=name, version="0.1.0", source=source, commit=commit, requires=found[0])


def ask(catalogue, **wanted):
    stated = {name.replace("_", "-"): text for name, text in wanted.items()}
    asked = {
        name: parse_stated(
            text if ":" in text or text.startswith(".") else f"git+https://x.org/{name}@{text}"
        )
        for name, text in stated.items()
    }
    return {item.name: item.version for item in resolve(asked, catalogue)}


def problem(catalogue, **wanted):
    with pytest.raises(CompileError) as caught:
        ask(catalogue, **wanted)
    return caught.value.message, caught.value.hint


def test_the_newest_that_fits_is_taken():
    shop = Shop(team={"1.0.0": {}, "1.4.0": {}, "2.0.0": {}})
    assert ask(shop, team="^1.0") == {"team": "1.4.0"}
    assert ask(shop, team="*") == {"team": "2.0.0"}
    assert ask(shop, team="1.0.0") == {"team": "1.0.0"}


def test_only_what_is_needed_is_looked_at():
    shop = Shop(team={f"1.{minor}.0": {} for minor in range(9)})
    ask(shop, team="^1.0")
    assert set(shop.looked_at) == {("team", "1.8.0")}


def test_what_is_required_comes_along_and_bounds_the_choice():
    base = "git+https://x.org/base@^1.0"
    shop = Shop(team={"1.0.0": {"base": base}}, base={"1.0.0": {}, "1.9.0": {}, "2.0.0": {}})
    assert ask(shop, team="^1.0") == {"base": "1.9.0", "team": "1.0.0"}
    assert ask(shop, team="^1.0", base=">=1,<1.5") == {"base": "1.0.0", "team": "1.0.0"}


def test_an_older_version_is_taken_where_the_newest_does_not_fit():
    shop = Shop(team={"1.0.0": {"base": "^1.0"}, "1.1.0": {"base": "^2.0"}}, base={"1.0.0": {}, "2.0.0": {}})
    assert ask(shop, team="^1.0", base="^1.0") == {"base": "1.0.0", "team": "1.0.0"}


def test_a_conflict_says_who_asks_for_what():
    shop = Shop(team={"1.2.0": {"base": "^2.0"}}, base={"1.0.0": {}, "2.0.0": {}})
    told, hint = problem(shop, team="^1.0", base="^1.0")
    assert told.splitlines() == [
        "no version of base suits all who ask for it (there are 2.0.0, 1.0.0):",
        "  maestro.yaml asks for ^1.0 of git+https://x.org/base",
        "  team 1.2.0 asks for ^2.0",
    ]
    assert hint == "widen a range, or update who asks"


def test_a_conflict_between_two_libraries_names_both():
    base = "git+https://x.org/base@"
    shop = Shop(
        one={"1.0.0": {"base": base + "^1.0"}},
        two={"1.0.0": {"base": base + "^2.0"}},
        base={"1.0.0": {}, "2.0.0": {}},
    )
    told, _ = problem(shop, one="^1", two="^1")
    assert "one 1.0.0 asks for ^1.0" in told
    assert "two 1.0.0 asks for ^2.0" in told


def test_a_range_that_nothing_meets_lists_what_there_is():
    told, _ = problem(Shop(team={"1.0.0": {}}), team="^3")
    assert "no version of team suits all who ask for it (there are 1.0.0):" in told


def test_a_library_without_a_source_is_told():
    told, hint = problem(Shop(team={"1.0.0": {"base": "^1.0"}}), team="^1.0")
    assert told.startswith("nobody says where the library base comes from:\n  team 1.0.0 asks for ^1.0")
    assert "maestro lib add" in hint


def test_two_sources_of_one_library_are_told_and_the_project_decides():
    shop = Shop(
        one={"1.0.0": {"base": "git+https://x.org/base@^1"}},
        two={"1.0.0": {"base": "git+https://y.org/base@^1"}},
        base={"1.0.0": {}},
    )
    told, hint = problem(shop, one="^1", two="^1")
    assert "the library base is said to come from two places:" in told
    assert "one 1.0.0 asks for ^1 of git+https://x.org/base" in told
    assert "choose one in maestro.yaml" in hint
    assert ask(shop, one="^1", two="^1", base="git+https://z.org/base@^1")["base"] == "1.0.0"


def test_core_is_built_in_and_never_among_what_is_chosen():
    assert ask(Shop(team={"1.0.0": {"core": f"^{core_version()}"}}), team="^1") == {"team": "1.0.0"}
    told, _ = problem(Shop(team={"1.0.0": {"core": "^99"}}), team="^1")
    assert f"the library core is {core_version()} here:\n  team 1.0.0 asks for ^99" in told


def test_a_commit_is_taken_as_it_is():
    shop = Shop(team={"1.0.0": {}})
    wanted = {"team": Stated(source=GitSource(url="https://x.org/team"), commit=COMMIT)}
    assert resolve(wanted, shop)[0].commit == COMMIT
    told, _ = problem(shop, team=f"git+https://x.org/team@{'2' * 40}")
    assert "asks for 2222" in told


def test_libraries_may_require_each_other():
    shop = Shop(one={"1.0.0": {"two": "^1"}}, two={"1.0.0": {"one": "^1"}})
    assert ask(shop, one="^1", two="^1") == {"one": "1.0.0", "two": "1.0.0"}


def test_a_folder_that_is_required_is_relative_to_who_requires_it():
    class Folders(Shop):
        def versions(self, name, source, fits):
            self.looked_at.append((name, str(source)))
            yield from (
                Candidate(name=item.name, version=item.version, source=source, requires=item.requires)
                for item in super().versions(name, source, fits)
            )

    shop = Folders(one={"1.0.0": {"two": "../two"}}, two={"1.0.0": {}})
    assert ask(shop, one="./libs/one") == {"one": "1.0.0", "two": "1.0.0"}
    assert ("two", "./libs/two") in shop.looked_at
    outside = Folders(one={"1.0.0": {"two": "../../../two"}}, two={"1.0.0": {}})
    assert resolve({"one": Stated(source=LocalSource(path="./libs/one"))}, outside)[1].source == LocalSource(
        path="../two"
    )


def test_a_folder_beside_a_repository_is_nowhere():
    told, _ = problem(Shop(one={"1.0.0": {"two": "../two"}}, two={"1.0.0": {}}), one="^1")
    assert "nobody says where the library two comes from" in told


NAMES = ("a", "b", "c")
RANGES = st.sampled_from(["^1", "^2", "*", ">=1.1.0", "<2", "1.1.0"])
VERSIONS = ("1.0.0", "1.1.0", "2.0.0")


@st.composite
def shops(draw):
    shop = {}
    for name in NAMES:
        others = [other for other in NAMES if other != name]
        versions = draw(st.sets(st.sampled_from(VERSIONS), min_size=1))
        shop[name] = {
            version: draw(st.dictionaries(st.sampled_from(others), RANGES, max_size=2))
            for version in sorted(versions)
        }
    return shop


def _is_met(wanted, text):
    return text == "*" or is_in_range(wanted, text)


def _solutions(shop, wanted):
    """Yield every choice of versions that suits everybody, by trying all."""
    for choice in product(*(shop[name] for name in NAMES)):
        chosen = dict(zip(NAMES, choice, strict=True))
        needs = [*wanted.items(), *(item for name in NAMES for item in shop[name][chosen[name]].items())]
        if all(_is_met(chosen[name], text) for name, text in needs):
            yield chosen


@settings(max_examples=30)
@given(shops(), st.fixed_dictionaries(dict.fromkeys(NAMES, RANGES)))
def test_a_choice_is_found_exactly_where_there_is_one(shop, wanted):
    every = list(_solutions(shop, wanted))
    try:
        found = ask(Shop(**shop), **wanted)
    except CompileError:
        found = None
    assert found in every if every else found is None
