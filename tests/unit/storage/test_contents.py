"""Small contents in the journal: found as files are, verified, exported, and cleaned up in time."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from support.plans import run_record
from support.states import ALWAYS, Place

from maestro_dsl.app.system import SystemRand
from maestro_dsl.codec import canonical, digest_bytes
from maestro_dsl.engine.events import AttemptFinished, AttemptStarted, Event, NodeFinished, RunFinished
from maestro_dsl.engine.events import RunStarted as Started
from maestro_dsl.engine.ports.attempts import AttemptResult
from maestro_dsl.engine.ports.storage import CachedResult, RunRecord
from maestro_dsl.errors import IntegrityError, StateError
from maestro_dsl.storage.archive import Archive
from maestro_dsl.storage.artifacts import Artifacts
from maestro_dsl.storage.contents import Contents
from maestro_dsl.storage.journal import Journal
from maestro_dsl.storage.retention import GRACE_S, Keep
from maestro_dsl.storage.verify import verify_state


@pytest.fixture
def place(tmp_path):
    made = Place(tmp_path / "state")
    made.artifacts = Artifacts(made.folder, made.journal.contents)
    yield made
    made.journal.close()


def run(place, name, *, at, note, key=None):
    """Store a run of one node whose result stands in the database; return the digest of the result."""
    record = run_record(name, at=at)
    place.journal.create_run(record, b"{}")
    content = canonical(AttemptResult(outputs={"note": note}))
    digest, key = digest_bytes(content), key or digest_bytes(b"key of " + note.encode())
    bodies = [
        Started(plan_id="p", plan_digest="d", output="/out", tool_version="1"),
        AttemptStarted(node="n", attempt=1, round=1, fence=1, key=key),
        AttemptFinished(node="n", attempt=1, round=1, fence=1, failure=None, result_digest=digest),
        NodeFinished(node="n", state="succeeded", key=key, result_digest=digest, outputs={"note": note}),
        RunFinished(status="completed", verdict="verified"),
    ]
    stored = CachedResult(
        key=key,
        node="n",
        parts={},
        result_digest=digest,
        files=(),
        state="succeeded",
        score=None,
        outputs={"note": note},
        tokens=0,
        nano_usd=0,
        made_at=at,
    )
    events = [Event(run_id=name, seq=seq, at=at, body=body) for seq, body in enumerate(bodies, 1)]
    place.journal.append(events, 1, [stored], "p", [content])
    return digest


def change(place, statement, *values):
    with closing(sqlite3.connect(place.folder / "journal.db")) as connection, connection:
        connection.execute(statement, values)


def test_a_content_comes_with_its_events_and_is_read_like_any_other(place):
    digest = run(place, "one", at=10.0, note="a")
    assert place.artifacts.has(digest)
    assert digest_bytes(place.artifacts.get(digest)) == digest
    assert [(item.digest, item.used_at, item.is_row) for item in place.artifacts.objects()] == [
        (digest, 10.0, True)
    ]
    assert not (place.folder / "objects" / digest[:2]).exists()


def test_a_refused_append_leaves_no_content(place):
    run(place, "one", at=10.0, note="a")
    late = Event(run_id="one", seq=2, at=11.0, body=RunFinished(status="failed", verdict=""))
    with pytest.raises(StateError):
        place.journal.append([late], 1, contents=[b"never named"])
    assert not place.artifacts.has(digest_bytes(b"never named"))


def test_a_damaged_content_is_noticed_counts_as_absent_and_is_replaced_by_a_good_one(place):
    digest = run(place, "one", at=10.0, note="a")
    change(place, "UPDATE contents SET content = ?", b"something else")
    assert not place.artifacts.has(digest)
    assert list(place.artifacts.verify()) == [digest]
    with pytest.raises(IntegrityError, match="differs from its digest"):
        place.artifacts.get(digest)
    found = verify_state(place.journal, place.artifacts, read_share=1.0, rand=SystemRand())
    assert [item.kind for item in found.damages] == ["content"]
    run(place, "two", at=20.0, note="a")
    assert place.artifacts.has(digest)


def test_a_content_that_is_gone_is_reported_with_whoever_names_it(place):
    run(place, "one", at=10.0, note="a")
    change(place, "DELETE FROM contents")
    found = verify_state(place.journal, place.artifacts, read_share=0.0, rand=SystemRand())
    assert [item.kind for item in found.damages] == ["missing"]


def test_contents_are_carried_to_another_state_directory(place, tmp_path):
    digest = run(place, "one", at=10.0, note="a")
    Archive(place.journal, place.artifacts, tool_version="1").export(["one"], tmp_path / "runs.zip")
    with closing(Journal.open(tmp_path / "other")) as journal:
        artifacts = Artifacts(tmp_path / "other", journal.contents)
        Archive(journal, artifacts, tool_version="1").load(tmp_path / "runs.zip")
        assert artifacts.get(digest) == place.artifacts.get(digest)
        found = verify_state(journal, artifacts, read_share=1.0, rand=SystemRand())
        assert found.damages == ()


def test_what_only_a_removed_result_named_outlives_those_who_may_have_found_it(place):
    keep = Keep(runs=1, age_s=ALWAYS)
    key = digest_bytes(b"same key")
    first = run(place, "one", at=10.0, note="a", key=key)
    second = run(place, "two", at=20.0, note="b", key=key)
    third = run(place, "three", at=30.0, note="c")  # so that the key is no node's newest result any more
    now = 10 * GRACE_S
    assert place.clean(keep, now=now, dry_run=True).objects == 1
    done = place.clean(keep, now=now)  # nobody can look `first` up: its key speaks of `second`
    assert (done.runs, done.results, done.objects) == (("two", "one"), 1, 1)
    assert {first, second, third} & place.stored() == {second, third}
    assert place.clean(keep, now=now + GRACE_S - 1).objects == 0
    assert place.clean(keep, now=now + GRACE_S + 1).objects == 1
    assert place.stored() == {third}


def test_a_content_that_is_written_again_is_not_removed_by_a_cleaning_that_began_before(place):
    digest = run(place, "one", at=10.0, note="a")
    run(place, "two", at=5_000.0, note="a")
    assert place.journal.contents.remove([digest], unused_since=4_000.0) == (0, 0)
    assert place.journal.contents.remove([digest], unused_since=6_000.0)[0] == 1


def test_many_rows_go_in_portions_and_the_last_of_a_key_wins(place):
    contents = [b"%d" % number for number in range(150)]
    started = Started(plan_id="p", plan_digest="d", output="/out", tool_version="1")
    run(place, "one", at=10.0, note="a")
    record = place.journal.run("one")
    place.journal.create_run(
        RunRecord(**{name: getattr(record, name) for name in record.__slots__} | {"run_id": "two"}), b"{}"
    )
    event = Event(run_id="two", seq=1, at=20.0, body=started)
    place.journal.append([event], 1, contents=[*contents, contents[0]])
    reader = Contents(place.journal.database)
    assert [reader.get(digest_bytes(content)) for content in contents] == contents
    assert len(place.stored()) == 151
