"""What a Policy document gives to whom it is used by, and what wins over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.files import write

from maestro_dsl import app
from maestro_dsl.lang.settings import Overrides, for_node
from maestro_dsl.lang.workspace import load_workspace

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "apiVersion: maestro/v1\nkind: "
HOUSE = (
    "Policy\nid: {id}\nretry: {{max_attempts: {n}, delay: {n}s, max_delay: 9m}}\n"
    "safety: {{max_attempts: {n}, breaker: {{failures: {n}}}}}\ngive_up: {give_up}\n"
    "guardrails: {{max_tokens: {n}k, max_cost: {n} USD}}\n"
)
FILES = {
    "plan.yaml": HEADER + "Plan\nid: demo\nblueprint: mine\nteam:\n  dev: {use: dev}\n"
    "contracts: [api.contract.yaml]\npolicies: {use: house}\n",
    "maestro.yaml": HEADER + "Project\nid: demo\ndefaults: {policies: {use: wide}}\n"
    "environments: {ci: {defaults: {policies: {use: ./deep/ci.policy.yaml}}}}\n",
    "mine.blueprint.yaml": HEADER + "Blueprint\nid: mine\nnodes:\n"
    "  build: {action: fulfil, foreach: contracts, as: contract}\n",
    "dev.persona.yaml": HEADER + "Persona\nid: dev\n",
    "api.contract.yaml": HEADER + "Contract\nid: api\nname: API\nprovider_persona_id: dev\n"
    "deliverables: [{name: api, artifacts: ['*.py']}]\n",
    "house.policy.yaml": HEADER + HOUSE.format(id="house", n=4, give_up="ask"),
    "wide.policy.yaml": HEADER + HOUSE.format(id="wide", n=5, give_up="fail_plan"),
    "deep/ci.policy.yaml": HEADER + HOUSE.format(id="ci", n=6, give_up="keep_mock"),
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write(tmp_path, FILES)


def change(project: Path, name: str, old: str, new: str) -> None:
    text = (project / name).read_text()
    assert old in text
    (project / name).write_text(text.replace(old, new))


def loaded(project: Path, environ: dict[str, str] | None = None, **overrides: object):
    workspace, found = load_workspace(
        project / "plan.yaml", overrides=Overrides(**overrides), environ=environ or {}
    )
    assert list(found) == []
    assert workspace is not None
    return workspace


def in_force(settings) -> tuple[object, ...]:
    return (
        settings.max_attempts,
        settings.retry.delay_s,
        settings.safety.max_attempts,
        settings.safety.breaker.failures,
        settings.give_up,
        settings.guardrails.max_tokens,
        settings.guardrails.max_cost_nano_usd,
    )


def test_a_policy_gives_all_it_holds_with_its_place(project: Path) -> None:
    settings = loaded(project).settings
    assert in_force(settings) == (4, 4.0, 4, 4, "ask", 4_000, 4 * 10**9)
    assert settings.safety.breaker.reset_after_s == 60.0  # nobody states it
    places = {
        "max_attempts": 4,
        "policies.retry.delay": 4,
        "policies.safety.max_attempts": 5,
        "policies.safety.breaker.failures": 5,
        "policies.give_up": 6,
        "guardrails.max_tokens": 7,
        "guardrails.max_cost": 7,
    }
    assert {key: settings.origins[key] for key in places} == {
        key: f"house.policy.yaml:{line}" for key, line in places.items()
    }


@pytest.mark.parametrize(
    ("change_of", "key", "value", "origin"),
    [
        (
            ("policies: {use: house}", "policies: {use: house, give_up: fail_plan}"),
            "give_up",
            "fail_plan",
            "plan.yaml:8",
        ),
        (
            ("policies: {use: house}", "policies: {use: house}\nguardrails: {max_tokens: 9k}"),
            "max_tokens",
            9_000,
            "plan.yaml:9",
        ),
        (
            ("policies: {use: house}", "policies: {use: house, safety: {breaker: {failures: 9}}}"),
            "failures",
            9,
            "plan.yaml:8",
        ),
        (
            ("policies: {use: house}", "policies: {use: house, retry: {use: wide}}"),
            "delay",
            5.0,
            "wide.policy.yaml:4",
        ),
        (("policies: {use: house}\n", ""), "max_tokens", 5_000, "wide.policy.yaml:7"),
    ],
)
def test_what_is_nearer_wins(project: Path, change_of, key: str, value: object, origin: str) -> None:
    change(project, "plan.yaml", *change_of)
    settings = loaded(project).settings
    found = {
        "give_up": (settings.give_up, "policies.give_up"),
        "max_tokens": (settings.guardrails.max_tokens, "guardrails.max_tokens"),
        "failures": (settings.safety.breaker.failures, "policies.safety.breaker.failures"),
        "delay": (settings.retry.delay_s, "policies.retry.delay"),
    }
    assert (found[key][0], settings.origins[found[key][1]]) == (value, origin)


def test_the_retry_of_one_and_the_rest_of_another(project: Path) -> None:
    change(project, "plan.yaml", "{use: house}", "{use: house, retry: {use: wide}}")
    assert in_force(loaded(project).settings) == (5, 5.0, 4, 4, "ask", 4_000, 4 * 10**9)


def test_command_line_and_environment_win_over_it(project: Path) -> None:
    settings = loaded(project, {"MAESTRO_GIVE_UP": "keep_mock"}, max_tokens=1).settings
    assert (settings.give_up, settings.origins["policies.give_up"]) == (
        "keep_mock",
        "environment MAESTRO_GIVE_UP",
    )
    assert (settings.guardrails.max_tokens, settings.origins["guardrails.max_tokens"]) == (1, "command line")


def test_that_of_an_environment_stands_between_plan_and_project(project: Path) -> None:
    change(project, "plan.yaml", "policies: {use: house}\n", "")
    assert in_force(loaded(project).settings)[0] == 5
    settings = loaded(project, env_name="ci").settings
    assert in_force(settings) == (6, 6.0, 6, 6, "keep_mock", 6_000, 6 * 10**9)
    assert settings.origins["guardrails.max_cost"] == "deep/ci.policy.yaml:7"
    change(project, "maestro.yaml", "{use: ./deep", "{give_up: ask, use: ./deep")
    assert loaded(project, env_name="ci").settings.give_up == "ask"


def test_nodes_inherit_it_below_their_own(project: Path) -> None:
    change(project, "mine.blueprint.yaml", "as: contract", "as: contract, retry: {delay: 2s}")
    workspace = loaded(project)
    node = workspace.blueprint.value.nodes["build"]
    settings = for_node(workspace.settings, node=node, blueprint=workspace.blueprint)
    assert (settings.retry.max_attempts, settings.retry.delay_s, settings.give_up) == (4, 2.0, "ask")
    assert settings.origins["policies.give_up"] == "house.policy.yaml:6"


def test_the_same_words_may_name_different_policies(project: Path) -> None:
    (project / "deep" / "house.policy.yaml").write_text(HEADER + HOUSE.format(id="other", n=7, give_up="ask"))
    (project / "mine.blueprint.yaml").rename(project / "deep" / "mine.blueprint.yaml")
    here = "./house.policy.yaml"
    change(project, "plan.yaml", "blueprint: mine", "blueprint: ./deep/mine.blueprint.yaml")
    change(project, "plan.yaml", "{use: house}", f"{{use: {here}}}")
    change(project, "deep/mine.blueprint.yaml", "as: contract", f"as: contract, retry: {{use: {here}}}")
    workspace = loaded(project)
    node = workspace.blueprint.value.nodes["build"]
    assert workspace.settings.max_attempts == 4
    assert for_node(workspace.settings, node=node, blueprint=workspace.blueprint).retry.max_attempts == 7


def test_maestro_config_tells_where_each_value_stands(project: Path) -> None:
    entries = app.effective_config(project / "plan.yaml", overrides=Overrides(), environ={}, state_dir=None)
    origins = {entry.key: entry.origin for entry in entries}
    assert origins["give_up"] == "house.policy.yaml:6"
    assert origins["guardrails.max_cost_nano_usd"] == "house.policy.yaml:7"
    assert origins["policies.safety.max_attempts"] == "house.policy.yaml:5"


def test_a_policy_that_is_not_there_is_told_at_its_name(project: Path) -> None:
    change(project, "plan.yaml", "{use: house}", "{use: hose}")
    found = [
        item
        for item in app.lint([], environ={}, select=("REF",)).diagnostics
        if item.span.file == "plan.yaml"
    ]
    assert [(item.code, item.span.line, item.span.column) for item in found] == [("REF008", 8, 17)]
    assert (found[0].message, found[0].help) == (
        'unknown policy "hose"',
        'did you mean "house"? policies: ci, house, wide',
    )
