"""SIGKILL at the system calls of `state gc`, `export`, `import` and of a migration: nothing is lost.

What was killed is done again, and leads to what an undisturbed one leaves. The default suite takes a few
points of each, `MAESTRO_TEST_ALL_SYSCALLS=1` every one (`-s` prints how many).
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing

import pytest
from support.states import Place
from support.syscalls import ALL, Deed, apply_and_die, at_points, missing
from support.upkeep import GONE, KEPT, OLD, archive, clean, lived_in, migrate, older, take_over, write_out

from maestro_dsl.app.system import SystemRand
from maestro_dsl.storage.database import REVISIONS, open_database
from maestro_dsl.storage.verify import verify_state

SEED, FEW = 7, 3

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))


def killed_everywhere(work, folder, ours, check):
    """Kill `work` at its points, each time in a copy of `folder`; `check` what is left and comes after."""
    deed = Deed(folder, work, (folder / ours,))

    def chosen(points):
        return points if ALL else random.Random(SEED).sample(points, FEW)

    def meet(point):
        died = apply_and_die(deed, point)
        check()
        return "killed" if died else "not reached"

    outcomes = at_points(deed, chosen, meet)
    reached = sum(count for text, count in outcomes.items() if "not reached" not in text)
    assert reached > outcomes.total() * 0.9, "most points are where they were"


def seen(state):
    """Return what is in a state directory, which must be whole."""
    place = Place(state)
    with closing(place.journal):
        found = verify_state(place.journal, place.artifacts, read_share=1.0, rand=SystemRand())
        assert found.damages == ()
        histories = {name: list(place.journal.events(name)) for name in place.ids()}
        return histories, place.stored(), place.journal.results()


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "x"
    (folder / "out").mkdir(parents=True)
    return folder


def undisturbed(work, folder):
    """Do the work to a copy of the folder, and return that."""
    shutil.copytree(folder, folder.with_name("calm"))
    work(folder.with_name("calm"))
    return folder.with_name("calm")


def test_a_cleaning(folder):
    lived_in(folder)
    before, after = seen(folder / "state"), seen(undisturbed(clean, folder) / "state")
    assert set(before[0]) == {*KEPT, *GONE}
    assert set(after[0]) == set(KEPT)

    def check():
        histories, objects, _ = seen(folder / "state")
        assert after[0].items() <= histories.items() <= before[0].items()
        assert after[1] <= objects <= before[1]
        clean(folder)
        assert seen(folder / "state") == after
        assert len(list((folder / "state" / "locks").glob("run-*.lock"))) == len(KEPT)

    killed_everywhere(clean, folder, "state", check)


def test_an_export(folder):
    lived_in(folder)
    wanted = (undisturbed(write_out, folder) / "out" / "all.zip").read_bytes()

    def check():
        target = folder / "out" / "all.zip"
        assert not target.exists() or target.read_bytes() == wanted
        write_out(folder)
        assert target.read_bytes() == wanted
        assert list((folder / "out").iterdir()) == [target], "what was not finished is gone"

    killed_everywhere(write_out, folder, "out", check)


def test_an_import(folder):
    lived_in(folder)
    write_out(folder)
    wanted = (folder / "out" / "all.zip").read_bytes()

    def check():
        seen(folder / "other")  # runs come whole or not at all
        take_over(folder)
        seen(folder / "other")
        place = Place(folder / "other")
        with closing(place.journal):
            archive(place).export(sorted(place.ids()), folder / "again.zip", with_newest=True)
        assert (folder / "again.zip").read_bytes() == wanted

    killed_everywhere(take_over, folder, "other", check)


def test_a_migration(folder):
    older(folder / "state")

    def check():
        database = open_database(folder / "state")
        with closing(database), database.reading() as connection:
            version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
            assert version == REVISIONS[-1]
            assert connection.exec_driver_sql("SELECT content FROM plans").scalar() == b"{}"
        with closing(sqlite3.connect(folder / "state" / f"journal-{OLD}.backup.db")) as copy:
            assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [(OLD,)]
            assert copy.execute("SELECT content FROM plans").fetchall() == [(b"{}",)]
        assert not list((folder / "state").glob("*.tmp"))

    killed_everywhere(migrate, folder, "state", check)
