"""Before a plan is compiled: the libraries of its project are what its lock says, or none is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.lang.files import PROJECT_FILE, project_root
from maestro_dsl.lang.lockfile import LOCK_FILE

if TYPE_CHECKING:
    from pathlib import Path


def checked_contents(plan_file: Path) -> dict[Path, bytes]:
    """Return the contents of the project's libraries, by real path, after they were compared with the lock.

    Who reads these in place of the files reads what was checked, whatever becomes of the files.

    Raises:
        IntegrityError: the lock is out of date, or a library is not what it says.
    """
    root = project_root(plan_file)
    if not (root / LOCK_FILE).is_file():
        return {}  # nothing is pinned, so that no reference into a library is resolved
    from maestro_dsl.lang.finder import Reader
    from maestro_dsl.lang.model import Project
    from maestro_dsl.libraries.audit import audit, contents_of, require_sound

    document = Reader().look(root / PROJECT_FILE) if (root / PROJECT_FILE).is_file() else None
    value = None if document is None else document.value
    found = audit(root, value.libraries if isinstance(value, Project) else {})
    require_sound(found)
    return contents_of(found)
