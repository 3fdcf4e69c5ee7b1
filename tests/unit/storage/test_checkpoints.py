from __future__ import annotations

import pytest

from maestro_dsl.storage.checkpoints import Checkpoints, Restored


@pytest.fixture
def checkpoints(tmp_path):
    return Checkpoints(tmp_path)


def newest(tmp_path):
    return max(tmp_path.rglob("*.json"))


def test_without_one_there_is_nothing(checkpoints):
    assert checkpoints.restore_latest("r") == Restored()


def test_the_newest_is_restored_and_old_ones_are_removed(checkpoints, tmp_path):
    for seq in (5, 10, 200):
        checkpoints.save("r", seq, b'{"seq":%d}\nline two' % seq)
    assert checkpoints.restore_latest("r") == Restored(seq=200, content=b'{"seq":200}\nline two')
    assert len(list(tmp_path.rglob("*.json"))) == 2


@pytest.mark.parametrize(
    "damage", [lambda c: c[:-1], lambda c: c[:-1] + b"X", lambda _: b"", lambda c: c[5:]]
)
def test_a_bad_one_is_skipped_for_the_one_before_and_said_so(checkpoints, tmp_path, damage):
    checkpoints.save("r", 1, b"good")
    checkpoints.save("r", 2, b"newer")
    newest(tmp_path).write_bytes(damage(newest(tmp_path).read_bytes()))
    restored = checkpoints.restore_latest("r")
    assert (restored.seq, restored.content) == (1, b"good")
    assert restored.skipped == ("checkpoint 000000000002.json of run r is damaged; an older one is used",)


def test_where_all_are_bad_none_is_restored(checkpoints, tmp_path):
    checkpoints.save("r", 1, b"good")
    newest(tmp_path).write_bytes(b"bad")
    restored = checkpoints.restore_latest("r")
    assert restored.content is None
    assert len(restored.skipped) == 1


def test_a_renamed_checkpoint_is_not_believed(checkpoints, tmp_path):
    checkpoints.save("r", 1, b"good")
    newest(tmp_path).rename(newest(tmp_path).with_name("000000000009.json"))
    assert checkpoints.restore_latest("r").content is None


def test_runs_are_kept_apart_whatever_they_are_called(checkpoints, tmp_path):
    checkpoints.save("../../r", 1, b"a")
    checkpoints.save("r", 1, b"b")
    assert checkpoints.restore_latest("../../r").content == b"a"
    checkpoints.remove("../../r")
    assert checkpoints.restore_latest("../../r").content is None
    assert checkpoints.restore_latest("r").content == b"b"
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoints"]
