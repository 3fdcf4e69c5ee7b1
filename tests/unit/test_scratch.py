"""Folders for temporary files: whose they are, and what becomes of those whose process was killed."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import tempfile
from pathlib import Path

import pytest
from support.program import PATIENCE

from maestro_dsl.errors import DiskFailure
from maestro_dsl.scratch import ScratchFolder, machine_at_fault, remove_tree, sweep

_CONTEXT = multiprocessing.get_context("forkserver")


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_full_folder_for_temporary_files_is_said_with_a_way_out(monkeypatch):
    def full(*_args, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    with pytest.raises(DiskFailure, match=r"cannot work in .*: the disk is full") as failed:
        ScratchFolder()
    assert failed.value.hint


def test_a_folder_is_gone_after_its_block(place):
    with ScratchFolder() as scratch:
        (scratch.path / "x").write_text("x")
        assert list(place.iterdir()) == [scratch.path]
        assert scratch.path.stat().st_mode & 0o777 == 0o700
    assert not list(place.iterdir())
    scratch.remove()


@pytest.mark.usefixtures("place")
def test_a_folder_in_use_is_left_alone():
    with ScratchFolder() as scratch:
        assert sweep() == 0
        assert scratch.path.is_dir()


def _make_and_die(place, said):
    tempfile.tempdir = place
    scratch = ScratchFolder()
    (scratch.path / "closed").mkdir()
    (scratch.path / "closed" / "x").write_text("x")
    (scratch.path / "closed").chmod(0)
    said.send(str(scratch.path))
    said.recv()
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_folder_of_a_killed_process_is_removed_by_the_next_one(place):
    ours, theirs = _CONTEXT.Pipe()
    process = _CONTEXT.Process(target=_make_and_die, args=(str(place), theirs))
    process.start()
    left = Path(ours.recv())
    assert sweep() == 0
    assert left.is_dir()
    ours.send("die")
    process.join(PATIENCE)
    with ScratchFolder() as mine:
        assert sweep() == 1
        assert list(place.glob("*maestro*")) == [mine.path]


def test_what_is_not_ours_is_left_alone(place, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "kept").write_text("x")
    (place / "maestro.link").symlink_to(elsewhere)
    (place / "maestro.file").write_text("x")
    (place / "maestro-other").mkdir()
    (place / ".maestro.young").mkdir()
    assert sweep() == 0
    assert len(list(place.iterdir())) == 4
    assert (elsewhere / "kept").exists()


def test_a_folder_that_was_never_locked_goes_after_an_hour(place):
    (place / ".maestro.old").mkdir()
    os.utime(place / ".maestro.old", (1, 1))
    assert sweep() == 1


def test_links_out_of_a_folder_are_removed_and_not_followed(tmp_path):
    (tmp_path / "kept").mkdir(mode=0o500)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path / "kept")
    assert remove_tree(folder)
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o500


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EMFILE, errno.ENOMEM])
def test_what_no_file_can_bring_about_is_the_machines(code):
    with pytest.raises(DiskFailure) as failed, machine_at_fault("x"):
        raise OSError(code, os.strerror(code))
    assert failed.value.hint


@pytest.mark.parametrize("code", [errno.ENAMETOOLONG, errno.ENOTDIR, errno.EEXIST, errno.EINVAL])
def test_what_the_name_of_a_file_brings_about_is_not(code):
    with pytest.raises(OSError, match=os.strerror(code)), machine_at_fault("x"):
        raise OSError(code, os.strerror(code))
