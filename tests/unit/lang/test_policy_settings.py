"""Every figure of retry, safety, breaker and give-up: default, key, variable, and the shown origin."""

from __future__ import annotations

from dataclasses import fields

import pytest

from maestro_dsl import app
from maestro_dsl.compiler.plan import BreakerPolicy, RetryPolicy, SafetyPolicy
from maestro_dsl.compiler.policies import retry_policy, safety_policy
from maestro_dsl.errors import UsageError
from maestro_dsl.lang.environment import VARIABLES, environment
from maestro_dsl.lang.model import GiveUp
from maestro_dsl.lang.settings import Overrides, effective
from maestro_dsl.lang.workspace import load_workspace

RETRY, SAFETY, BREAKER = "policies.retry.", "policies.safety.", "policies.safety.breaker."
LONGEST = "MAESTRO_RETRY_MAX_DELAY"
TABLE = [
    # key in a document, default, variable, its text, the value, how `maestro config` calls it
    ("max_attempts", 3, "MAESTRO_MAX_ATTEMPTS", "7", 7, f"{RETRY}max_attempts"),
    ("token_budget", 100_000, "MAESTRO_TOKEN_BUDGET", "50k", 50_000, "token_budget"),
    ("give_up_on_failure", True, "MAESTRO_GIVE_UP_ON_FAILURE", "false", False, "give_up_on_failure"),
    ("policies.give_up", "skip_dependants", "MAESTRO_GIVE_UP", "ask", "ask", "give_up"),
    (
        f"{RETRY}temperatures",
        [],
        "MAESTRO_RETRY_TEMPERATURES",
        "0.7,0.5, 0.3",
        [0.7, 0.5, 0.3],
        f"{RETRY}temperatures",
    ),
    (f"{RETRY}efforts", [], "MAESTRO_RETRY_EFFORTS", "[low, high]", ["low", "high"], f"{RETRY}efforts"),
    (f"{RETRY}delay", 1.0, "MAESTRO_RETRY_DELAY", "500ms", 0.5, f"{RETRY}delay_s"),
    (f"{RETRY}max_delay", 5.0, "MAESTRO_RETRY_MAX_DELAY", "1m", 60.0, f"{RETRY}max_delay_s"),
    (f"{RETRY}jitter", 0.2, "MAESTRO_RETRY_JITTER", "0.5", 0.5, f"{RETRY}jitter"),
    (
        f"{RETRY}max_transport_attempts",
        5,
        "MAESTRO_MAX_TRANSPORT_ATTEMPTS",
        "9",
        9,
        f"{RETRY}max_transport_attempts",
    ),
    (
        f"{RETRY}max_throttle_wait",
        600.0,
        "MAESTRO_MAX_THROTTLE_WAIT",
        "1h",
        3600.0,
        f"{RETRY}max_throttle_wait_s",
    ),
    (f"{SAFETY}max_attempts", 2, "MAESTRO_SAFETY_MAX_ATTEMPTS", "4", 4, f"{SAFETY}max_attempts"),
    (f"{SAFETY}delays", [5.0, 10.0, 20.0], "MAESTRO_SAFETY_DELAYS", "1s,2s", [1.0, 2.0], f"{SAFETY}delays_s"),
    (f"{BREAKER}failures", 5, "MAESTRO_BREAKER_FAILURES", "8", 8, f"{BREAKER}failures"),
    (f"{BREAKER}reset_after", 60.0, "MAESTRO_BREAKER_RESET_AFTER", "2m", 120.0, f"{BREAKER}reset_after_s"),
    (f"{BREAKER}max_wait", 300.0, "MAESTRO_BREAKER_MAX_WAIT", "30s", 30.0, f"{BREAKER}max_wait_s"),
    ("timeout", 900.0, "MAESTRO_TIMEOUT", "20m", 1200.0, "timeout_s"),
    ("attempt_timeout", 300.0, "MAESTRO_ATTEMPT_TIMEOUT", "90s", 90.0, "attempt_timeout_s"),
]
EACH = pytest.mark.parametrize(
    ("key", "default", "variable", "text", "value", "shown"), TABLE, ids=[row[0] for row in TABLE]
)


