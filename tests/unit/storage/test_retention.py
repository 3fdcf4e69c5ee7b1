from __future__ import annotations

import itertools
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import pytest
from support.states import ALWAYS, Place

from maestro_dsl.errors import IntegrityError
from maestro_dsl.storage import retention as module
from maestro_dsl.storage.artifacts import Artifacts
from maestro_dsl.storage.lease import Holder, run_lock
from maestro_dsl.storage.retention import GRACE_S, Keep

ME = Holder(pid=1, host="h", since="now", command="c")
DAY = 86_400.0
NOW = 10_000_000_000.0
"""Long after the time of the files, which no test can choose."""
LONG = bool(os.environ.get("MAESTRO_TEST_LONG"))


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path)
    with closing(place.journal):
        yield place


def test_the_newest_of_each_output_are_kept_and_all_they_name(place):
    made = {name: place.run(name, at) for at, name in enumerate("abcd", 1)}
    other = place.run("other", 0.5, output="/elsewhere")
    place.age()
    cleaned = place.clean(now=NOW)
    assert cleaned.runs == ("b", "a")
    assert place.ids() == {"c", "d", "other"}
    kept = made["c"][0] | made["d"][0] | other[0]
    assert kept <= place.stored()
    assert not (made["a"][0] | made["b"][0]) - kept & place.stored()
    assert place.journal.result(made["a"][1]) is None
    assert place.journal.result(made["d"][1]) is not None
    assert place.journal.verify() == ()
    assert place.clean(now=NOW).runs == ()


def test_old_runs_go_but_the_newest_of_an_output_stays(place):
    place.run("old", NOW - 40 * DAY)
    place.run("older", NOW - 50 * DAY)
    place.run("young", NOW - DAY, output="/b")
    assert place.clean(Keep(), now=NOW).runs == ("older",)
    assert place.ids() == {"old", "young"}


@pytest.mark.parametrize("ends", ["paused", None])
def test_a_run_that_has_not_ended_stays_whole(place, ends):
    named, key = place.run("unfinished", 0.0, ends=ends)
    for at in (1.0, 2.0, 3.0):
        place.run(f"r{at}", at)
    place.age()
    cleaned = place.clean(Keep(runs=1, age_s=ALWAYS), now=NOW, limit=0)
    assert "unfinished" not in cleaned.runs
    assert cleaned.over > 0
    assert named <= place.stored()
    assert place.journal.result(key) is not None


def test_a_run_that_a_process_holds_stays(place):
    named, _ = place.run("held", 0.0)
    place.run("newer", 1.0)
    place.run("newest", 2.0)
    place.age()
    with run_lock(place.folder, "held").acquire(ME):
        cleaned = place.clean(Keep(runs=1, age_s=ALWAYS), now=NOW)
        assert (cleaned.runs, cleaned.live_runs) == (("newer",), 1)
    assert named <= place.stored()


def test_size_takes_results_that_no_run_used_and_then_the_oldest_runs(place):
    for at, name in enumerate(["a", "b", "c"], 1):
        place.run(name, at, unique=b"x" * 100_000)
    place.age()
    whole = place.clean(Keep(age_s=ALWAYS), now=NOW, dry_run=True)
    assert (whole.runs, whole.over) == ((), 0)
    cleaned = place.clean(Keep(age_s=ALWAYS), now=NOW, limit=whole.size - 150_000)
    assert cleaned.runs == ("a", "b")
    assert cleaned.over == 0
    assert place.ids() == {"c"}


def test_a_dry_run_says_the_same_and_removes_nothing(place):
    for at, name in enumerate("abcd", 1):
        place.run(name, at)
    place.age()
    before = place.stored()
    said = place.clean(now=NOW, dry_run=True)
    assert place.stored() == before
    assert len(place.ids()) == 4
    assert replace(place.clean(now=NOW), size=0) == replace(said, size=0)


def test_what_was_stored_a_moment_ago_and_is_not_named_yet_stays(place):
    young = place.artifacts.put(b"not named yet")
    newest = max(item.used_at for item in place.artifacts.objects())
    assert place.clean(now=newest + GRACE_S).waiting == 1
    assert young in place.stored()
    assert place.clean(now=newest + GRACE_S + 1).objects == 1
    assert young not in place.stored()


