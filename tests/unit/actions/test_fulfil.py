"""`fulfil` where an answer cannot be read, cannot be judged, or is not good enough."""

import pytest

from maestro_dsl.actions.fulfil import Fulfil
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.engine.ports.models import ProviderFailure
from maestro_dsl.lang.model import Criterion
from maestro_dsl.providers.envelope import pack

TESTS = Criterion(check="command", run=("python", "-m", "unittest"))


def test_a_good_answer_is_staged_scored_and_stored(bench):
    result = bench.work(Fulfil(), bench.spec())
    assert (result.failure, result.score) == (None, 1.0)
    assert [ref.path for ref in result.files] == ["maker/thing.py"]
    assert bench.artifacts.get(result.files[0].digest) == b"x = 1\n"
    assert (bench.scratch / "staging/files/thing.py").read_text() == "x = 1\n"
    assert (result.usage.input_tokens, result.usage.output_tokens) == (7, 3)


def test_a_stored_answer_is_not_asked_for_again(bench):
    first = bench.work(Fulfil(), bench.spec())
    second = bench.work(Fulfil(), bench.spec(fence=2))
    assert len(bench.provider.requests) == 1
    assert second.files == first.files


@pytest.mark.parametrize("text", ["Here is what I would do …", "", "{"])
def test_an_answer_without_files_is_unparsable_and_paid_for(bench, says, text):
    bench.provider = says(text)
    result = bench.work(Fulfil(), bench.spec())
    assert result.failure is Failure.UNPARSABLE
    assert result.message
    assert result.issues[0].severity == "error"
    assert result.usage.total == 10
    assert result.answer in bench.artifacts.blobs


def test_a_path_that_leads_out_is_refused(bench, says):
    bench.provider = says(pack({"../thing.py": "x = 1\n"}))
    result = bench.work(Fulfil(), bench.spec())
    assert result.failure is Failure.UNPARSABLE
    assert "../thing.py" in result.message


def test_the_failure_of_the_provider_is_passed_on(bench, says):
    bench.provider = says(ProviderFailure(Failure.THROTTLE, "slow down", retry_after_s=4.0))
    result = bench.work(Fulfil(), bench.spec())
    assert (result.failure, result.retry_after_s) == (Failure.THROTTLE, 4.0)


def test_a_call_beyond_the_lease_is_not_made(bench):
    result = bench.work(Fulfil(), bench.spec(lease_tokens=10))
    assert result.failure is Failure.BUDGET
    assert bench.provider.requests == []


def test_an_undeclared_or_broken_file_is_invalid(bench, says):
    bench.provider = says(pack({"thing.py": "x = \n", "notes.txt": "hello\n"}))
    result = bench.work(Fulfil(), bench.spec())
    assert result.failure is Failure.INVALID
    assert {(issue.file, issue.line) for issue in result.issues} == {("thing.py", 1), ("notes.txt", None)}
    assert not result.usable


def test_a_failed_command_names_its_place(bench, answers):
    bench.criteria = (TESTS,)
    bench.sandbox = answers(1, 'Traceback:\n  File "thing.py", line 1, in <module>\nAssertionError')
    result = bench.work(Fulfil(), bench.spec())
    assert (result.failure, result.message) == (
        Failure.INVALID,
        "thing: not met: command: python -m unittest",
    )
    (issue,) = result.issues
    assert (issue.file, issue.line) == ("thing.py", 1)


def test_a_folder_of_the_attempt_is_in_no_message(bench, answers):
    bench.criteria = (TESTS,)
    folder = bench.scratch / "scratch/criteria"
    bench.sandbox = answers(1, f'  File "{folder}/thing.py", line 1\nNameError')
    (issue,) = bench.work(Fulfil(), bench.spec()).issues
    assert str(bench.scratch) not in issue.message
    assert (issue.file, issue.line) == ("thing.py", 1)


def test_a_command_that_ran_out_of_time_is_not_met(bench, answers):
    bench.criteria = (TESTS,)
    bench.sandbox = answers(0, timed_out=True)
    result = bench.work(Fulfil(), bench.spec())
    assert result.failure is Failure.INVALID
    assert "ran out of time" in result.issues[0].message


def test_without_a_sandbox_nothing_runs_and_trying_again_is_useless(bench):
    bench.criteria = (TESTS,)
    result = bench.work(Fulfil(), bench.spec())
    assert result.failure is Failure.FATAL
    assert "nothing is started in memory: python -m unittest" in result.message


@pytest.mark.parametrize(
    ("required", "failure", "counted"), [(None, None, 0), (False, None, 0), (True, Failure.INVALID, 1)]
)
def test_free_text_that_nobody_judges_fails_only_where_it_is_required(bench, required, failure, counted):
    bench.criteria = (Criterion(text="reads well", required=required),)
    result = bench.work(Fulfil(), bench.spec())
    assert result.failure is failure
    check = next(item for item in result.quality.checks if item.name == "acceptance_criteria_met")
    assert (check.passed, check.required, check.unjudged) == (0, counted, ("reads well",))
    assert check.applicable is bool(counted)
    assert "could not judge: reads well" in result.issues[0].message


def test_a_score_below_the_threshold_is_low_quality(bench):
    bench.expected_files = 10
    result = bench.work(Fulfil(), bench.spec(quality_threshold=0.95))
    assert result.failure is Failure.LOW_QUALITY
    assert result.message == f"thing: score {result.score} is below 0.95"
    assert result.usable
