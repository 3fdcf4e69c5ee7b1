"""The libraries of a project as documents: where each lies, and which of its documents others may name.

Goes by `maestro.lock`, so that nothing is used that is not pinned. Whether a folder is what the lock says is
`maestro_dsl.libraries`' business; what is missing here is told with the command that brings it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from maestro_dsl.lang.disk import is_file
from maestro_dsl.lang.files import LIBRARY_FILE, PROJECT_FILE, Area, PathProblem, area_of
from maestro_dsl.lang.lockfile import INSTALLED, LOCK_FILE, Locked, lock_of
from maestro_dsl.lang.model import Kind, Library, Project
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.lang.finder import Reader

EXPORTS: Final = {
    Kind.BLUEPRINT: "blueprints",
    Kind.PERSONA: "personas",
    Kind.CONTRACT: "contracts",
    Kind.POLICY: "policies",
}
"""What a library may export → the key that lists it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """One library that can be used: its real folder, what it exports and what it requires."""

    name: str
    root: Path
    library: Library
    requires: frozenset[str]

    def exported(self, kind: Kind, reader: Reader) -> dict[str, Path]:
        """Return the documents of one kind that others may name, by id."""
        area = Area(self.root)
        found: dict[str, Path] = {}
        for glob in self.library.exports.get(EXPORTS.get(kind, ""), ()):
            try:
                files = area.expand(self.root / LIBRARY_FILE, glob)
            except PathProblem:
                continue  # REF008 where the library itself is checked
            found |= _by_id(files, kind, reader)
        return found

    def all(self, kind: Kind, reader: Reader) -> dict[str, Path]:
        """Return every document of one kind, which only the library itself may name, by id."""
        files = tuple(path.resolve() for path, named in reader.searched(self.root).files if named is kind)
        return _by_id(files, kind, reader)


class Shelves:
    """The libraries of the project at `root`, each read on first use."""

    def __init__(self, root: Path, reader: Reader) -> None:
        self.root = root
        self.reader = reader
        self._lock: Mapping[str, Locked] | None = None
        self._problem: str | None = None
        self._shelves: dict[str, Shelf | None] = {}

    @property
    def declared(self) -> tuple[str, ...]:
        """The names that `maestro.yaml` states, in its order."""
        path = self.root / PROJECT_FILE
        if path not in self.reader.overlay and not is_file(path):
            return ()
        document = self.reader.look(path)
        value = None if document is None else document.value
        return tuple(value.libraries) if isinstance(value, Project) else ()

    @property
    def locked(self) -> Mapping[str, Locked]:
        """What is pinned, by name; nothing where there is no lock that can be read."""
        if self._lock is None:
            found = lock_of(self.root)
            lock = None if found is None else found.lock
            self._problem = None if found is None else found.problem
            self._lock = {} if lock is None else lock.libraries
        return self._lock

    def get(self, name: str) -> Shelf | None:
        """Return the library called `name` where it is pinned and lies where it should."""
        if name not in self._shelves:
            self._shelves[name] = self._shelf(name)
        return self._shelves[name]

    def usable(self, owner: Shelf | None = None) -> tuple[Shelf, ...]:
        """Return the libraries that the project, or the library `owner`, may name."""
        names = self.declared if owner is None else sorted(owner.requires)
        found = (self.get(name) for name in names)
        return tuple(shelf for shelf in found if shelf is not None)

    def holding(self, path: Path) -> Shelf | None:
        """Return the library that the file at `path` is part of."""
        if not self.locked:
            return None
        root = area_of(path).root
        return next((shelf for name in self.locked if (shelf := self.get(name)) and shelf.root == root), None)

    def folders(self) -> tuple[Path, ...]:
        """Return the real folders of all libraries that can be used."""
        return tuple(shelf.root for name in self.locked if (shelf := self.get(name)) is not None)

    def missing(self, name: str) -> tuple[str, str] | None:
        """Return why the library `name` cannot be used and what brings it; None where nobody names it."""
        if name not in self.locked:
            if name not in self.declared:
                return None
            if self._problem is not None:
                return f"{LOCK_FILE} {self._problem}", "make it anew: maestro lib lock"
            return f'the library "{name}" is not in {LOCK_FILE}', "run: maestro lib lock"
        if self.get(name) is not None:
            reason = f'the library "{name}" is only there because another requires it'
            return (
                reason,
                f"add it to libraries in {PROJECT_FILE}: maestro lib add {self.locked[name].source}",
            )
        if self.locked[name].is_local:
            return f'the library "{name}" is not at {self.locked[name].source}', "maestro lib list shows all"
        return f'the library "{name}" is not installed', "run: maestro lib install"

    def _shelf(self, name: str) -> Shelf | None:
        locked = self.locked.get(name)
        if locked is None:
            return None
        folder = locked.folder(self.root)
        real = folder.resolve()
        is_elsewhere = not locked.is_local and real != self.root.resolve().joinpath(*INSTALLED, name)
        if is_elsewhere or folder.is_symlink() or not is_file(real / LIBRARY_FILE):
            return None
        document = self.reader.look(real / LIBRARY_FILE)
        if document is None or not isinstance(document.value, Library):
            return None
        requires = frozenset(document.value.requires)
        return Shelf(name=name, root=real, library=document.value, requires=requires)


def is_installed(path: Path) -> bool:
    """Return whether the real file at `path` belongs to an installed library, which nobody edits."""
    parts = path.parts
    return any(parts[at : at + len(INSTALLED)] == INSTALLED for at in range(len(parts)))


def _by_id(files: tuple[Path, ...], kind: Kind, reader: Reader) -> dict[str, Path]:
    documents = ((path, reader.look(path)) for path in files)
    return {
        document.value.id: path
        for path, document in documents
        if document is not None and document.kind is kind and document.value.id
    }
