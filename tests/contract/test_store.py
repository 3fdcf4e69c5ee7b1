"""What every implementation of the engine's `Store` has to keep, the fake of the tests included."""

from __future__ import annotations

import contextlib
import importlib
from dataclasses import replace

import pytest
from support.plans import run_record

from maestro_dsl.engine.events import (
    AttemptFinished,
    AttemptStarted,
    Event,
    FileRef,
    Issue,
    RunStarted,
    Usage,
)
from maestro_dsl.engine.ports.storage import CachedResult
from maestro_dsl.errors import StateError
from maestro_dsl.storage.journal import Journal


def _implementations():
    names = ["Journal"]
    with contextlib.suppress(ImportError):
        testing = importlib.import_module("maestro_dsl.testing")
        names += [name for name in ("MemoryStore",) if hasattr(testing, name)]
    return names


@pytest.fixture(params=_implementations())
def store(request, tmp_path):
    if request.param == "Journal":
        journal = Journal.open(tmp_path / "state")
        yield journal
        journal.close()
    else:
        yield getattr(importlib.import_module("maestro_dsl.testing"), request.param)()


def record(run_id="run-1", *, created_at=100.0):
    return run_record(run_id, at=created_at, plan_id="todo", plan_digest="d" * 64, output="/project/build")


def started(seq, run_id="run-1"):
    body = RunStarted(plan_id="todo", plan_digest="d" * 64, output="/project/build", tool_version="1")
    return Event(run_id=run_id, seq=seq, at=100.0 + seq, body=body)


def attempt(seq, run_id="run-1"):
    body = AttemptStarted(node=f"build[{seq}]", attempt=1, round=1, fence=1, key="k" * 64)
    return Event(run_id=run_id, seq=seq, at=100.0 + seq, body=body)


def result(key="a" * 64, **changes):
    base = CachedResult(
        key=key,
        node="build[api]",
        parts={"prompt": "p" * 64, "interface:api": "i" * 64},
        result_digest="r" * 64,
        files=(FileRef(path="api/app.py", digest="f" * 64, size=3, executable=True),),
        state="succeeded",
        score=0.95,
        outputs={"port": 8000, "names": ["a", None]},
        tokens=1200,
        nano_usd=4_000_000,
    )
    return replace(base, **changes)


def test_events_come_back_equal_and_in_order(store):
    store.create_run(record(), b'{"plan":1}')
    issue = Issue(severity="error", message='Größe "x" \u2028 fehlt', check="ruff", file="a.py", line=3)
    finished = AttemptFinished(
        node="build[api]",
        attempt=1,
        round=1,
        fence=1,
        failure="invalid",
        issues=(issue,),
        healed=("final newline",),
        score=0.1 + 0.2,
        usage=Usage(input_tokens=1, cache_read_tokens=2),
    )
    written = [started(1), attempt(2), Event(run_id="run-1", seq=3, at=103.25, body=finished)]
    store.append(written[:1], 1)
    store.append(written[1:], 1)
    assert list(store.events("run-1")) == written


def test_events_after_a_sequence_number(store):
    store.create_run(record(), b"{}")
    written = [started(1), attempt(2), attempt(3)]
    store.append(written, 1)
    assert list(store.events("run-1", after=1)) == written[1:]
    assert list(store.events("run-1", after=3)) == []


def test_a_run_without_events_has_none(store):
    store.create_run(record(), b"{}")
    assert list(store.events("run-1")) == []


def test_runs_do_not_see_each_others_events(store):
    store.create_run(record(), b"{}")
    store.create_run(record("run-2"), b"{}")
    store.append([started(1)], 1)
    store.append([started(1, "run-2"), attempt(2, "run-2")], 1)
    assert [event.seq for event in store.events("run-1")] == [1]
    assert [event.run_id for event in store.events("run-2")] == ["run-2", "run-2"]


def test_an_older_epoch_is_refused_and_adds_nothing(store):
    store.create_run(record(), b"{}")
    store.append([started(1)], 1)
    store.append([attempt(2)], 2)
    with pytest.raises(StateError):
        store.append([attempt(3)], 1)
    assert [event.seq for event in store.events("run-1")] == [1, 2]


def test_the_plan_comes_back_as_bytes(store):
    store.create_run(record(), b'{"plan":"\xc3\xa4"}')
    assert store.plan("run-1") == b'{"plan":"\xc3\xa4"}'


def test_runs_are_listed_newest_first(store):
    for name, at in (("run-1", 100.0), ("run-2", 200.0), ("run-3", 300.0)):
        store.create_run(record(name, created_at=at), b"{}")
    assert [run.run_id for run in store.runs()] == ["run-3", "run-2", "run-1"]


def put(store, *results, plan_id="todo", run_id="run-1"):
    """Append one event that speaks of results, in a run of its own the first time."""
    if run_id not in {run.run_id for run in store.runs()}:
        store.create_run(record(run_id), b"{}")
    last = max((event.seq for event in store.events(run_id)), default=0)
    store.append([attempt(last + 1, run_id)], 1, results, plan_id)


def test_results_are_found_by_key(store):
    put(store, result())
    assert store.result("a" * 64) == result()
    assert store.result("b" * 64) is None


def test_a_result_put_again_takes_the_place_of_the_older(store):
    put(store, result())
    put(store, result(tokens=1))
    assert store.result("a" * 64) == result(tokens=1)


def test_the_last_result_of_a_node_is_the_newest_put(store):
    put(store, result("a" * 64))
    put(store, result("b" * 64))
    put(store, result("c" * 64), plan_id="another plan", run_id="run-2")
    assert store.last_result("todo", "build[api]") == result("b" * 64)
    put(store, result("a" * 64))
    assert store.last_result("todo", "build[api]") == result("a" * 64)
    assert store.last_result("todo", "build[web]") is None


def test_results_of_one_append_new_old_and_twice(store):
    put(store, result("a" * 64))
    put(
        store, result("a" * 64, tokens=2), result("b" * 64, node="build[web]"), result("b" * 64, node="other")
    )
    assert store.result("a" * 64).tokens == 2
    assert store.result("b" * 64).node == "other"
    assert store.last_result("todo", "build[web]").key == "b" * 64
    put(store, result("c" * 64), result("c" * 64, tokens=3))
    assert store.result("c" * 64).tokens == 3


def test_a_refused_append_remembers_no_result(store):
    store.create_run(record(), b"{}")
    store.append([started(1)], 2)
    with pytest.raises(StateError):
        store.append([attempt(2)], 1, [result()], "todo")
    assert store.result("a" * 64) is None
