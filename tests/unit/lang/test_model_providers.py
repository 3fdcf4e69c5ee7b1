"""Model providers are known to lint, so that a misspelt one is found where it stands."""

from pathlib import Path

import pytest

from maestro_dsl.app.wiring import make_provider
from maestro_dsl.errors import UsageError
from maestro_dsl.lang.model_providers import PROVIDERS, problem
from maestro_dsl.lang.settings import Overrides
from maestro_dsl.lang.workspace import load_documents, load_workspace

HEAD = "apiVersion: maestro/v1\nkind: "
PLAN = HEAD + "Plan\nid: demo\nblueprint: parallel-basic\nteam: {}\ncontracts: []\nprovider: {}\n"
PROJECT = HEAD + (
    "Project\nid: demo\n"
    "defaults: {provider: scripted}\n"
    "environments: {ci: {defaults: {provider: claude}}}\n"
    "models: {fast: {provider: scafold, model: x}, later: {provider: anthropic, model: x}}\n"
)


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    (tmp_path / "plan.yaml").write_text(PLAN.replace("provider: {}", "provider: scaffol"))
    (tmp_path / "maestro.yaml").write_text(PROJECT)
    monkeypatch.chdir(tmp_path)


def found(diagnostics):
    return [
        (item.span.file, item.span.line, item.span.column, item.message)
        for item in diagnostics
        if item.code == "SCH004"
    ]


EXPECTED = [
    ("maestro.yaml", 4, 22, "the provider scripted needs its file"),
    ("maestro.yaml", 5, 42, 'no model provider "claude"'),
    ("maestro.yaml", 6, 27, 'no model provider "scafold"'),
    ("plan.yaml", 7, 11, 'no model provider "scaffol"'),
]


def test_lint_finds_every_provider_that_there_is_not_where_it_stands():
    assert found(load_documents([Path()])[1]) == EXPECTED


def test_compiling_a_plan_finds_the_same():
    _, diagnostics = load_workspace(Path("plan.yaml"), overrides=Overrides(), environ={})
    assert found(diagnostics) == EXPECTED
    assert diagnostics.has_errors


def test_the_way_out_names_all_providers_and_how_they_are_stated():
    _, hint = problem("claude")
    expected = "scaffold (offline templates), scripted:FILE (answers from a file)"
    assert hint == f"this version has: {expected}"


@pytest.mark.parametrize("stated", ["", "scaffold:x", "scripted", "scripted:", ":x", "anthropic"])
def test_what_lint_refuses_cannot_be_made_and_the_words_are_the_same(stated):
    message, hint = problem(stated)
    with pytest.raises(UsageError) as caught:
        make_provider(stated, Path())
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_what_lint_accepts_can_be_made():
    Path("answers.yaml").write_text("answers: [{match: {}, use: scaffold}]\n")
    for name in PROVIDERS:
        stated = name if problem(name) is None else f"{name}:answers.yaml"
        assert problem(stated) is None
        assert make_provider(stated, Path()).name
