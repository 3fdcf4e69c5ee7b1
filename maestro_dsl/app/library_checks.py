"""Before a plan is compiled: the libraries of its project are what its lock says, or none is used."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from maestro_dsl.lang.files import PROJECT_FILE, project_root
from maestro_dsl.lang.lockfile import LOCK_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def checked_libraries(plan_file: Path) -> Iterator[None]:
    """Compare the libraries of a plan's project with its lock; in the block nothing else of them is read.

    What was compared counts in place of the files, whatever becomes of these.

    Raises:
        IntegrityError: the lock is out of date, or a library is not what it says.
    """
    root = project_root(plan_file)
    if not (root / LOCK_FILE).is_file():
        yield  # nothing is pinned, so that no reference into a library is resolved
        return
    from maestro_dsl.lang.disk import overlaid
    from maestro_dsl.lang.finder import Reader
    from maestro_dsl.lang.model import Project
    from maestro_dsl.libraries.audit import audit, contents_of, require_sound

    document = Reader().look(root / PROJECT_FILE) if (root / PROJECT_FILE).is_file() else None
    value = None if document is None else document.value
    found = audit(root, value.libraries if isinstance(value, Project) else {})
    require_sound(found)
    with overlaid(contents_of(found), sealed=tuple(found.folders)):
        yield
