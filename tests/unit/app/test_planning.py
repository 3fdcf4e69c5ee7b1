"""What is looked at before a run begins: folders that cannot be used are told, not stumbled over."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest
from support.files import write
from support.projects import bare

from maestro_dsl import app
from maestro_dsl.errors import EnvironmentFailure, UsageError
from maestro_dsl.lang.settings import Overrides
from maestro_dsl.storage.folder import Folder

NODES = "  one: {action: command, with: {run: [echo, x]}}\n"


def report(folder, state, output=None):
    write(folder, bare(NODES))
    where = Overrides(output=output)
    return app.plan_report(folder / "plan.yaml", overrides=where, environ={}, state_dir=state)


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux")
def test_a_folder_whose_name_is_no_text_is_refused(tmp_path):
    folder = tmp_path / os.fsdecode(b"bad\xff")
    folder.mkdir()
    with pytest.raises(UsageError, match=r"bad\\xff is not UTF-8"):
        report(folder, tmp_path / "state")
    good = tmp_path / "good"
    good.mkdir()
    with pytest.raises(UsageError, match=r"bad\\xff/out is not UTF-8"):
        report(good, tmp_path / "state", output=str(folder / "out"))


def test_an_output_that_cannot_be_looked_at_is_told(tmp_path):
    with pytest.raises(EnvironmentFailure, match="File name too long"):
        report(tmp_path, tmp_path / "state", output=str(tmp_path / ("x" * 256)))


@pytest.fixture
def locked(tmp_path, monkeypatch):
    """A folder into which nobody may look, whoever runs the tests."""
    folder, stat = tmp_path / "locked", os.stat

    def look(path, *more, **options):
        if isinstance(path, (str, os.PathLike)) and folder in (*Path(path).parents, Path(path)):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return stat(path, *more, **options)

    monkeypatch.setattr(os, "stat", look)
    return folder


def test_where_nobody_may_look_is_no_bug_of_ours(tmp_path, locked):
    denied = pytest.raises(EnvironmentFailure, match=r"cannot (look at|be read).*permission denied")
    with denied:
        report(tmp_path, tmp_path / "state", output=str(locked / "out"))
    with denied:
        app.show_run("last", environ={}, state_dir=locked / "state")
    with denied:
        app.verify_state_dir(environ={}, state_dir=locked / "state")
    with denied:
        app.export_runs(locked / "x.zip", environ={}, state_dir=tmp_path / "state")
    with denied:
        app.import_runs(locked / "x.zip", environ={}, state_dir=tmp_path / "state")


def test_a_manifest_that_may_not_be_read_is_no_bug_of_ours(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied", "manifest.json")

    (tmp_path / "build").mkdir()
    monkeypatch.setattr(Folder, "read_own", refuse)
    with pytest.raises(EnvironmentFailure, match=r"cannot look at .*/build: permission denied"):
        report(tmp_path, tmp_path / "state")
