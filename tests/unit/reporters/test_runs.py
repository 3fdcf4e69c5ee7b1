import io
import json
import os
import pty
import re
import select
from dataclasses import replace

import pytest

from maestro_dsl.compiler.estimate import estimate
from maestro_dsl.engine.events import (
    AttemptFinished,
    AttemptStarted,
    Event,
    NodeFinished,
    RetryScheduled,
    RunStarted,
)
from maestro_dsl.engine.ports.attempts import QualityReport
from maestro_dsl.engine.state import fold
from maestro_dsl.reporters import plan as plan_reporter
from maestro_dsl.reporters import run as run_reporter
from maestro_dsl.reporters.lines import JsonLines, Plain, Quiet, describe
from maestro_dsl.reporters.live import LiveView
from maestro_dsl.reporters.plan import Forecast
from maestro_dsl.reporters.run import RunView
from maestro_dsl.reporters.run_json import json_document

DURATIONS = {"build[backend_api]": 3600.0, "build[web_app]": 2700.0, "build[acceptance_tests]": 1800.0}
START = 1_800_000_000.0


def _free(_model, _input, _output):
    return 0


@pytest.fixture
def figures(sample_plan):
    return estimate(sample_plan, DURATIONS, price=_free)


@pytest.fixture
def forecast(sample_plan):
    def one(node):
        if node.address == "build[web_app]":
            return Forecast(address=node.address, action="run", reason="prompt changed")
        if node.action == "recheck":
            return Forecast(address=node.address, action="unknown", reason=f"known after {node.rechecks}")
        return Forecast(address=node.address, action="reuse", reason="unchanged")

    return {node.address: one(node) for node in sample_plan.nodes}


@pytest.fixture
def view(sample_plan, sample_events, figures):
    score = QualityReport(
        validation=1.0, completeness=1.0, file_count=0.9, issue_penalty=0.9, score=0.97, band="excellent"
    )
    return RunView(
        plan=sample_plan,
        state=fold(sample_events),
        output="build",
        status="completed",
        verdict="verified",
        quality={"backend_api": score, "web_app": score, "acceptance_tests": score},
        overall_quality=0.97,
        estimate=figures,
    )


def test_plan_text(sample_plan, figures, forecast, golden):
    shown = plan_reporter.text(sample_plan, figures, forecast, conflicts=("web/index.html",))
    assert max(map(len, shown.splitlines())) <= 100
    golden("cli/plan.txt", shown + plan_reporter.counts(sample_plan, forecast) + "\n")


def test_plan_json(sample_plan, figures, forecast):
    document = json.loads(json.dumps(plan_reporter.json_document(sample_plan, figures, forecast)))
    node = next(item for item in document["nodes"] if item["address"] == "build[web_app]")
    assert document["format_version"] == 1
    assert node["wave"] == 2
    assert node["forecast"] == {"action": "run", "reason": "prompt changed"}
    assert node["needs"] == [{"node": "mock[backend_api]", "kind": "mock", "contract": "backend_api"}]


def test_unknown_figures_are_said_to_be_unknown(sample_plan, forecast):
    shown = plan_reporter.text(sample_plan, estimate(sample_plan, {}, price=_free), forecast)
    assert "one after another          unknown" in shown


def test_run_text(view, golden):
    shown = run_reporter.text(view)
    assert max(map(len, shown.splitlines())) <= 100
    golden("cli/run.txt", shown)


def test_a_reason_is_told_once(view, sample_events):
    node, told = "build[web_app]", "port 4010 is in use; stop what listens there"
    finished = AttemptFinished(node=node, attempt=1, round=1, fence=1, failure="fatal", message=told)
    bodies = {
        AttemptFinished: finished,
        NodeFinished: NodeFinished(node=node, state="failed", reason=f"{told}."),
    }
    events = [
        replace(item, body=bodies.get(type(item.body), item.body))
        if getattr(item.body, "node", None) == node
        else item
        for item in sample_events
    ]
    shown = run_reporter.text(replace(view, state=fold(events)))
    assert shown.count(told) == 1


