"""What an attempt does with `limits.max_artifact`, `limits.max_log` and its idempotency key."""

from __future__ import annotations

from dataclasses import replace

import pytest

from maestro_dsl.actions.command import IDEMPOTENCY, Command, Render
from maestro_dsl.actions.fulfil import Fulfil
from maestro_dsl.compiler.plan import SizeLimits
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.lang.model import Criterion
from maestro_dsl.providers.envelope import pack

SMALL = SizeLimits(max_artifact_bytes=8, max_log_bytes=1000)


def test_a_file_that_is_too_large_is_a_failure_of_content_that_the_model_is_told(bench, says):
    bench.provider = says(pack({"small.py": "x = 1\n", "thing.py": "x = 1_000\n"}))
    result = bench.work(Fulfil(), bench.spec(sizes=SMALL))
    assert result.failure is Failure.INVALID
    assert result.message == "maker/thing.py has 10 bytes; limits.max_artifact allows 8"
    assert [(issue.file, issue.severity) for issue in result.issues] == [("maker/thing.py", "error")]
    assert result.usage.input_tokens == 7, "the answer is paid for"
    assert not result.files


def test_a_file_of_just_the_limit_is_taken(bench, says):
    bench.provider = says(pack({"thing.py": "x = 1_0\n"}))
    assert bench.work(Fulfil(), bench.spec(sizes=SMALL)).failure is None


def test_a_rendered_file_that_is_too_large_is_not_rendered_again(bench):
    spec = bench.spec("render", sizes=SMALL)
    spec = replace(spec, node=replace(spec.node, params={"path": "a.txt", "text": "123456789"}))
    result = bench.work(Render(), spec)
    assert result.failure is Failure.FATAL
    assert result.message == "commands/a.txt has 9 bytes; limits.max_artifact allows 8"


def test_commands_and_criteria_keep_no_more_than_the_limit(bench, answers):
    bench.sandbox = answers()
    bench.criteria = (Criterion(check="command", run=("check",)),)
    spec = bench.spec("command", sizes=SMALL)
    bench.work(Command(), replace(spec, node=replace(spec.node, params={"run": ["deploy"]})))
    bench.work(Fulfil(), bench.spec(sizes=SizeLimits(max_log_bytes=1000)))
    assert [command.max_output_bytes for command in bench.sandbox.commands] == [1000, 1000]


@pytest.mark.parametrize(("key", "expected"), [("deploy-api", {IDEMPOTENCY: "deploy-api"}), (None, {})])
def test_a_command_finds_its_idempotency_key(bench, answers, key, expected):
    bench.sandbox = answers()
    spec = bench.spec("command")
    node = replace(spec.node, params={"run": ["deploy"]}, effect=True, idempotency_key=key)
    bench.work(Command(), replace(spec, node=node))
    assert bench.sandbox.commands[0].env == expected
