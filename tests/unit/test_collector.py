"""The garbage collector is out of the way, and comes back as it was."""

from __future__ import annotations

import gc

import pytest

from maestro_dsl.collector import collector_paused, collector_seldom


@pytest.fixture
def _enabled():
    assert gc.isenabled()
    yield
    gc.enable()
    gc.unfreeze()


@pytest.mark.usefixtures("_enabled")
def test_it_is_paused_inside_and_back_afterwards():
    with collector_paused():
        assert not gc.isenabled()
        with collector_paused():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


@pytest.mark.usefixtures("_enabled")
def test_who_paused_it_gets_it_back_paused():
    gc.disable()
    with collector_paused():
        pass
    assert not gc.isenabled()


@pytest.mark.usefixtures("_enabled")
def test_what_was_made_is_old_and_is_collected_when_it_is_garbage():
    with collector_paused():
        made = [[] for _ in range(5_000)]
    young = {id(item) for item in gc.get_objects(generation=0)}
    assert not young.intersection(map(id, made))
    made.append(made)
    del made
    assert gc.collect() >= 5_000


@pytest.mark.usefixtures("_enabled")
def test_what_others_froze_stays_frozen():
    gc.freeze()
    frozen = gc.get_freeze_count()
    with collector_paused():
        pass
    assert gc.get_freeze_count() >= frozen - 100  # some of it may have gone by itself


@pytest.mark.usefixtures("_enabled")
def test_it_looks_seldom_until_the_last_of_overlapping_blocks_ends():
    usual = gc.get_threshold()
    first, second = collector_seldom(), collector_seldom()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert gc.get_threshold()[0] > usual[0]
    second.__exit__(None, None, None)
    assert gc.get_threshold() == usual


@pytest.mark.usefixtures("_enabled")
def test_who_wants_it_never_or_more_seldom_has_it_so():
    usual = gc.get_threshold()
    try:
        for wanted in ((0, 10, 10), (10**6, 10, 10)):
            gc.set_threshold(*wanted)
            with collector_seldom():
                assert gc.get_threshold() == wanted
    finally:
        gc.set_threshold(*usual)
