"""Whatever byte of the stored state is changed or cut off: it is noticed, or it made no difference."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.plans import run_record

from maestro_dsl.engine.events import AttemptStarted, Event, FileRef, RunFinished, RunStarted
from maestro_dsl.engine.ports.storage import CachedResult
from maestro_dsl.errors import MaestroError
from maestro_dsl.storage.artifacts import Artifacts
from maestro_dsl.storage.journal import Journal
from maestro_dsl.storage.output import OutputFolder

RUNS = ("run-1", "run-2", "run-3")
CONTENTS = (b"", b"a", b"some text\n" * 40)


def stored(key):
    return CachedResult(
        key=key * 64,
        node="n",
        parts={"prompt": "p"},
        result_digest="r",
        files=(FileRef(path="a.py", digest="f" * 64, size=1),),
        state="succeeded",
        score=1.0,
        outputs={},
        tokens=1,
        nano_usd=1,
    )


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    state = tmp_path_factory.mktemp("good")
    journal = Journal.open(state)
    for number, run_id in enumerate(RUNS):
        at = float(number)
        record = run_record(run_id, at=at, plan_digest="d" * 64)
        journal.create_run(record, b'{"plan":%d}' % number)
        start = RunStarted(plan_id="p", plan_digest="d" * 64, output="/out", tool_version="1")
        attempts = [
            AttemptStarted(node=f"build[{n}]", attempt=1, round=1, fence=1, key="k" * 64) for n in range(20)
        ]
        end = RunFinished(status="completed", verdict="verified")
        bodies = [start, *attempts, end]
        events = [Event(run_id=run_id, seq=n, at=at, body=b) for n, b in enumerate(bodies, 1)]
        journal.append(events, 1, [stored(key) for key in "ab"] if number == 0 else (), "p")
    journal.close()
    artifacts = Artifacts(state)
    digests = [artifacts.put(content) for content in CONTENTS]
    refs = [FileRef(path=f"f{n}", digest=digest, size=0) for n, digest in enumerate(digests)]
    OutputFolder(state / "out", artifacts).publish("n", "k", refs)
    return state


def read_journal(state):
    journal = Journal.open(state)
    try:
        return (
            journal.runs(),
            [journal.run(run_id) for run_id in RUNS],
            [journal.plan(run_id) for run_id in RUNS],
            [list(journal.events(run_id)) for run_id in RUNS],
            [list(journal.events(run_id, after=7)) for run_id in RUNS],
            [journal.result(key * 64) for key in "abc"],
            journal.last_result("p", "n"),
            journal.last_result("p", "m"),
        )
    finally:
        journal.close()


def noticed_or_equal(good, damage, file, read):
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        shutil.copytree(good, state)
        path = state / file
        path.write_bytes(damage(path.read_bytes()))
        try:
            found = read(state)
        except MaestroError:
            return
        assert found == read(good)


@st.composite
def damages(draw):
    place = draw(st.floats(0, 1, exclude_max=True))
    mask = draw(st.integers(1, 255))
    cut = draw(st.booleans())

    def damage(content):
        at = int(place * len(content))
        if cut or not content:
            return content[:at]
        return content[:at] + bytes([content[at] ^ mask]) + content[at + 1 :]

    return damage


@given(damages())
def test_the_journal(good, damage):
    noticed_or_equal(good, damage, "journal.db", read_journal)


@given(damages(), st.integers(0, len(CONTENTS) - 1))
def test_artifacts(good, damage, which):
    digest = Artifacts(good).put(CONTENTS[which])
    file = f"objects/{digest[:2]}/{digest[2:]}"
    noticed_or_equal(good, damage, file, lambda state: Artifacts(state).get(digest))


@given(damages())
def test_the_manifest(good, damage):
    def read(state):
        return dict(OutputFolder(state / "out", Artifacts(state)).files())

    noticed_or_equal(good, damage, "out/.maestro/manifest.json", read)
