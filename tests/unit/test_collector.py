"""The garbage collector is out of the way, and comes back as it was."""

from __future__ import annotations

import gc

import pytest

from maestro_dsl.collector import collector_paused


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
