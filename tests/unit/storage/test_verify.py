from __future__ import annotations

from contextlib import closing

import pytest
from support.states import Place

from maestro_dsl.codec import digest_bytes
from maestro_dsl.storage.verify import verify_state
from maestro_dsl.testing import SeededRand


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path)
    place.run("a", 1.0)
    place.run("b", 2.0)
    with closing(place.journal):
        yield place


def verified(place, share=1.0):
    return verify_state(place.journal, place.artifacts, read_share=share, rand=SeededRand())


def path_of(place, content):
    return place.artifacts._path(digest_bytes(content))


def test_what_is_whole_has_no_damage_and_says_what_was_read(place):
    found = verified(place)
    assert found.damages == ()
    assert (found.runs, found.objects, found.read, found.orphans) == (2, 9, 9, 0)
    assert verified(place, 0.0).read == 0


def test_what_nothing_names_is_counted_and_no_damage(place):
    place.artifacts.put(b"12345")
    found = verified(place)
    assert (found.orphans, found.orphan_bytes, found.damages) == (1, 5, ())


def test_content_that_is_gone_is_named_with_who_needs_it(place):
    path_of(place, b"own a").unlink()
    (damage,) = verified(place, 0.0).damages
    digest = digest_bytes(b"own a")[:12]
    assert (damage.kind, damage.what) == ("missing", f"content {digest} is gone; n of run a names it")
    assert damage.way_out == "apply the plan again: what is not whole is made anew"


def test_changed_content_is_found_where_it_is_read(place):
    path_of(place, b"shared").write_bytes(b"changed")
    assert verified(place, 0.0).damages == ()
    (damage,) = verified(place).damages
    assert damage.what.endswith("differs from its digest; n of run b names it")
    assert "remove objects/" in damage.way_out


def test_a_damaged_history_is_found_and_the_rest_is_looked_at(place):
    with place.journal.database.writing() as connection:
        connection.exec_driver_sql(
            "UPDATE events SET body = replace(body, 'succeeded', 'failed') WHERE seq = 5"
        )
    path_of(place, b"own b").unlink()
    kinds = [damage.kind for damage in verified(place).damages]
    assert kinds == ["journal", "journal", "missing"]


def test_a_share_reads_about_so_much(place):
    for number in range(60):
        place.artifacts.put(b"%d" % number)
    assert 0 < verified(place, 0.25).read < 50
