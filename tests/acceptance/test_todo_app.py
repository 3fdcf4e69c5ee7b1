"""The example as a whole: a real team, offline, with the order of events that early start promises."""

import json

from support.projects import Project, ran, states

CONSUMERS = ("build[acceptance_tests]", "build[web_app]")


def seq_of(result, kind, **fields):
    """Sequence number of the first event of this kind with these fields."""
    for event in result.events:
        body = event.body
        if type(body).__name__ == kind and all(getattr(body, k) == v for k, v in fields.items()):
            return event.seq
    raise AssertionError(f"no {kind} with {fields}")


def test_the_run_is_verified_and_above_the_threshold(finished_todo):
    _, result = finished_todo
    assert (result.status, result.verdict, result.exit_code) == ("completed", "verified", 0)
    assert set(result.quality) == {"acceptance_tests", "backend_api", "web_app"}
    assert result.overall_quality is not None
    assert result.overall_quality >= 0.8


def test_every_consumer_is_built_on_the_mock_and_rechecked_against_the_real_provider(finished_todo):
    _, result = finished_todo
    final = states(result)
    for node in CONSUMERS:
        assert final[node] == "succeeded_on_mock"
        assert final[f"recheck[backend_api/{node}]"] == "succeeded"
    assert final["build[backend_api]"] == final["integrate[backend_api]"] == "succeeded"


def test_the_mock_is_up_before_the_frontend_starts_and_the_backend_ends_after_that(finished_todo):
    _, result = finished_todo
    mock_ready = seq_of(result, "NodeFinished", node="mock[backend_api]")
    frontend_started = seq_of(result, "AttemptStarted", node="build[web_app]")
    backend_finished = seq_of(result, "NodeFinished", node="build[backend_api]")
    assert mock_ready < frontend_started < backend_finished


def test_each_consumer_had_a_mock_served_and_the_rechecks_a_real_provider(finished_todo):
    _, result = finished_todo
    ready = [event.body for event in result.events if type(event.body).__name__ == "ServiceReady"]
    stopped = {event.body.lease for event in result.events if type(event.body).__name__ == "ServiceStopped"}
    assert sum(1 for body in ready if body.mode == "mock") >= len(CONSUMERS)
    assert sum(1 for body in ready if body.mode == "real") >= 1 + len(CONSUMERS)
    assert {body.lease for body in ready} == stopped


def test_one_at_a_time_makes_the_same_files(finished_small, tmp_path):
    parallel, _ = finished_small
    alone = Project(tmp_path / "alone", tmp_path / "state", "todo-app").shrink()
    result = alone.apply(max_concurrency=1)
    assert result.verdict == "verified"
    assert alone.digests() == parallel.digests()


def test_waves_make_the_same_files(finished_small, tmp_path):
    from maestro_dsl.lang.model import Schedule

    parallel, _ = finished_small
    waves = Project(tmp_path / "waves", tmp_path / "state", "todo-app").shrink()
    assert waves.apply(schedule=Schedule.WAVES).verdict == "verified"
    assert waves.digests() == parallel.digests()


def test_the_output_has_the_layout_that_is_documented(finished_todo):
    project, _ = finished_todo
    names = set(project.digests()) | {
        path.relative_to(project.output).as_posix() for path in project.output.rglob("*.json")
    }
    assert {
        "contracts/backend_api_spec.yaml",
        "contracts/backend_api_mock_server.js",
        "contracts/backend_api_README.md",
        "contracts/validation_report.json",
        "quality_report.json",
        "backend_developer/server.py",
        "backend_developer/README.md",
        "frontend_developer/index.html",
        "frontend_developer/client.js",
        "qa_engineer/README.md",
    } <= names


def test_the_reports_state_five_checks_and_the_parts_of_the_score(finished_todo):
    project, result = finished_todo
    validation = json.loads((project.output / "contracts/validation_report.json").read_text())
    quality = json.loads((project.output / "quality_report.json").read_text())
    backend = validation["contracts"]["backend_api"]
    assert [check["name"] for check in backend["checks"]] == [
        "artifacts_present",
        "acceptance_criteria_met",
        "structure_as_declared",
        "quality_standard",
        "integration_points_compatible",
    ]
    assert backend["fulfilled"] is True
    parts = quality["contracts"]["backend_api"]
    weighted = (
        0.4 * parts["validation"]
        + 0.3 * parts["completeness"]
        + 0.2 * parts["file_count"]
        + 0.1 * parts["issue_penalty"]
    )
    assert abs(weighted - parts["score"]) < 1e-4
    assert quality["overall_quality_score"] == result.overall_quality


def test_a_second_run_does_nothing(experienced):
    experienced.apply()
    before = experienced.digests()
    again = experienced.apply()
    assert ran(again) == set()
    assert set(states(again).values()) == {"cached"}
    assert again.exit_code == 0
    assert experienced.digests() == before
