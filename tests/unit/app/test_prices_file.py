"""A project's own prices: counted with in `plan`, in the run, and by whoever goes on with the run later."""

from __future__ import annotations

import shutil

import pytest
from support.projects import Project

from maestro_dsl import app
from maestro_dsl.app.running import prices_text_of
from maestro_dsl.app.state import open_state
from maestro_dsl.engine.state import fold
from maestro_dsl.errors import EnvironmentFailure
from maestro_dsl.providers.prices import prices_of

PRICES = """\
as_of: "2026-11-01"
models:
  house-model:
    - {from_tokens: 0, input: 1000, output: 5000, cache_read: 1, cache_write: 1}
"""


@pytest.fixture
def priced(tmp_path):
    project = Project(tmp_path / "project", tmp_path / "state", "algorithm")
    (project.folder / "contracts/errands.contract.yaml").unlink()
    project.edit("plan.yaml", "  errand_developer: {use: core/algorithm_developer, token_budget: 50k}\n", "")
    project.edit(
        "plan.yaml", "{use: core/algorithm_developer}", "{use: core/algorithm_developer, model: house-model}"
    )
    project.edit("contracts/routes.contract.yaml", "consumer_persona_ids: [errand_developer]\n", "")
    project.edit("maestro.yaml", "defaults:", "prices_file: prices.yaml\ndefaults:")
    project.edit("plan.yaml", "max_cost: 5 USD", "max_cost: 500 USD")
    (project.folder / "prices.yaml").write_text(PRICES)
    project.script("answers:\n  - {use: scaffold, usage: {input: 2000, output: 100}}\n")
    return project


def test_a_run_is_charged_at_the_projects_prices_and_keeps_them(priced):
    done = priced.apply()
    assert fold(done.events).nano_usd == 2_500_000_000  # 2.50 USD
    shutil.rmtree(priced.folder)  # whoever resumes has the figures of the run's beginning
    with open_state(priced.state, {}) as state:
        assert prices_text_of(state, done.run_id) == PRICES


@pytest.mark.parametrize("content", ["models: 7\n", None])
def test_a_price_file_that_cannot_be_used_is_told_before_anything_runs(priced, content):
    path = priced.folder / "prices.yaml"
    path.write_bytes(b"\xff\xfe\x00") if content is None else path.write_text(content)
    with pytest.raises(EnvironmentFailure, match="price file"):
        priced.report()
    assert app.list_runs(environ={}, state_dir=priced.state).runs == ()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("models: 7\n", "it needs as_of"),
        ("as_of: x\nmodels: {m: 3}\n", "models.m: this is a list of prices"),
        ("as_of: x\nmodels: {m: [{output: 1}]}\n", r"models.m\[0\].input: this is a number of USD"),
        (
            "as_of: x\nmodels: {m: [{input: -1, output: 1}]}\n",
            r"models.m\[0\].input: this is a number of USD",
        ),
        ("as_of: x\nmodels: {m: [{input: .inf, output: 1}]}\n", r"models.m\[0\].input: this is a number"),
        ("as_of: x\nmodels: {m: [{input: 1, output: 1, from_tokens: 5}]}\n", "no price holds from the first"),
        (
            "as_of: x\nmodels: {m: [{input: 1, ouput: 1}]}\n",
            'unknown key "ouput"; there are from_tokens, input',
        ),
        ("as_of: x\nmodels: {}\nfree: scaffold\n", "free: this is a list"),
        ("as_of: [\n", "line 2: "),
    ],
)
def test_a_mistake_in_a_price_file_is_named_with_what_belongs_there(priced, content, said):
    (priced.folder / "prices.yaml").write_text(content)
    with pytest.raises(EnvironmentFailure, match=said) as caught:
        priced.report()
    assert "from_tokens: 0" in caught.value.hint


def test_one_price_for_every_size_needs_no_list_and_caches_cost_what_input_does():
    short = prices_of("as_of: x\nmodels: {m: {input: 2, output: 10}}\n")
    long = prices_of(
        "as_of: x\nmodels: {m: [{from_tokens: 0, input: 2, output: 10, cache_read: 2, cache_write: 2}]}\n"
    )
    assert short.models["m"] == long.models["m"]


def test_a_script_costs_as_much_in_the_plan_as_in_the_run(priced):
    priced.edit("maestro.yaml", "prices_file: prices.yaml\n", "")
    assert priced.report().estimate.worst_nano_usd == 0
    assert fold(priced.apply().events).nano_usd == 0
