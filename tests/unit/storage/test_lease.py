from __future__ import annotations

import threading

import pytest

from maestro_dsl.errors import StateError
from maestro_dsl.storage.lease import Holder, Lock, RunLease, run_lock

ME = Holder(pid=41, host="box", since="2026-01-02 03:04:05Z", command="maestro apply plan.yaml")


def test_what_a_killed_process_left_beside_a_lock_is_removed(tmp_path):
    left = tmp_path / "locks" / ".run.holder.json.0123456789abcdef.tmp"
    left.parent.mkdir()
    left.write_bytes(b"{")
    with Lock(tmp_path / "locks" / "run.lock", "run r").acquire(ME):
        assert not left.exists()


def test_a_busy_lock_names_its_holder(tmp_path):
    held = Lock(tmp_path / "x.lock", "the output folder /out").acquire(ME)
    with held, pytest.raises(StateError) as caught:
        Lock(tmp_path / "x.lock", "the output folder /out").acquire(ME)
    assert caught.value.message == (
        "the output folder /out is in use by process 41 on box since 2026-01-02 03:04:05Z"
        " (maestro apply plan.yaml)"
    )
    assert caught.value.exit_code == 5


def test_the_holder_is_known_while_it_holds(tmp_path):
    lock = run_lock(tmp_path, "r")
    assert run_lock(tmp_path, "r").holder() is None
    lock.acquire(ME)
    assert lock.holder() == ME
    assert run_lock(tmp_path, "r").holder() == ME
    lock.release()
    lock.release()
    assert run_lock(tmp_path, "r").holder() is None
    assert run_lock(tmp_path, "other").holder() is None


@pytest.mark.parametrize("advice", [None, b"", b"[]", b'{"pid":"x"}'])
def test_damaged_advice_frees_nothing_and_stops_nothing(tmp_path, advice):
    lock = Lock(tmp_path / "x.lock", "it").acquire(ME)
    info = tmp_path / "x.holder.json"
    info.unlink() if advice is None else info.write_bytes(advice)
    with pytest.raises(StateError, match="it is in use by process 0 on an unknown host"):
        Lock(tmp_path / "x.lock", "it").acquire(ME)
    lock.release()
    info.write_bytes(b'{"pid":1,"host":"h","since":"long ago","command":"dead"}')
    Lock(tmp_path / "x.lock", "it").acquire(ME).release()


def test_a_run_lease_brings_a_new_epoch(tmp_path):
    epochs = iter([7, 8])
    with RunLease.acquire(tmp_path, "r", ME, lambda _: next(epochs)) as lease:
        assert lease.epoch == 7
        with pytest.raises(StateError, match="run r is in use by process 41"):
            RunLease.acquire(tmp_path, "r", ME, lambda _: next(epochs))
    assert RunLease.acquire(tmp_path, "r", ME, lambda _: next(epochs)).epoch == 8


def test_without_an_epoch_the_lock_is_given_back(tmp_path):
    def fail(_run_id):
        raise StateError("no")

    with pytest.raises(StateError, match="no"):
        RunLease.acquire(tmp_path, "r", ME, fail)
    assert run_lock(tmp_path, "r").holder() is None


def test_who_only_looks_keeps_nobody_from_the_lock(tmp_path):
    path = tmp_path / "x.lock"
    looking = threading.Thread(target=lambda: [Lock(path, "it").holder() for _ in range(300)])
    Lock(path, "it").acquire(ME).release()
    looking.start()
    for _ in range(100):
        Lock(path, "it").acquire(ME).release()
    looking.join()
