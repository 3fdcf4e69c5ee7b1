from __future__ import annotations

import os
import stat

import pytest

from maestro_dsl.errors import DiskFailure, IntegrityError
from maestro_dsl.storage.artifacts import Artifacts


@pytest.fixture
def artifacts(tmp_path):
    return Artifacts(tmp_path)


def path_of(tmp_path, digest):
    return tmp_path / "objects" / digest[:2] / digest[2:]


def test_objects_lie_at_their_digest_for_the_owner_only(artifacts, tmp_path):
    path = path_of(tmp_path, artifacts.put(b"content"))
    assert path.read_bytes() == b"content"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list((tmp_path / "objects" / "tmp").iterdir()) == []


def test_a_changed_object_is_not_returned_and_a_put_mends_it(artifacts, tmp_path):
    digest = artifacts.put(b"content")
    path_of(tmp_path, digest).write_bytes(b"c0ntent")
    with pytest.raises(IntegrityError, match="differs from its digest"):
        artifacts.get(digest)
    assert list(artifacts.verify()) == [digest]
    assert artifacts.put(b"content") == digest
    assert artifacts.get(digest) == b"content"
    assert list(artifacts.verify()) == []


def test_a_link_in_the_place_of_an_object_is_not_followed(artifacts, tmp_path):
    digest = artifacts.put(b"content")
    path = path_of(tmp_path, digest)
    path.rename(tmp_path / "moved")
    path.symlink_to(tmp_path / "moved")
    with pytest.raises(IntegrityError, match="cannot be read"):
        artifacts.get(digest)


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "A" * 64, "a" * 63])
def test_only_digests_name_objects(artifacts, digest):
    with pytest.raises(IntegrityError, match="is not a SHA-256 digest"):
        artifacts.get(digest)


def test_a_failed_write_leaves_nothing(artifacts, tmp_path, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(DiskFailure, match="the disk is full") as caught:
        artifacts.put(b"content")
    assert caught.value.hint is not None
    with pytest.raises(DiskFailure, match="the disk is full"):
        artifacts.put_all([b"one", b"two"])
    assert [path for path in (tmp_path / "objects").rglob("*") if path.is_file()] == []


def test_only_what_was_left_unfinished_for_a_day_is_swept(artifacts, tmp_path):
    scratch = tmp_path / "objects" / "tmp"
    old, fresh, foreign = scratch / ".a.tmp", scratch / ".b.tmp", scratch / "c"
    for path, at in ((old, 1_000.0), (fresh, 80_000.0), (foreign, 1_000.0)):
        path.write_bytes(b"half")
        os.utime(path, (at, at))
    digest = artifacts.put(b"content")
    assert artifacts.sweep(90_000.0) == 1
    assert sorted(scratch.iterdir()) == [fresh, foreign]
    assert artifacts.get(digest) == b"content"
