"""The limits on sizes: from the file of the project to the plan, and what `maestro config` says of them."""

from __future__ import annotations

import pytest

from maestro_dsl import app
from maestro_dsl.compiler.plan import SizeLimits
from maestro_dsl.lang.settings import Overrides

FILES = {
    "plan.yaml": (
        "apiVersion: maestro/v1\nkind: Plan\nid: p\nname: P\nblueprint: core/parallel-contract-first\n"
        "team: {dev: {use: core/backend_developer}}\ncontracts: [c.contract.yaml]\n"
    ),
    "c.contract.yaml": (
        "apiVersion: maestro/v1\nkind: Contract\nid: c\nname: C\nprovider_persona_id: dev\n"
        'deliverables: [{name: d, artifacts: ["*.md"]}]\n'
    ),
}
PROJECT = "apiVersion: maestro/v1\nkind: Project\nid: x\n"


@pytest.fixture
def made(tmp_path):
    """Writes the project with what it states; returns the plan, and what config says by key."""

    def make(stated):
        for name, text in {**FILES, "maestro.yaml": PROJECT + stated}.items():
            (tmp_path / name).write_text(text)
        plan_file = tmp_path / "plan.yaml"
        compiled = app.compile_plan(plan_file, overrides=Overrides(), environ={})
        assert compiled.plan is not None, compiled.diagnostics
        entries = app.effective_config(plan_file, overrides=Overrides(), environ={}, state_dir=tmp_path)
        shown = {entry.key: (entry.value, entry.origin.rpartition("/")[2]) for entry in entries}
        return compiled.plan, shown

    return make


def test_what_the_project_states_reaches_the_plan_and_config_says_where_it_stands(made):
    plan, shown = made("limits: {max_artifact: 2 MiB, max_log: 64 KiB}\n")
    assert plan.sizes == SizeLimits(max_artifact_bytes=2 * 1024**2, max_log_bytes=64 * 1024)
    assert shown["limits.max_artifact_bytes"] == (2 * 1024**2, "maestro.yaml:4")
    assert shown["limits.max_log_bytes"] == (64 * 1024, "maestro.yaml:4")
    assert shown["limits.max_nodes"] == (100_000, "built-in default")


def test_the_defaults_are_those_of_the_language_and_results_are_reused_under_other_limits(made):
    plan, _ = made("")
    other, _ = made("limits: {max_log: 64 KiB}\n")
    assert plan.sizes == SizeLimits()
    assert plan.digest == other.digest
