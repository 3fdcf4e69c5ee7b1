from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from support.projects import Project

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def todo(tmp_path: Path) -> Project:
    return Project(tmp_path / "project", tmp_path / "state", "todo-app")


@pytest.fixture
def small(tmp_path: Path) -> Project:
    """The example made small: every action and every event of it, and a third of its work."""
    return Project(tmp_path / "project", tmp_path / "state", "todo-app").shrink()


@pytest.fixture(scope="session")
def finished_todo(tmp_path_factory: pytest.TempPathFactory):
    """One finished run of the example, shared by tests that only look at it."""
    base = tmp_path_factory.mktemp("finished")
    project = Project(base / "project", base / "state", "todo-app")
    return project, project.apply()


@pytest.fixture(scope="session")
def finished_small(tmp_path_factory: pytest.TempPathFactory):
    """One finished run of the small example, shared by tests that only look at it."""
    base = tmp_path_factory.mktemp("finished-small")
    project = Project(base / "project", base / "state", "todo-app").shrink()
    return project, project.apply()


@pytest.fixture
def experienced(finished_todo, todo: Project) -> Project:
    """The example before its first run, beside a state in which another copy of it was run already."""
    shutil.copytree(finished_todo[0].state, todo.state)
    return todo


@pytest.fixture
def experienced_small(finished_small, small: Project) -> Project:
    """The small example before its first run, beside a state in which another copy of it was run already."""
    shutil.copytree(finished_small[0].state, small.state)
    return small
