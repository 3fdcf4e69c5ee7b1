import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_dsl.engine.events import Issue
from maestro_dsl.engine.ports.attempts import CheckResult
from maestro_dsl.validation.quality import (
    ARTIFACTS,
    CRITERIA,
    INTEGRATION,
    band,
    issue_term,
    quality,
    validation_term,
    with_check,
)


def check(name: str, passed: int, required: int, *, applicable: bool = True) -> CheckResult:
    return CheckResult(name=name, passed=passed, required=required, applicable=applicable)


def issue(severity: str) -> Issue:
    return Issue(severity=severity, check="x", message="m")


def test_the_score_is_the_weighted_sum_of_its_parts():
    report = quality(
        [check(ARTIFACTS, 1, 2), check(CRITERIA, 1, 1)],
        completeness=0.5,
        file_count=0.25,
        issues=[issue("error"), issue("warning")],
    )

    assert (report.validation, report.completeness, report.file_count, report.issue_penalty) == (
        0.75,
        0.5,
        0.25,
        0.7,
    )
    assert report.score == 0.57
    assert report.band == "poor"


@pytest.mark.parametrize(
    ("score", "name"),
    [
        (1.0, "excellent"),
        (0.9, "excellent"),
        (0.8999, "good"),
        (0.8, "good"),
        (0.7, "acceptable"),
        (0.6, "needs improvement"),
        (0.5999, "poor"),
    ],
)
def test_bands_begin_at_their_floor(score, name):
    assert band(score) == name


def test_a_check_that_does_not_apply_is_left_out_of_the_mean():
    assert validation_term([check(ARTIFACTS, 1, 1), check(CRITERIA, 0, 0, applicable=False)]) == 1.0


def test_nothing_checked_is_no_success():
    assert validation_term([]) == 0.0


def test_the_issue_term_never_falls_below_zero():
    assert issue_term([issue("critical")] * 9) == 0.0


def test_informational_issues_cost_nothing():
    assert issue_term([issue("info")] * 9) == 1.0


def test_replacing_a_check_scores_again():
    before = quality([check(INTEGRATION, 1, 1)], completeness=1, file_count=1, issues=[])
    after = with_check(before, check(INTEGRATION, 0, 1), [issue("error")])

    assert before.score == 1.0
    assert (after.validation, after.issue_penalty, after.score) == (0.0, 0.75, 0.575)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), max_size=5),
    st.floats(0, 1),
    st.floats(0, 5),
    st.lists(st.sampled_from(["critical", "error", "warning", "info"]), max_size=9),
)
def test_every_term_and_the_score_stay_within_zero_and_one(shares, completeness, file_count, severities):
    checks = [check("c", min(passed, required), required) for passed, required in shares]
    report = quality(
        checks, completeness=completeness, file_count=file_count, issues=[issue(s) for s in severities]
    )
    terms = (report.validation, report.completeness, report.file_count, report.issue_penalty, report.score)
    assert all(0 <= term <= 1 and round(term, 4) == term for term in terms)