def config(environ, plan_file=None, tmp_path=None):
    entries = app.effective_config(plan_file, overrides=Overrides(), environ=environ, state_dir=tmp_path)
    return {entry.key: (entry.value, entry.origin) for entry in entries}


@EACH
def test_default_and_variable_and_what_config_says(key, default, variable, text, value, shown, tmp_path):
    assert config({}, tmp_path=tmp_path)[shown] == (default, "built-in default")
    assert config({variable: text}, tmp_path=tmp_path)[shown] == (value, f"environment {variable}")
    assert (variable, key) in {(name, stated) for name, stated, _ in VARIABLES}


def test_the_table_has_every_field_of_the_policies():
    stated = {row[0].rpartition(".")[2] for row in TABLE}
    for policy in (RetryPolicy, SafetyPolicy, BreakerPolicy):
        names = {item.name.removesuffix("_s") for item in fields(policy)}
        assert names - {"when", "breaker"} <= stated


def test_the_defaults_of_the_compiled_policies_are_those_of_the_language():
    settings = effective(plan=None, project=None, overrides=Overrides(), environ={})
    assert retry_policy(settings.retry) == RetryPolicy()
    assert safety_policy(settings.safety) == SafetyPolicy()
    assert settings.give_up is GiveUp.SKIP_DEPENDANTS


