from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from support.states import Place

from maestro_dsl.app import wiring
from maestro_dsl.app.retention import MIN_FREE_BYTES, SpaceGuard, after_run, collect_garbage, settings_of
from maestro_dsl.app.state import State
from maestro_dsl.codec import digest_bytes
from maestro_dsl.compiler.plan import KeyPart, PlanNode
from maestro_dsl.errors import EnvironmentFailure
from maestro_dsl.lang.model import StateSettings
from maestro_dsl.storage.state_dir import StateDir
from maestro_dsl.testing import FixedClock


class Control:
    def __init__(self):
        self.paused = []

    def pause(self, reason, by):
        self.paused.append((reason, by))


def guard(free, clock=None):
    control = Control()
    made = SpaceGuard((Path("/state"), Path("/out")), control, clock or FixedClock(), free=lambda _: free[0])
    return made, control


def test_a_run_does_not_begin_where_there_is_no_room():
    full, _ = guard([MIN_FREE_BYTES - 1])
    with pytest.raises(EnvironmentFailure, match="only 63 MiB are free for /state, 64 are needed"):
        full.require()
    guard([MIN_FREE_BYTES])[0].require()


def test_a_run_pauses_once_while_there_is_room_to_end_well():
    free, now = [MIN_FREE_BYTES], [0.0]
    watch, control = guard(free, FixedClock(elapsed=lambda: now[0]))
    watch.on_event(None)
    free[0] = 1
    watch.on_event(None)  # looks once a second
    assert control.paused == []
    now[0] = 1.5
    watch.on_event(None)
    now[0] = 9.0
    watch.on_event(None)
    assert control.paused == [
        ("only 0 MiB are free for /state, 64 are needed; free some space, then resume", "guardrail")
    ]


def test_what_a_project_does_not_state_is_the_default():
    assert settings_of(StateSettings(keep_runs=3)) == {"runs": 3, "age_s": 2_592_000.0, "size": 10 * 1024**3}
    assert settings_of(None) == settings_of(StateSettings())


def test_the_cleaning_after_a_run_waits_until_it_is_worth_it(tmp_path):
    place = Place(tmp_path)
    with closing(place.journal):
        state = State(
            place=StateDir(path=tmp_path, origin="test"), journal=place.journal, artifacts=place.artifacts
        )
        now = (tmp_path / "state.json").stat().st_mtime
        clock = FixedClock(start=now + 10)
        for number in range(52):
            place.run(f"r{number:02}", now + number)
        assert after_run(state, clock) is None
        assert len(after_run(state, FixedClock(start=now + 90_000)).runs) == 2  # a day later
        for number in range(5):
            place.run(f"s{number}", now + 100 + number)
        assert len(after_run(state, clock).runs) == 5
        assert len(place.ids()) == 50


def test_cleaning_by_hand_takes_other_figures(tmp_path):
    place = Place(tmp_path)
    with closing(place.journal):
        for number in range(4):
            place.run(f"r{number}", 1.0e9 + number)
    dry = collect_garbage(environ={}, state_dir=tmp_path, dry_run=True, runs=1)
    done = collect_garbage(environ={}, state_dir=tmp_path, runs=1)
    assert dry.cleaned.runs == done.cleaned.runs == ("r2", "r1", "r0")
    assert done.cleaned.waiting > 0  # their contents are a moment old


def test_a_script_that_changed_since_the_plan_is_noticed(tmp_path):
    script = tmp_path / "s.yaml"
    script.write_text("answers: []")
    part = KeyPart(name="script", digest=digest_bytes(b"answers: []"))
    node = PlanNode(address="n", node="n", action="fulfil", key_parts=(part,))
    assert wiring.script_unchanged(node, "scripted:s.yaml", tmp_path)
    script.write_text("answers: [{}]")
    assert not wiring.script_unchanged(node, "scripted:s.yaml", tmp_path)
    script.unlink()
    assert not wiring.script_unchanged(node, "scripted:s.yaml", tmp_path)
    assert wiring.script_unchanged(PlanNode(address="n", node="n", action="x"), "scaffold", tmp_path)