@pytest.mark.parametrize("rely", [lambda a: a.put(b"x"), lambda a: a.put_all([b"x"]), lambda a: a.has(X)])
def test_what_somebody_relies_on_again_is_as_good_as_new(place, rely):
    assert place.artifacts.put(b"x") == X
    place.age(10 * DAY)
    long_ago = next(place.artifacts.objects()).used_at
    rely(Artifacts(place.folder))
    assert next(place.artifacts.objects()).used_at > long_ago + 9 * DAY
    assert place.artifacts.remove([X], unused_since=long_ago + DAY) == (0, 0)
    assert place.artifacts.has(X)


X = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"


def test_nothing_stored_since_a_live_run_began_is_removed_however_slow_it_is(place):
    place.run("live", 0.0, ends=None)
    with run_lock(place.folder, "live").acquire(ME):
        slow = place.artifacts.put(b"named hours later")
        place.clean(now=NOW)
        assert slow in place.stored()
    place.clean(now=NOW)
    assert slow not in place.stored()


@pytest.mark.parametrize(
    ("damage", "left"),
    [("substr(body, 1, instr(body, char(10)) - 1)", 1), ("replace(body, char(10), '')", 1)],
)
def test_a_damaged_journal_is_not_cleaned(place, damage, left):
    place.run("a", 1.0)
    with place.journal.database.writing() as connection:
        connection.exec_driver_sql(f"UPDATE events SET body = {damage}")
    place.age()
    with pytest.raises(IntegrityError, match=f"run a has {left} of its 5 events"):
        place.clean(now=NOW)


class Killed(BaseException):
    """The process ends here."""


STEPS = ("remove_run", "remove_results", "sweep_leftovers", "shrink", "unlink")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_cleaning_that_was_killed_at_any_step_is_finished_by_the_next(tmp_path, monkeypatch, step, when):
    for call in itertools.count(1):
        place = Place(tmp_path / f"{call}")
        made = {name: place.run(name, at) for at, name in enumerate("abc", 1)}
        place.age()
        killed = False
        with monkeypatch.context() as patch:
            target = (os, "unlink") if step == "unlink" else (module, step)
            patch.setattr(*target, dying(getattr(*target), call, when))
            try:
                place.clean(now=NOW)
            except Killed:
                killed = True
        place.journal.close()
        again = Place(tmp_path / f"{call}")
        assert again.journal.verify() == ()
        again.clean(now=NOW)
        assert again.ids() == {"b", "c"}
        kept = made["b"][0] | made["c"][0]
        assert kept <= again.stored()
        assert not made["a"][0] - kept & again.stored()
        again.journal.close()
        if not killed:
            assert call > 1 or step == "unlink"
            break


def dying(original, call, when):
    calls = itertools.count(1)

    def step(*args, **options):
        last = next(calls) == call
        if last and when == "before":
            raise Killed
        result = original(*args, **options)
        if last:
            raise Killed
        return result

    return step


def test_a_thousand_runs_keep_a_bounded_directory(place):
    count, every = (1_000, 10) if LONG else (45, 5)
    sizes = []
    for number in range(count):
        place.run(f"run-{number:04}", NOW + number, unique=b"x" * 2_000)
        if number % every == every - 1:
            place.clean(Keep(runs=10), now=NOW + number)
            sizes.append(sum(path.stat().st_size for path in place.folder.rglob("*") if path.is_file()))
    assert len(place.ids()) == 10
    assert max(sizes[4:]) <= 1.3 * sizes[3]


def test_writers_of_old_contents_never_lose_to_a_sweep(place):
    contents = [b"content %d" % number for number in range(120)]
    digests = [place.artifacts.put(content) for content in contents]
    place.age()
    limit = min(item.used_at for item in place.artifacts.objects()) + GRACE_S
    writers = [Artifacts(place.folder) for _ in range(3)]
    with ThreadPoolExecutor(4) as pool:
        sweep = pool.submit(place.artifacts.remove, digests, unused_since=limit)
        for writer in writers:
            pool.submit(writer.put_all, contents)
    assert sweep.result()[0] <= len(digests)
    assert place.stored() == set(digests)
    assert all(place.artifacts.get(digest) for digest in digests)
