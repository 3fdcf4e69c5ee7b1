import asyncio
import dataclasses
import io
import json
import os
import signal
from pathlib import Path

import pytest
from support.plans import run_record

from maestro_dsl import app
from maestro_dsl.app.values import Compiled, PlanReport, RunList, RunResult
from maestro_dsl.cli.context import Session
from maestro_dsl.cli.durations import read_durations
from maestro_dsl.cli.main import execute
from maestro_dsl.cli.running import drive
from maestro_dsl.compiler.estimate import estimate
from maestro_dsl.diagnostics import Diagnostics
from maestro_dsl.engine.events import Event, NodeFinished, RunPaused, ServiceStopped
from maestro_dsl.engine.ports.attempts import QualityReport
from maestro_dsl.errors import Interrupted, UsageError
from maestro_dsl.reporters.lines import Quiet
from maestro_dsl.reporters.plan import Forecast

SCORE = QualityReport(
    validation=1.0, completeness=1.0, file_count=0.9, issue_penalty=0.9, score=0.97, band="excellent"
)


class FakeApp:
    """Stands in for the composition root: reports the sample plan and replays the sample events."""

    def __init__(self, plan, events):
        self.plan, self.events = plan, events
        self.cost = 0
        self.exit_code = 0
        self.applied = []
        self.reported = []
        self.continues = None
        self.status = "completed"

    def plan_report(self, plan_file, **more):
        self.reported.append(more)
        return PlanReport(
            compiled=Compiled(plan=self.plan, diagnostics=Diagnostics(), sources={}),
            plan=self.plan,
            estimate=dataclasses.replace(estimate(self.plan, {}), worst_nano_usd=self.cost),
            forecast={
                node.address: Forecast(address=node.address, action="run", reason="never run")
                for node in self.plan.nodes
            },
            conflicts=(),
            output=Path("/out"),
            state_dir=Path("/state"),
            state_origin="--state-dir",
            continues=self.continues,
            plan_file=plan_file,
        )

    def result(self, count=None):
        return RunResult(
            run_id=self.events[0].run_id,
            plan=self.plan,
            events=self.events[:count],
            output=Path("/out"),
            state_dir=Path("/state"),
            status="completed" if count is None else "running",
            verdict="verified" if count is None else "",
            quality={contract.id: SCORE for contract in self.plan.contracts},
            overall_quality=SCORE.score,
            quality_threshold=0.8,
            estimate=None,
            exit_code=self.exit_code,
        )

    async def apply(self, _report, *, options, environ, sinks, stop):
        del environ, stop
        self.applied.append(options)
        for event in self.events:
            for sink in sinks:
                sink.on_event(event)
        return self.result()

    async def resume(self, run_id, *, sinks, **_more):
        self.applied.append(run_id)
        for event in self.events[10:]:
            for sink in sinks:
                sink.on_event(event)
        return self.result()

    def show_run(self, _run_id, **_more):
        return self.result(10) if self.continues or self.status == "running" else self.result()

    def list_runs(self, **_more):
        record = run_record(
            self.events[0].run_id,
            plan_id="todo_app",
            output="/out\x1b[2J",
            status=self.status,
            verdict="verified",
            created_at=1_800_000_000.0,
            updated_at=1_800_000_004.0,
        )
        return RunList(
            runs=(record,), live=frozenset(), state_dir=Path("/state"), state_origin="MAESTRO_STATE_DIR"
        )


@pytest.fixture
def fake(monkeypatch, sample_plan, sample_events):
    found = FakeApp(sample_plan, sample_events)
    for name in ("plan_report", "apply", "resume", "show_run", "list_runs"):
        monkeypatch.setitem(vars(app), name, getattr(found, name))
    return found


def test_apply_writes_lines_and_a_summary(fake, capsys, golden):
    assert execute(["apply", "plan.yaml", "--auto-approve"]) == 0
    output = capsys.readouterr()
    assert output.err.splitlines()[-1] == f"next: maestro show {fake.events[0].run_id}"
    assert "build[web_app]: attempt 1 started, interface backend_api changed" in output.err
    golden("cli/apply_stdout.txt", output.out)


def test_apply_returns_the_run_s_exit_code(fake, capsys):
    fake.exit_code = 1
    assert execute(["apply", "plan.yaml", "--auto-approve"]) == 1
    assert "next: maestro logs" in capsys.readouterr().err


def test_apply_as_json_is_one_document(fake, capsys):
    assert execute(["apply", "plan.yaml", "--auto-approve", "--format", "json", "--progress", "json"]) == 0
    output = capsys.readouterr()
    assert json.loads(output.out)["verdict"] == "verified"
    events = [json.loads(line) for line in output.err.splitlines() if line.startswith("{")]
    assert len(events) == len(fake.events)