def test_a_run_that_was_killed_over_its_first_attempts_did_not_have_nothing_to_do(view, sample_events):
    begun = [item for item in sample_events if isinstance(item.body, (RunStarted, AttemptStarted))]
    begun = [replace(item, seq=seq) for seq, item in enumerate(begun[:2], 1)]
    shown = run_reporter.text(replace(view, state=fold(begun), status="running", verdict=""))
    assert ": running (interrupted)\n" in shown
    assert "nothing has ended yet\n" in shown
    live = run_reporter.text(replace(view, state=fold(begun), status="running", verdict="", live=True))
    assert ": running (live)\n" in live


def test_the_reason_of_a_retry_does_not_repeat_what_failed():
    reason = "invalid, 1 of 3 attempts used"
    body = RetryScheduled(node="n", failure="invalid", delay_s=1.0, level=1, reason=reason)
    assert (
        describe(Event(run_id="r", seq=1, at=1.0, body=body))
        == "n: again in 1 s after invalid: 1 of 3 attempts used"
    )


def test_run_json(view):
    document = json.loads(json.dumps(json_document(view)))
    nodes = {node["address"]: node for node in document["nodes"]}
    assert document["verdict"] == "verified"
    assert nodes["build[backend_api]"]["attempts"] == 2
    assert nodes["build[backend_api]"]["failures"] == ["invalid"]
    first, second = nodes["build[backend_api]"]["tries"]
    assert (first["round"], first["attempt"], first["failure"], second["failure"]) == (1, 1, "invalid", None)
    assert first["tokens"] + second["tokens"] == nodes["build[backend_api]"]["tokens"]


def test_thousands_of_nodes_do_not_push_the_result_out_of_sight(view, figures, sample_plan):
    node = sample_plan.nodes[0]
    many = tuple(replace(node, address=f"work[n{number}]") for number in range(5_000))
    plan = replace(view.plan, nodes=many, waves=(tuple(item.address for item in many),))
    events = [Event(run_id="r", seq=1, at=START, body=view.state.started)]
    for item in many[:2_500]:
        body = AttemptStarted(node=item.address, attempt=1, round=1, fence=1, key="k", reason="never run")
        events.append(Event(run_id="r", seq=len(events) + 1, at=START, body=body))
    for item in many[2_500:]:
        body = NodeFinished(node=item.address, state="cached", key="k")
        events.append(Event(run_id="r", seq=len(events) + 1, at=START, body=body))
    shown = run_reporter.text(replace(view, plan=plan, state=fold(events)))
    assert len(shown.splitlines()) < 50
    assert shown.count("and 2,450 more") == 2
    for item in many[:2_500]:
        state = "gave_up" if item is many[2_400] else "cancelled"
        failure = "invalid" if state == "gave_up" else "cancelled"
        ends = (
            AttemptFinished(node=item.address, attempt=1, round=1, fence=1, failure=failure),
            NodeFinished(node=item.address, state=state, key="k", reason="enough"),
        )
        events += [
            Event(run_id="r", seq=len(events) + 1 + n, at=START, body=body) for n, body in enumerate(ends)
        ]
    shown = run_reporter.text(replace(view, plan=plan, state=fold(events)))
    assert len(shown.splitlines()) < 100
    assert "Problems\n  work[n2400]: gave up, enough\n  work[n0]: cancelled, enough\n" in shown
    assert "  and 2450 more nodes; maestro logs has all\n" in shown
    unknown = replace(figures, unknown=plan.waves[0])
    planned = plan_reporter.text(sample_plan, unknown, {})
    assert "work[n49] and 4,950 more\n" in planned
    assert len(planned.splitlines()) < 60


def test_a_good_mean_does_not_hide_the_contract_below_the_threshold(view):
    low = replace(view.quality["web_app"], score=0.5)
    shown = run_reporter.text(replace(view, quality={**view.quality, "web_app": low}, overall_quality=0.81))
    assert "Quality 0.81, but below the threshold 0.80: web_app\n" in shown
    alone = run_reporter.text(replace(view, quality={**view.quality, "web_app": low}, overall_quality=0.79))
    assert "Quality 0.79, below the threshold 0.80\n" in alone


