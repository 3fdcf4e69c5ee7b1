"""A project's own prices: counted with in `plan`, in the run, and by whoever goes on with the run later."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from support.projects import Project

from maestro_dsl import app
from maestro_dsl.app.running import prices_text_of
from maestro_dsl.app.state import open_state
from maestro_dsl.engine.state import fold
from maestro_dsl.errors import CompileError, EnvironmentFailure
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


def test_a_run_has_one_price_whatever_becomes_of_the_file_after_the_plan_was_shown(priced):
    report = priced.report()
    (priced.folder / "prices.yaml").write_text(PRICES.replace("1000", "2000"))

    def go_on(stop=None):
        return asyncio.run(app.apply(report, options=app.ApplyOptions(), environ={}, stop=stop))

    stop = asyncio.Event()
    stop.set()
    assert go_on(stop).interrupted
    report = priced.report()  # with the new price, for runs that begin now
    done = go_on()
    assert (done.continued, done.status) == (True, "completed")
    assert fold(done.events).nano_usd == 2_500_000_000
    with open_state(priced.state, {}) as state:
        assert prices_text_of(state, done.run_id) == PRICES


@pytest.mark.parametrize(
    ("content", "place", "said"),
    [
        (b"models: 7\n", "prices.yaml:1:1", 'missing key "as_of" in a price file'),
        (b"as_of: [\n", "prices.yaml:2:1", "a value is missing here"),
        (b"as_of: x\nmodels: {m: {input: 1, ouput: 2}}\n", "prices.yaml:2:24", 'unknown key "ouput"'),
        (b"\xff\xfe\x00", "prices.yaml:1:1", "not"),
        (None, "maestro.yaml:5:14", '"prices.yaml" does not exist'),
    ],
)
def test_lint_and_plan_say_the_same_of_a_price_file_before_anything_runs(
    priced, monkeypatch, content, place, said
):
    monkeypatch.chdir(priced.folder)
    if content is None:
        (priced.folder / "prices.yaml").unlink()
    else:
        (priced.folder / "prices.yaml").write_bytes(content)
    with pytest.raises(CompileError, match=r"prices\.yaml cannot be used: \d error") as caught:
        priced.report()
    first = caught.value.diagnostics.items[0]
    assert f"{first.span.file}:{first.span.line}:{first.span.column}" == place
    assert said in first.message
    assert first.span.file in caught.value.sources
    assert first in app.lint([Path()], environ={}).diagnostics.items
    assert app.list_runs(environ={}, state_dir=priced.state).runs == ()


def test_a_stored_price_file_that_this_version_cannot_use_is_one_clear_line():
    with pytest.raises(EnvironmentFailure) as caught:
        prices_of("as_of: x\nmodels: {m: {input: -1, output: 2}}\n")
    assert caught.value.message == (
        "the price file of the project cannot be used: line 2: "
        "input must be a number of USD per million tokens, 0 or more, not -1"
    )
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