def test_apply_without_a_terminal_needs_approval_where_it_may_cost(fake, capsys):
    fake.cost = 5
    assert execute(["apply", "plan.yaml"]) == 2
    assert "--auto-approve" in capsys.readouterr().err
    assert not fake.applied
    fake.cost = 0
    assert execute(["apply", "plan.yaml"]) == 0


@pytest.mark.parametrize(("answer", "code", "runs"), [("y\n", 0, 1), ("n\n", 130, 0)])
def test_apply_on_a_terminal_shows_the_plan_and_asks(answer, code, runs, fake, capsys, monkeypatch):
    monkeypatch.setattr("maestro_dsl.cli.main.is_terminal", lambda: True)
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert execute(["apply", "plan.yaml"]) == code
    shown = capsys.readouterr().err
    assert "Wave 1" in shown
    assert "8 nodes: 8 to run. Run it? [y/N]" in shown
    assert len(fake.applied) == runs


def test_no_input_never_asks(fake, monkeypatch, capsys):
    monkeypatch.setattr("maestro_dsl.cli.main.is_terminal", lambda: True)
    fake.cost = None
    assert execute(["--no-input", "apply", "plan.yaml"]) == 2
    assert "this run may cost money" in capsys.readouterr().err


def test_dry_run_runs_nothing(fake, capsys):
    assert execute(["apply", "plan.yaml", "--dry-run"]) == 0
    assert not fake.applied
    assert "Wave 1" in capsys.readouterr().out


@pytest.mark.usefixtures("fake")
def test_plan_detailed_exit_code(capsys):
    assert execute(["plan", "plan.yaml"]) == 0
    assert execute(["plan", "plan.yaml", "--detailed-exitcode"]) == 10
    assert "next: maestro apply plan.yaml" in capsys.readouterr().err


def test_settings_of_the_command_line_reach_the_app(fake, capsys):
    arguments = ["--env", "ci", "--set", "n=3", "--set", "who=me", "apply", "plan.yaml", "--auto-approve"]
    more = [
        "--max-cost",
        "2.5",
        "--schedule",
        "waves",
        "--max-concurrency",
        "1",
        "--no-resume",
        "--fail-fast",
    ]
    assert execute([*arguments, *more]) == 0
    overrides = fake.reported[0]["overrides"]
    assert overrides.max_cost_nano_usd == 2_500_000_000
    assert (overrides.schedule, overrides.max_concurrency, overrides.env_name) == ("waves", 1, "ci")
    assert overrides.sets == {"n": 3, "who": "me"}
    assert (fake.applied[0].resume, fake.applied[0].fail_fast) == (False, True)
    capsys.readouterr()


def test_apply_that_continues_says_so_and_shows_the_new_only(fake, capsys):
    fake.continues = fake.events[0].run_id
    assert execute(["apply", "plan.yaml", "--auto-approve"]) == 0
    shown = capsys.readouterr().err
    assert "continuing the unfinished run" in shown
    assert "run of todo_app started" not in shown


def test_resume_shows_the_new_only(fake, capsys):
    assert execute(["resume"]) == 5
    assert "no unfinished run in /state" in capsys.readouterr().err
    fake.status = "running"
    assert execute(["resume"]) == 0
    shown = capsys.readouterr().err
    assert fake.applied == [fake.events[0].run_id]
    assert "run of todo_app started" not in shown
    assert "integrate[backend_api]: succeeded" in shown


def test_resume_prefers_a_run_of_this_project_where_many_share_a_state(fake, capsys, monkeypatch, tmp_path):
    (tmp_path / "maestro.yaml").touch()
    (tmp_path / "deep").mkdir()
    fake.status = "paused"
    (newest,) = fake.list_runs().runs
    here = dataclasses.replace(newest, run_id="of-this-project", output=str(tmp_path / "build"))
    both = RunList(
        runs=(newest, here), live=frozenset(), state_dir=Path("/state"), state_origin="--state-dir"
    )
    wanted = []
    monkeypatch.setattr(app, "list_runs", lambda **_: both)
    monkeypatch.setattr(app, "show_run", lambda run_id, **_: wanted.append(run_id) or fake.result())
    assert execute(["-C", str(tmp_path / "deep"), "resume"]) == 0
    (tmp_path / "maestro.yaml").unlink()
    assert execute(["-C", str(tmp_path / "deep"), "resume"]) == 0
    assert wanted == ["of-this-project", newest.run_id]
    assert "is unfinished; going on with todo_app in /out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("status", "shown"),
    [("running", "running (interrupted)"), ("paused", "paused"), ("completed", "completed")],
)
def test_a_run_whose_process_died_is_not_shown_as_at_work(fake, capsys, status, shown):
    fake.status = status
    assert execute(["runs"]) == 0
    assert f"  {shown}  " in capsys.readouterr().out


