"""Real documents with changes planted into them: what breaks is found where it is, nothing else is."""

import copy
import os
import random
from datetime import date

import pytest
from support.api_changes import (
    BREAKING,
    HARMLESS_BACKWARDS,
    SAFE,
    Place,
    as_31,
    operations,
    renamed,
    reordered,
    shuffled_values,
)

from maestro_dsl.interfaces.changes import Level
from maestro_dsl.interfaces.openapi.diff.compare import compare
from maestro_dsl.lang.source import Profile, load

pytestmark = pytest.mark.needs_data

SMALL = (
    "camara-sim-swap-subscriptions.yaml",
    "oai-petstore-expanded.yaml",
    "oai-tictactoe-31.yaml",
    "oai-uspto.yaml",
    "readme-discriminators.json",
    "readme-parameters-style-31.yaml",
    "readme-security-31.yaml",
    "redocly-museum-31.yaml",
    "swagger-petstore.yaml",
)
LARGE = ("box.json", "meilisearch.json", "spotify-web-api.yml")
ALL = os.environ.get("MAESTRO_TEST_ALL_CHANGES") == "1"
"""Every operator on every document, several places each: minutes instead of seconds."""
PLACES = 3 if ALL else 1
EMPTY = load("{}", "x.yaml").map


@pytest.fixture(scope="module")
def documents(shared_data):
    folder = shared_data / "openapi"
    if not folder.is_dir():
        pytest.skip(f"real documents are absent: {folder}")
    return {
        name: load((folder / name).read_bytes(), name, profile=Profile.INTERFACE).data
        for name in (*SMALL, *LARGE)
    }


def changes(old, new):
    return compare(old, new, (EMPTY, EMPTY), today=date(2026, 1, 1)).changes


def breaking(found):
    return {item.operation for item in found if item.level is Level.BREAKING}


def planted(document, name, operator, times):
    """The document with one change, and the operation it is in, for up to `times` operations."""
    chance = random.Random(name)
    listed = list(operations(document))
    for path, method in chance.sample(listed, min(len(listed), 60 if ALL else 12)):
        if times == 0:
            return
        changed = copy.deepcopy(document)
        if operator(Place(changed, path, method), chance):
            times -= 1
            yield changed, f"{method.upper()} {path}"


@pytest.mark.parametrize("name", [*SMALL, *LARGE])
def test_the_same_in_other_words_is_no_change(documents, name):
    document, chance = documents[name], random.Random(name)
    same = [reordered(document, chance)]
    if name in SMALL or ALL:
        same += [copy.deepcopy(document), shuffled_values(document, chance), renamed(document)]
        same += [as_31(document)] if document["openapi"].startswith("3.0") else []
    for other in same:
        assert changes(document, other) == ()


@pytest.mark.parametrize("name", SMALL if not ALL else (*SMALL, *LARGE))
def test_what_breaks_is_found_at_its_operation(documents, name):
    missed, count = [], 0
    for title, operator in BREAKING.items():
        for changed, label in planted(documents[name], title, operator, PLACES):
            count += 1
            found = changes(documents[name], changed)
            if breaking(found) != {label}:
                missed.append(f"{title} in {label}: {[(item.id, item.operation) for item in found]}")
            backwards = breaking(changes(changed, documents[name]))
            if title in HARMLESS_BACKWARDS and backwards:
                missed.append(f"{title} in {label} backwards: {backwards}")
    assert not missed, "\n".join(missed)
    assert count >= 5


@pytest.mark.parametrize("name", SMALL if not ALL else (*SMALL, *LARGE))
def test_what_is_safe_breaks_nothing(documents, name):
    wrong = []
    for title, operator in SAFE.items():
        for changed, label in planted(documents[name], title, operator, PLACES):
            found = changes(documents[name], changed)
            if breaking(found):
                wrong.append(f"{title} in {label}: {[(item.id, item.operation) for item in found]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", LARGE if ALL else LARGE[1:])
def test_large_documents_too(documents, name):
    for title in ("require_parameter", "retype_answer_property", "remove_success"):
        for changed, label in planted(documents[name], title, BREAKING[title], 1):
            assert breaking(changes(documents[name], changed)) == {label}
    for changed, _ in planted(documents[name], "relax_parameter", SAFE["relax_parameter"], 1):
        assert not breaking(changes(documents[name], changed))