def test_a_verified_run_says_which_contract_nothing_fulfilled(view):
    scores = {name: report for name, report in view.quality.items() if name != "acceptance_tests"}
    some = replace(view, quality=scores)
    assert "  no score for acceptance_tests: nothing in this run fulfilled it\n" in run_reporter.text(some)
    none = replace(view, quality={}, overall_quality=None)
    assert "Quality unknown\n  no score for backend_api, web_app" in run_reporter.text(none)
    assert json_document(some)["quality"]["unscored"] == ["acceptance_tests"]
    failed = run_reporter.text(replace(none, status="failed", verdict="not_fulfilled"))
    assert "no score" not in failed


def test_plain_lines(sample_plan, sample_events, golden):
    stream = io.StringIO()
    sink = Plain(sample_plan, stream)
    for event in sample_events[:8]:
        sink.on_event(event)
    sink.tick(START + 20)
    sink.tick(START + 40)
    for event in sample_events[8:]:
        sink.on_event(event)
    sink.tick(START + 4000)
    golden("cli/progress_plain.txt", stream.getvalue())


def test_plain_lines_after_a_resume_skip_the_past(sample_plan, sample_events):
    stream = io.StringIO()
    sink = Plain(sample_plan, stream)
    sink.seed(sample_events[:10])
    for event in sample_events:
        sink.on_event(event)
    assert "attempt 1 started" not in stream.getvalue().split("integrate")[0]
    assert stream.getvalue().splitlines()[0].strip().startswith("0:03.1")


def test_json_lines_are_the_journal_s_form(sample_events):
    stream = io.StringIO()
    sink = JsonLines(stream)
    for event in sample_events:
        sink.on_event(event)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert lines == [json.loads(json.dumps(event.to_json())) for event in sample_events]


class _Broken(io.StringIO):
    def write(self, _text):
        raise BrokenPipeError


@pytest.mark.parametrize("kind", ["plain", "json", "quiet", "live"])
def test_sinks_never_raise(kind, sample_plan, sample_events):
    stream = _Broken()
    sink = {
        "plain": lambda: Plain(sample_plan, stream),
        "json": lambda: JsonLines(stream),
        "quiet": Quiet,
        "live": lambda: LiveView(sample_plan, stream),
    }[kind]()
    for event in (*sample_events, *sample_events):
        sink.on_event(event)
        sink.tick(event.at)
    sink.close()


def test_lines_of_hostile_nodes_are_escaped(sample_events):
    evil = NodeFinished(node="a\x1b[2J", state="failed", reason="\x07\nfake: line")
    line = describe(type(sample_events[0])(run_id="r", seq=1, at=0.0, body=evil))
    assert line == r"a\x1b[2J: failed, \x07\nfake: line"


def _draw(plan, events, *, rows=40):
    """Draw on a real pseudo terminal and return what was written to it."""
    import fcntl
    import struct
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, 120, 0, 0))
    written = b""
    with os.fdopen(slave, "w", encoding="utf-8") as stream:
        sink = LiveView(plan, stream)
        for event in events:
            sink.on_event(event)
            sink.tick(event.at + 0.2)
            while select.select([master], [], [], 0)[0]:
                written += os.read(master, 65536)
        sink.close()
        while select.select([master], [], [], 0.05)[0]:
            written += os.read(master, 65536)
    os.close(master)
    return written.decode()


@pytest.fixture
def _terminal(monkeypatch):
    for name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.mark.usefixtures("_terminal")
def test_live_view_on_a_terminal(sample_plan, sample_events):
    drawn = _draw(sample_plan, sample_events)
    assert "\x1b[?25l" in drawn
    assert drawn.rstrip().endswith("\x1b[?25h")
    last = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn).rpartition("To-do app")[2]
    assert "8 of 8 nodes" in last
    assert "4 of 4 waves" in last
    assert "✔ succeeded on mock" in last
    assert "ptance_tests]]" in last
    assert "2.8k" in last  # the tokens of the node that needed two attempts


@pytest.mark.usefixtures("_terminal")
def test_live_view_fits_a_small_terminal(sample_plan, sample_events):
    drawn = _draw(sample_plan, sample_events[:6], rows=12)
    last = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn).rpartition("To-do app")[2]
    assert "and 4 more nodes" in last
    assert "build[web_app]" in last