def test_show_of_a_run_whose_process_died_says_how_to_go_on(fake, capsys):
    fake.status = "running"
    assert execute(["show", "last"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[0].endswith(": running (interrupted)")
    assert err == f"next: maestro resume {fake.events[0].run_id}\n"


def test_runs_show_and_logs(fake, capsys, monkeypatch):
    assert execute(["runs"]) == 0
    listed = capsys.readouterr()
    assert "todo_app" in listed.out
    assert "\x1b" not in listed.out
    assert execute(["show", "last", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "completed"
    assert execute(["logs", "last", "--node", "build[web_app]"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert execute(["logs", "last", "--format", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["events"]) == len(fake.events)
    assert execute(["logs", "last", "--format", "jsonl"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(fake.events)
    monkeypatch.setitem(vars(app), "run_events", lambda *_names, **_more: ())
    assert execute(["logs", "last", "-f"]) == 0
    assert "run completed: verified" in capsys.readouterr().out


def test_logs_of_a_node_that_the_run_has_not(fake, capsys):
    assert execute(["logs", "last", "--node", "build[web_ap]"]) == 2
    message = capsys.readouterr().err
    assert (
        f'run {fake.events[0].run_id} has no node "build[web_ap]": did you mean "build[web_app]"?' in message
    )


def test_logs_follow_what_a_paused_run_lets_end_and_say_how_to_go_on(fake, capsys, monkeypatch):
    """A pause is no end while its process lives, and what comes after the end of a run is no pause."""
    pause = Event(run_id="r", seq=11, at=fake.events[9].at, body=RunPaused(reason="enough", by="person"))
    looks = iter([True, True, False])

    def show_run(*_names, **_more):
        found = dataclasses.replace(fake.result(10), status="paused", live=next(looks))
        return dataclasses.replace(found, events=(*found.events, pause))

    ended = next(item for item in fake.events if isinstance(item.body, NodeFinished))
    later = [(), (dataclasses.replace(ended, seq=12),), (), ()]
    monkeypatch.setitem(vars(app), "show_run", show_run)
    monkeypatch.setitem(vars(app), "run_events", lambda *_names, **_more: later.pop(0))
    monkeypatch.setattr("maestro_dsl.cli.logs._POLL_S", 0.0)
    assert execute(["logs", "last", "-f"]) == 0
    out, err = capsys.readouterr()
    assert "mock[backend_api]: cached" in out.partition("run paused: enough")[2]
    assert later == []
    assert err == f"the run is not live; go on with: maestro resume {fake.events[0].run_id}\n"


def test_logs_of_a_run_that_ended_follow_to_its_last_event(fake, capsys, monkeypatch):
    after = Event(
        run_id="r",
        seq=99,
        at=fake.events[-1].at,
        body=ServiceStopped(contract_id="a", mode="mock", lease="l"),
    )
    fake.events = [*fake.events, after]
    monkeypatch.setitem(vars(app), "run_events", lambda *_names, **_more: ())
    assert execute(["logs", "last", "-f"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_the_first_signal_stops_gracefully_and_says_how_to_go_on(fake, number, code):
    async def work(_sinks, stop):
        os.kill(os.getpid(), number)
        await stop.wait()
        return fake.result(10)

    with pytest.raises(Interrupted) as caught:
        drive(work, Quiet(), Session(verbosity=-1))
    assert caught.value.exit_code == code
    assert caught.value.hint == f"go on with: maestro resume {fake.events[0].run_id}"


def test_a_signal_that_was_ignored_before_stays_ignored(fake):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)

    async def work(_sinks, stop):
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0)
        assert not stop.is_set()
        return fake.result()

    try:
        assert drive(work, Quiet(), Session(verbosity=-1)).status == "completed"
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_second_signal_cancels_and_still_cleans_up():
    cleaned = []

    async def work(_sinks, stop):
        os.kill(os.getpid(), signal.SIGINT)
        await stop.wait()
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(True)

    with pytest.raises(Interrupted, match="interrupted"):
        drive(work, Quiet(), Session(verbosity=-1))
    assert cleaned == [True]


def test_durations_are_seconds_or_units(tmp_path):
    file = tmp_path / "d.json"
    file.write_text('{"build[a]": "1h30m", "build[b]": 45, "c": "0.5s"}')
    assert read_durations(file) == {"build[a]": 5400.0, "build[b]": 45.0, "c": 0.5}
    for bad in ('{"a": "soon"}', '{"a": -1}', '{"a": true}', "[]", "nonsense"):
        file.write_text(bad)
        with pytest.raises(UsageError):
            read_durations(file)
