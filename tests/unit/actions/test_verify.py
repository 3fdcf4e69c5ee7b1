"""`verify` and `recheck`: what could not be checked is never counted as passed."""

import pytest

from maestro_dsl.actions.verify import Recheck, Verify
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.lang.model import Criterion

TESTS = Criterion(check="command", run=("python", "-m", "unittest"))


def verdict(bench, files, **more):
    spec = bench.spec("verify", inputs=(bench.given(files),), **more)
    return bench.work(Verify(), spec).verdict


def test_files_that_are_as_promised_fulfil_the_contract(bench):
    found = verdict(bench, {"thing.py": b"x = 1\n"})
    assert (found.verdict, found.score, found.parts) == ("fulfilled", 1.0, {"completeness": 1.0})


def test_a_file_that_is_missing_is_named(bench):
    found = verdict(bench, {"other.txt": b"x"})
    assert found.verdict == "not_fulfilled"
    assert 'deliverable "all": no non-empty file matches **/*.py' in found.missing


def test_a_criterion_that_fails_now_is_not_fulfilled(bench, answers):
    bench.criteria = (TESTS,)
    bench.sandbox = answers(1, "AssertionError")
    found = verdict(bench, {"thing.py": b"x = 1\n"})
    assert (found.verdict, found.parts["criteria"]) == ("not_fulfilled", 0.0)


def test_without_a_sandbox_it_could_not_be_verified(bench):
    bench.criteria = (TESTS,)
    found = verdict(bench, {"thing.py": b"x = 1\n"})
    assert (found.verdict, found.fulfilled, found.score) == ("could_not_verify", False, 0.0)
    assert "nothing is started in memory" in found.issues[0].message


@pytest.mark.parametrize(
    ("required", "expected"), [(None, "fulfilled"), (False, "fulfilled"), (True, "could_not_verify")]
)
def test_free_text_that_nobody_judges(bench, required, expected):
    bench.criteria = (Criterion(text="reads well", required=required),)
    assert verdict(bench, {"thing.py": b"x = 1\n"}).verdict == expected


def test_a_provider_without_a_result_could_not_be_verified(bench):
    result = bench.work(Verify(), bench.spec("verify"))
    assert result.verdict.verdict == "could_not_verify"
    assert result.message == "its provider left no result"
    assert result.outputs == {"verdict": "could_not_verify", "score": 0.0}


def test_a_node_without_a_contract_is_a_mistake_of_the_plan(bench):
    assert bench.work(Verify(), bench.spec("verify", contract=None)).failure is Failure.FATAL
    assert bench.work(Recheck(), bench.spec("recheck")).failure is Failure.FATAL
