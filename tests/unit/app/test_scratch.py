from __future__ import annotations

import errno
import tempfile

import pytest

from maestro_dsl.app.running import _scratch
from maestro_dsl.errors import DiskFailure


def test_a_full_folder_for_temporary_files_is_said_with_a_way_out(monkeypatch):
    def full(*_args, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    with pytest.raises(DiskFailure, match=r"cannot write .*: the disk is full") as failed:
        _scratch("r")
    assert failed.value.hint