YAML = {
    "max_attempts": "policies: {retry: {max_attempts: 7}}",
    "policies.give_up": "policies: {give_up: ask}",
    **{
        f"{RETRY}{name}": f"policies: {{retry: {{{name}: {text}}}}}"
        for name, text in {
            "temperatures": "[0.7, 0.5, 0.3]",
            "efforts": "[low, high]",
            "delay": "500ms",
            "max_delay": "1m",
            "jitter": "0.5",
            "max_transport_attempts": "9",
            "max_throttle_wait": "1h",
        }.items()
    },
    f"{SAFETY}max_attempts": "policies: {safety: {max_attempts: 4}}",
    f"{SAFETY}delays": "policies: {safety: {delays: [1s, 2s]}}",
    f"{BREAKER}failures": "policies: {safety: {breaker: {failures: 8}}}",
    f"{BREAKER}reset_after": "policies: {safety: {breaker: {reset_after: 2m}}}",
    f"{BREAKER}max_wait": "policies: {safety: {breaker: {max_wait: 30s}}}",
}
PLAN = """\
apiVersion: maestro/v1
kind: Plan
id: p
requirement: r
blueprint: core/parallel-contract-first
team: {dev: {use: core/backend_developer}}
contracts: [c.contract.yaml]
"""
CONTRACT = """\
apiVersion: maestro/v1
kind: Contract
id: c
name: C
provider_persona_id: dev
deliverables: [{name: d, artifacts: ["*.md"]}]
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "c.contract.yaml").write_text(CONTRACT)
    return tmp_path


@EACH
def test_the_plan_states_it_and_the_environment_stands_above(
    key, default, variable, text, value, shown, project
):
    if key not in YAML:
        pytest.skip("stated by personas, contracts and nodes, not by plans")
    plan = project / "plan.yaml"
    plan.write_text(PLAN + YAML[key] + "\n")
    assert config({}, plan, project)[shown] == (value, f"{plan}:8")
    above = {"[0.7, 0.5, 0.3]": "0.1", "[low, high]": "medium"}.get(str(value), text)
    assert config({variable: above}, plan, project)[shown][1] == f"environment {variable}"
    assert default != value


def test_the_environment_stands_above_a_node_a_contract_and_a_persona(project):
    (project / "dev.persona.yaml").write_text(
        "apiVersion: maestro/v1\nkind: Persona\nid: dev\nname: Dev\nexpertise: [x]\n"
        "give_up_on_failure: true\nmax_attempts: 2\n"
    )
    (project / "b.blueprint.yaml").write_text(
        "apiVersion: maestro/v1\nkind: Blueprint\nid: b\ndescription: d\nexecution_mode: parallel\n"
        "coordination_mode: contract\nnodes:\n  build: {action: fulfil, foreach: contracts, as: contract,"
        ' persona: "{{ contract.provider_persona_id }}", retry: {delay: 2s, jitter: 0.9},'
        " give_up: keep_mock}\n"
    )
    plan = project / "plan.yaml"
    plan.write_text(
        PLAN.replace("core/parallel-contract-first", "./b.blueprint.yaml").replace(
            "core/backend_developer", "dev"
        )
    )
    environ = {
        "MAESTRO_RETRY_DELAY": "3s",
        "MAESTRO_MAX_ATTEMPTS": "6",
        "MAESTRO_GIVE_UP_ON_FAILURE": "false",
    }
    compiled = app.compile_plan(plan, overrides=Overrides(), environ=environ)
    assert compiled.plan is not None, compiled.diagnostics
    node = compiled.plan.node("build[c]")
    assert (node.retry.delay_s, node.retry.jitter, node.retry.max_attempts) == (3.0, 0.9, 6)
    assert (compiled.plan.persona("dev").give_up_on_failure, node.give_up) == (False, GiveUp.ASK)


def test_four_temperatures_and_nothing_else_make_four_attempts(project):
    plan = project / "plan.yaml"
    plan.write_text(PLAN + "policies: {retry: {temperatures: [0.7, 0.5, 0.3, 0.3]}}\n")
    workspace, _ = load_workspace(plan, overrides=Overrides(), environ={})
    assert workspace.settings.max_attempts == 4
    assert config({}, plan, project)[f"{RETRY}max_attempts"][1].startswith(
        "length of policies.retry.temperatures"
    )


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("MAESTRO_MAX_ATTEMPTS", "0", "must be at least 1, not 0"),
        ("MAESTRO_MAX_ATTEMPTS", "x", '"x" is not a number'),
        ("MAESTRO_RETRY_EFFORTS", "low,hi", "must be some of low, medium, high, xhigh, max, not hi"),
        ("MAESTRO_WARN_AT", "1.5", "must be between 0 and 1, not 1.5"),
        ("MAESTRO_RETRY_JITTER", "2", "must be between 0 and 1, not 2"),
        ("MAESTRO_RETRY_TEMPERATURES", "0.5,9", "must be between 0 and 2, not 9"),
        ("MAESTRO_GIVE_UP_ON_FAILURE", "maybe", "must be true or false, not maybe"),
        (
            "MAESTRO_GIVE_UP",
            "no",
            "must be one of fail_plan, skip_dependants, keep_mock, accept_degraded, ask, not no",
        ),
    ],
)
def test_a_variable_that_cannot_be_read_is_named(variable, text, message):
    with pytest.raises(UsageError) as caught:
        environment({variable: text})
    assert caught.value.message.endswith(message)
    assert caught.value.message.startswith(f"environment variable {variable}: ")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        (
            {"MAESTRO_RETRY_DELAY": "90s"},
            "is 90s, but no wait is longer than policies.retry.max_delay, 5s (built-in default)",
        ),
        (
            {"MAESTRO_RETRY_DELAY": "10m", LONGEST: "2s"},
            f"is 10m, but no wait is longer than policies.retry.max_delay, 2s (environment {LONGEST})",
        ),
        ({"MAESTRO_RETRY_DELAY": "5s"}, None),
        ({"MAESTRO_RETRY_DELAY": "90s", "MAESTRO_RETRY_MAX_DELAY": "90s"}, None),
        ({"MAESTRO_RETRY_MAX_DELAY": "10ms"}, None),
    ],
)
def test_a_first_wait_that_would_be_cut_off_is_refused(variables, said):
    def ask():
        return effective(plan=None, project=None, overrides=Overrides(), environ=variables)

    if said is None:
        assert ask().retry.max_attempts == 3
        return
    with pytest.raises(UsageError) as caught:
        ask()
    assert caught.value.message == f"environment variable MAESTRO_RETRY_DELAY {said}"
    assert caught.value.hint == "lower it, or raise the other too: MAESTRO_RETRY_MAX_DELAY"
