"""The verifier itself: a correct provider is fulfilled, and each planted fault is found at its operation."""

import asyncio
import importlib.util
import socket
from pathlib import Path

import pytest

from maestro_dsl.interfaces.openapi.parse import parse
from maestro_dsl.interfaces.openapi.verify import verify
from maestro_dsl.interfaces.verification import Outcome, VerificationResult


def _load(name: str):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reference = _load("reference")


@pytest.fixture(scope="module")
def api():
    found, diagnostics = parse(reference.SPEC.encode(), "tasks.yaml")
    assert [item.message for item in diagnostics] == []
    return found


def judged(api, fault: str, prefix: str = "", **options) -> VerificationResult:
    with reference.running(fault) as url:
        return asyncio.run(verify(api, url + prefix, contract_id="backend_api", **options))


def test_a_correct_provider_is_fulfilled_with_every_operation_tested(api) -> None:
    result = judged(api, "")
    assert (result.verdict, result.score, result.missing, result.issues) == (Outcome.FULFILLED, 1.0, (), ())
    assert set(result.parts) == {"body", "content", "errors", "query", "routes", "state", "status"}
    assert set(result.parts.values()) == {1.0}
    assert result.checks > 150


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_correct_provider_raises_no_false_alarm_with_other_values(api, seed) -> None:
    result = judged(api, "", seed=seed)
    assert (result.fulfilled, result.issues) == (True, ())


def test_a_provider_below_the_base_path_of_the_description_is_found(api) -> None:
    result = judged(api, "", prefix="/api")
    assert (result.fulfilled, result.issues) == (True, ())


def test_equal_providers_give_equal_results(api) -> None:
    assert judged(api, "patch_wipes") == judged(api, "patch_wipes")


@pytest.mark.parametrize("fault", reference.FAULTS)
def test_a_planted_fault_is_found_and_its_operation_named(api, fault) -> None:
    operation, planted = reference.FAULTS[fault]
    result = judged(api, fault)
    blamed = {item.operation for item in result.issues if item.severity == "error"}
    assert (result.verdict, operation in blamed) == (Outcome.NOT_FULFILLED, True), planted
    assert result.score < 1.0
    if fault.startswith("missing_"):
        assert [name.endswith(f"({operation})") for name in result.missing] == [True]


def test_a_missing_operation_reads_as_one_clear_line(api) -> None:
    result = judged(api, "missing_patch")
    assert result.missing == ("PATCH /tasks/{taskId} (updateTask)",)
    assert [item.message for item in result.issues] == [
        "PATCH /tasks/{taskId} (updateTask) is missing: the provider answers 501 (later)"
    ]
    assert result.recommendations == ("add the operation PATCH /tasks/{taskId} (updateTask)",)


def test_lost_data_says_what_was_sent_and_what_came_back(api) -> None:
    messages = [item.message for item in judged(api, "state_field_lost").issues]
    assert len(messages) == 1
    assert messages[0].startswith('GET /tasks/{taskId} (getTask) lost "title" of item t4: sent ')


def test_a_provider_that_is_not_there_could_not_be_verified(api) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    result = asyncio.run(verify(api, url, contract_id="backend_api"))
    assert (result.verdict, result.score, result.checks) == (Outcome.COULD_NOT_VERIFY, 0.0, 0)
    assert [item.message for item in result.issues] == [f"nothing answers at {url}"]
