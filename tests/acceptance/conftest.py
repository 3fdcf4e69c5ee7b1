from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.projects import Project

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def todo(tmp_path: Path) -> Project:
    return Project(tmp_path / "project", tmp_path / "state", "todo-app")


@pytest.fixture(scope="module")
def finished_todo(tmp_path_factory: pytest.TempPathFactory):
    """One finished run of the example, shared by tests that only look at it."""
    base = tmp_path_factory.mktemp("finished")
    project = Project(base / "project", base / "state", "todo-app")
    return project, project.apply()
