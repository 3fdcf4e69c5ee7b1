"""`report`: what was verified decides, and figures of this run stand apart."""

import json

from maestro_dsl.actions.fulfil import Fulfil
from maestro_dsl.actions.report import Report
from maestro_dsl.codec import canonical
from maestro_dsl.engine.events import Issue
from maestro_dsl.engine.ports.attempts import AttemptResult, InputResult, Verdict


def reports(bench, *inputs):
    result = bench.work(Report(), bench.spec("report", inputs=inputs, contract=None))
    files = {ref.path: json.loads(bench.artifacts.get(ref.digest)) for ref in result.files}
    return files["contracts/validation_report.json"], files["quality_report.json"]


def built(bench, **more):
    result = bench.work(Fulfil(), bench.spec(**more))
    digest = bench.artifacts.put(canonical(result))
    return InputResult(node="build[thing]", contract_id="thing", result_digest=digest, files=result.files)


def judged(bench, verdict, *issues):
    found = Verdict(
        contract_id="thing", verdict=verdict, fulfilled=verdict == "fulfilled", score=0.5, issues=issues
    )
    digest = bench.artifacts.put(canonical(AttemptResult(verdict=found)))
    return InputResult(node="integrate[thing]", contract_id="thing", result_digest=digest)


def test_a_verified_contract_is_fulfilled(bench):
    validation, quality = reports(bench, built(bench), judged(bench, "fulfilled"))
    assert validation["contracts"]["thing"]["fulfilled"] is True
    assert quality["overall_quality_score"] == 1.0
    assert quality["below_threshold"] == []


def test_what_nobody_verified_is_not_fulfilled(bench):
    validation, _ = reports(bench, built(bench))
    assert validation["contracts"]["thing"]["fulfilled"] is False


def test_a_negative_verdict_lowers_the_score_and_is_listed(bench):
    issue = Issue(severity="error", check="status", message="GET /x answers 500", operation="getX")
    validation, quality = reports(bench, built(bench), judged(bench, "not_fulfilled", issue))
    thing = validation["contracts"]["thing"]
    assert thing["fulfilled"] is False
    assert [item["operation"] for item in thing["issues"]] == ["getX"]
    assert quality["contracts"]["thing"]["issue_penalty"] == 0.75
    assert quality["overall_quality_score"] < 1.0


def test_what_could_not_be_verified_counts_as_not_passed(bench):
    validation, _ = reports(bench, built(bench), judged(bench, "could_not_verify"))
    thing = validation["contracts"]["thing"]
    check = next(item for item in thing["checks"] if item["name"] == "integration_points_compatible")
    assert (check["passed"], check["required"], check["unjudged"]) == (0, 1, ["thing"])
    assert thing["fulfilled"] is False


def test_a_contract_that_was_not_built_is_below_every_threshold(bench):
    validation, quality = reports(bench)
    assert validation["contracts"]["thing"]["score"] == 0.0
    assert quality["below_threshold"] == ["thing"]
    assert quality["overall_quality_score"] == 0.0


def test_only_the_part_called_run_differs_between_equal_runs(bench):
    inputs = (built(bench), judged(bench, "fulfilled"))
    one = reports(bench, *inputs)
    spec = bench.spec("report", inputs=inputs, contract=None, run_id="another")
    again = bench.work(Report(), spec)
    files = {ref.path: json.loads(bench.artifacts.get(ref.digest)) for ref in again.files}
    assert files["contracts/validation_report.json"] == one[0]
    assert files["quality_report.json"].pop("run") != one[1].pop("run")
    assert files["quality_report.json"] == one[1]
