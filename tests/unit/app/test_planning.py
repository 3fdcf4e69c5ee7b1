"""What is looked at before a run begins: folders whose names cannot be used are told, not stumbled over."""

from __future__ import annotations

import os
import sys

import pytest
from support.files import write
from support.projects import bare

from maestro_dsl import app
from maestro_dsl.errors import EnvironmentFailure, UsageError
from maestro_dsl.lang.settings import Overrides

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
